/** The server's whole configuration from its environment; what is wrong is said at once, all of it, by name. */
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod/mini';
import { chooseCredential } from '../claude/credential.ts';
import { allowedEnvironment } from '../claude/environment.ts';
import type { GitHubHost } from '../github/client.ts';
import { type Config, camelCase, readConfig } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import { Secret } from '../words/secret.ts';
import { settings } from '../words/settings.ts';
import { writePrivately } from './private-file.ts';
import { type ServerSettingName, serverSettings } from './settings.ts';
import { atHome, type Variables, variableOf, withDotEnv, withSecretFiles } from './variables.ts';

export type Role = 'all' | 'web' | 'worker';

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

type Checked = {
  [Name in ServerSettingName as Camel<Name>]: z.output<(typeof serverSettings)[Name]['check']>;
};

/** The server's own settings; paths are absolute, and defaults that depend on others are filled in. */
export interface ServerConfig extends Checked {
  dataDir: string;
  workspacesRoot: string;
  healthDetails: 'public' | 'token';
  githubApiUrl: string;
  githubGraphqlUrl: string;
}

export interface Configuration {
  server: ServerConfig;
  engine: Config;
  host: GitHubHost;
  /** What a task may see of our environment (for Door.job): no credential of GitHub, nothing of the server. */
  environment: Variables;
  /** What it was read from, as JSON; for the sessions. */
  raw: Secret;
}

export interface Given {
  role?: Role;
  /** Where `.env` is looked for; nowhere unless told. */
  directory?: string;
}

/** Where the server's defaults differ from the action's. */
const serverPresets: Record<string, string | ((environment: Variables) => string)> = {
  branch_name_template: ({ BRANCH_PREFIX }) =>
    `${BRANCH_PREFIX ? '{{prefix}}' : ''}{{entityType}}-{{entityNumber}}`,
  create_pull_request: 'draft',
};

/** What the server has as default for an engine setting; null where it is the action's. */
export function serverPreset(name: string, environment: Variables = {}): string | null {
  const preset = serverPresets[name];
  return typeof preset === 'function' ? preset(environment) : (preset ?? null);
}

/** @throws AppError `invalid_input` that lists every variable that is wrong or missing, with what to do. */
export function readConfiguration(
  environment: Variables,
  { role = 'all', directory }: Given = {},
): Configuration {
  const problems: string[] = [];
  const given = directory === undefined ? environment : withDotEnv(environment, directory);
  const variables = withSecretFiles(given, problems);
  const { config: engine, problems: ofTheEngine } = readConfig(
    (name) => variables[variableOf(name)] || serverPreset(name, variables) || undefined,
  );
  for (const { name, message } of ofTheEngine) problems.push(`${variableOf(name)} ${message}.`);
  const server = readServer(variables, problems);
  const passed = withoutServer(allowedEnvironment(variables));
  // A credential whose file cannot be read is not missing too.
  if (!problems.some((line) => line.startsWith('GITHUB_'))) problems.push(...githubProblems(engine));
  if (role !== 'web') problems.push(...claudeProblems(engine, passed));
  if (problems.length) throw wrong(problems);
  const host = {
    serverUrl: server.githubServerUrl,
    apiUrl: server.githubApiUrl,
    graphqlUrl: server.githubGraphqlUrl,
  };
  return {
    server,
    engine,
    host,
    environment: passed,
    raw: new Secret(JSON.stringify(forSessions(variables, passed, server))),
  };
}

/** The little that is needed to find a server: works also where the rest is missing. @throws AppError `invalid_input` */
export function readPlace(
  environment: Variables,
  directory: string,
): Pick<ServerConfig, 'dataDir' | 'databaseUrl'> {
  const problems: string[] = [];
  const variables = withSecretFiles(withDotEnv(environment, directory), problems);
  const { dataDir, databaseUrl } = readServer(variables, problems);
  const mattering = problems.filter((line) => /^(DATA_DIR|DATABASE_URL)/.test(line));
  if (mattering.length) throw wrong(mattering);
  return { dataDir, databaseUrl };
}

