/** The environment as the server reads it: `.env` under the real one, and each secret also from a file. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { secret } from '../words/checks.ts';
import { AppError } from '../words/errors.ts';
import { settings } from '../words/settings.ts';
import { providerSecrets, serverSettings } from './settings.ts';

export type Variables = Record<string, string | undefined>;

/** Engine settings whose variable has another name than their input in upper case; that one is understood too. */
const renamed: Record<string, string> = {
  app_id: 'GITHUB_APP_ID',
  app_private_key: 'GITHUB_APP_PRIVATE_KEY',
};

/** `MAX_BUDGET_USD` for `max_budget_usd`. */
export function variableOf(setting: string): string {
  return renamed[setting] ?? setting.toUpperCase();
}

/** Variables that may be given as `…_FILE`. The database's address holds a password. */
export const secretVariables = [
  ...[...Object.entries(settings), ...Object.entries(serverSettings)]
    .filter(([, { check }]) => check === secret)
    .map(([name]) => variableOf(name)),
  'DATABASE_URL',
  ...providerSecrets,
];

/** `.env` of `directory` below the real environment, where an empty variable counts as unset. @throws AppError `invalid_input` */
export function withDotEnv(environment: Variables, directory: string): Variables {
  const path = join(directory, '.env');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return environment;
    throw new AppError('invalid_input', `${path} cannot be read: ${(error as Error).message}.`, {
      cause: error,
      remedy: 'Make it readable for the user that Forgehand runs as, or remove it.',
    });
  }
  const real = Object.entries(environment).filter(([, value]) => value);
  return { ...parseEnv(text), ...Object.fromEntries(real) };
}

/** Reads what is given as `…_FILE`. `problems` get one line for each file that does not do. */
export function withSecretFiles(environment: Variables, problems: string[]): Variables {
  const all = { ...environment };
  for (const [input, variable] of Object.entries(renamed)) {
    for (const suffix of ['', '_FILE']) {
      all[`${variable}${suffix}`] ||= environment[`${input.toUpperCase()}${suffix}`];
    }
  }
  for (const variable of secretVariables) {
    const path = all[`${variable}_FILE`]?.trim();
    if (!path) continue;
    delete all[`${variable}_FILE`];
    if (all[variable]?.trim()) {
      problems.push(`${variable} and ${variable}_FILE are both set; set one of them.`);
      continue;
    }
    try {
      const text = readFileSync(atHome(path, all), 'utf8').trim();
      if (text) all[variable] = text;
      else problems.push(`${variable}_FILE: ${path} is empty.`);
    } catch (error) {
      problems.push(`${variable}_FILE: the file cannot be read (${(error as Error).message}).`);
    }
  }
  // In Compose files and secret managers a key is often one line with `\n` in it.
  const key = all.GITHUB_APP_PRIVATE_KEY;
  if (key && !key.includes('\n')) all.GITHUB_APP_PRIVATE_KEY = key.replaceAll('\\n', '\n');
  return all;
}

/** An absolute path; `~` is the user's home. */
export function atHome(path: string, environment: Variables): string {
  const home = environment.HOME || homedir();
  return resolve(path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path);
}