function wrong(problems: string[]): AppError {
  return new AppError(
    'invalid_input',
    `The configuration is wrong:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    {
      remedy: 'Correct it in the environment or in `.env`; docs/configuration.md describes every variable.',
    },
  );
}

/** Keeps what the sessions need in a private file of DATA_DIR, and answers its path. */
export function saveForSessions({ server, raw }: Configuration): string {
  const path = join(server.dataDir, 'session-environment.json');
  writePrivately(path, raw.reveal());
  return path;
}

/** What `saveForSessions` kept. @throws AppError `invalid_input` */
export function loadForSessions(path: string): Configuration {
  return readConfiguration(JSON.parse(readFileSync(path, 'utf8')) as Variables);
}

function readServer(variables: Variables, problems: string[]): ServerConfig {
  const read: Record<string, unknown> = {};
  for (const [name, { check, preset }] of Object.entries(serverSettings)) {
    const answer = check.safeParse(variables[variableOf(name)]?.trim() || preset);
    if (!answer.success) {
      problems.push(`${variableOf(name)} ${answer.error.issues.map((issue) => issue.message).join('; ')}.`);
    }
    read[camelCase(name)] = answer.success ? answer.data : check.parse(preset);
  }
  const checked = read as unknown as Checked;
  const dataDir = atHome(
    checked.dataDir ?? (process.getuid?.() === 0 ? '/var/lib/forgehand' : '~/.forgehand'),
    variables,
  );
  const isOpen = checked.publicUrl !== null || checked.cloudflareTunnelToken !== null;
  const apiUrl = checked.githubApiUrl ?? apiOf(checked.githubServerUrl);
  return {
    ...checked,
    dataDir,
    workspacesRoot: atHome(checked.workspacesRoot ?? '~/workspaces', variables),
    healthDetails: checked.healthDetails || (isOpen ? 'token' : 'public'),
    githubServerUrl: checked.githubServerUrl.replace(/\/+$/, ''),
    githubApiUrl: apiUrl,
    githubGraphqlUrl: checked.githubGraphqlUrl ?? graphqlOf(apiUrl),
    progressAudience: checked.progressAudience ?? originOf(checked.publicUrl),
    systemPromptFile: systemPrompt(checked.systemPromptFile, dataDir, { variables, problems }),
  };
}

function systemPrompt(
  given: string | null,
  dataDir: string,
  { variables, problems }: { variables: Variables; problems: string[] },
): string | null {
  const usual = join(dataDir, 'system-prompt.md');
  if (!given) return existsSync(usual) ? usual : null;
  const path = atHome(given, variables);
  try {
    closeSync(openSync(path, 'r'));
  } catch (error) {
    problems.push(`SYSTEM_PROMPT_FILE: the file cannot be read (${(error as Error).message}).`);
  }
  return path;
}

function githubProblems(engine: Config): string[] {
  const { githubToken: token, appId, appPrivateKey: key } = engine;
  const both = `Set GITHUB_TOKEN, or GITHUB_APP_ID with GITHUB_APP_PRIVATE_KEY (or GITHUB_APP_PRIVATE_KEY_FILE)`;
  if (token && (appId || key))
    return [`GITHUB_TOKEN and GITHUB_APP_ID exclude each other. ${both}, not both.`];
  if (token || (appId && key)) return [];
  if (appId)
    return [`GITHUB_APP_PRIVATE_KEY is missing; GITHUB_APP_ID needs it (or GITHUB_APP_PRIVATE_KEY_FILE).`];
  if (key) return ['GITHUB_APP_ID is missing; GITHUB_APP_PRIVATE_KEY needs it.'];
  return [`There is no credential for GitHub. ${both}.`];
}

function claudeProblems(engine: Config, environment: Variables): string[] {
  try {
    chooseCredential(engine, environment);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.reason !== 'model_auth')
      return [error.message.replace(/`(\w+)`/g, (_, name) => variableOf(name))];
    return [
      'There is no credential for Claude. Set ANTHROPIC_API_KEY, CLAUDE_CODE_OAUTH_TOKEN, one of USE_BEDROCK, USE_VERTEX and USE_FOUNDRY, or ANTHROPIC_AUTH_TOKEN for a gateway.',
    ];
  }
}

/** The job's facts of Actions mean nothing here, should the server itself run in a job. */
function withoutServer(environment: Record<string, string>): Variables {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(GITHUB_|RUNNER_|CI$)/.test(name)),
  );
}

/** A session needs no secret of the server's doors; what depends on where we are is written out. */
function forSessions(variables: Variables, passed: Variables, server: ServerConfig): Variables {
  const kept: Variables = { ...passed };
  for (const name of [...Object.keys(settings), ...Object.keys(serverSettings)].map(variableOf)) {
    if (variables[name] && !ofTheDoors.test(name)) kept[name] = variables[name];
  }
  kept.DATA_DIR = server.dataDir;
  kept.WORKSPACES_ROOT = server.workspacesRoot;
  if (server.systemPromptFile) kept.SYSTEM_PROMPT_FILE = server.systemPromptFile;
  return kept;
}

const ofTheDoors = /^(GITHUB_WEBHOOK_SECRET|OPERATOR_TOKEN|CLOUDFLARE_TUNNEL_TOKEN|PROGRESS_FORWARD_SECRET)$/;

function apiOf(serverUrl: string): string {
  const server = serverUrl.replace(/\/+$/, '');
  return server === 'https://github.com' ? 'https://api.github.com' : `${server}/api/v3`;
}

/** `…/api/v3` and `…/api/graphql` on GitHub Enterprise Server, `/graphql` beside everything else. */
function graphqlOf(apiUrl: string): string {
  return `${apiUrl.replace(/\/v3$/, '')}/graphql`;
}

function originOf(url: string | null): string | null {
  return url === null ? null : new URL(url).origin;
}
