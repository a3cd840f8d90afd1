/** The server's variables are a contract: the names and defaults that people have been told, in files that say so. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { configurationPage } from '../../scripts/configuration-page.ts';
import { envExample } from '../../scripts/env-example.ts';
import { type Configuration, readConfiguration } from '../../src/server/configuration.ts';
import { serverSettings } from '../../src/server/settings.ts';
import { secretVariables, variableOf } from '../../src/server/variables.ts';
import { camelCase } from '../../src/words/config.ts';
import { Secret } from '../../src/words/secret.ts';
import { settings } from '../../src/words/settings.ts';

const home = '/home/octocat';
const least = {
  GITHUB_TOKEN: 'ghp_one',
  ANTHROPIC_API_KEY: 'sk-one',
  HOME: home,
  DATA_DIR: '/srv/forgehand',
};

test('.env.example is what the settings say', () => {
  expect(readFileSync('.env.example', 'utf8')).toBe(envExample());
});

test('docs/configuration.md is what the settings say', () => {
  expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationPage());
});

/** Variable, a value, and its default: what the configuration then holds. */
const ofTheServer: [variable: string, value: string, read: unknown, preset: unknown][] = [
  ['GITHUB_APP_INSTALLATION_ID', '78901234', 78901234, null],
  ['GITHUB_WEBHOOK_SECRET', 'shh', 'shh', null],
  ['ALLOW_UNSIGNED_WEBHOOKS', 'true', true, false],
  ['GITHUB_SERVER_URL', 'https://ghe.example/', 'https://ghe.example', 'https://github.com'],
  ['GITHUB_API_URL', 'https://ghe.example/api/v3/', 'https://ghe.example/api/v3', 'https://api.github.com'],
  ['GITHUB_GRAPHQL_URL', 'https://ghe.example/q', 'https://ghe.example/q', 'https://api.github.com/graphql'],
  ['WEBHOOK_PORT', '9000', 9000, 8080],
  ['PUBLIC_URL', 'https://forge.example/', 'https://forge.example', null],
  ['CLOUDFLARE_TUNNEL_TOKEN', 'tunnel', 'tunnel', null],
  ['OPERATOR_TOKEN', 'operator', 'operator', null],
  ['LOG_LEVEL', 'debug', 'debug', 'info'],
  ['HEALTH_DETAILS', 'token', 'token', 'public'],
  ['DATABASE_URL', 'postgres://u:p@db/f', 'postgres://u:p@db/f', null],
  ['DATA_DIR', '~/data', `${home}/data`, '/srv/forgehand'],
  ['WORKSPACES_ROOT', '/srv/work', '/srv/work', `${home}/workspaces`],
  ['WORKSPACE_GRACE_HOURS', '0', 0, 24],
  ['RETENTION_DAYS', '7', 7, 30],
  ['TRIGGER', 'mention, label,assign', ['mention', 'label', 'assign'], ['opened']],
  ['SYSTEM_PROMPT_FILE', '/etc/hostname', '/etc/hostname', null],
  ['PR_FEEDBACK', 'false', false, true],
  ['PR_READY', 'auto', 'auto', 'never'],
  ['SESSION_IDLE_MINUTES', '5', 5, 30],
  ['WATCHDOG_MINUTES', '0.5', 0.5, 20],
  ['MAX_SESSIONS', '8', 8, 4],
  ['MAX_SESSIONS_PER_REPOSITORY', '3', 3, 2],
  ['MAX_TURNS', '50', 50, null],
  ['SESSION_MINUTES', '60', 60, 120],
  ['MAX_BUDGET_USD_PER_REPOSITORY_DAY', '10.5', 10.5, null],
  ['MAX_BUDGET_USD_PER_DAY', '100', 100, null],
  [
    'OIDC_ISSUER',
    'https://issuer.example',
    'https://issuer.example',
    'https://token.actions.githubusercontent.com',
  ],
  ['PROGRESS_REPOSITORIES_ALLOWED', 'octo-org/*, octocat/hello', ['octo-org/*', 'octocat/hello'], []],
  ['PROGRESS_AUDIENCE', 'me', 'me', null],
  ['PROGRESS_FORWARD_URL', 'https://in.example/x', 'https://in.example/x', null],
  ['PROGRESS_FORWARD_SECRET', 'sign', 'sign', null],
];

test.each(ofTheServer)('%s', (variable, value, read, preset) => {
  const name = camelCase(variable.toLowerCase()) as keyof ReturnType<typeof readConfiguration>['server'];
  const of = (environment: Record<string, string>) => {
    const found = readConfiguration(environment).server[name];
    return found instanceof Secret ? found.reveal() : found;
  };
  expect(of({ ...least, [variable]: value })).toEqual(read);
  expect(of(least)).toEqual(preset);
  expect(of({ ...least, [variable]: variable === 'DATA_DIR' ? least.DATA_DIR : '' })).toEqual(preset);
});

test('each variable of the server has its row above', () => {
  expect(ofTheServer.map(([name]) => name).sort()).toEqual(
    Object.keys(serverSettings).map(variableOf).sort(),
  );
});

/** Secrets of the table and of the documents, each also from a file. */
test('each secret can be in a file', () => {
  expect(secretVariables).toEqual(
    expect.arrayContaining([
      'GITHUB_TOKEN',
      'GITHUB_APP_PRIVATE_KEY',
      'GITHUB_WEBHOOK_SECRET',
      'ANTHROPIC_API_KEY',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'OPERATOR_TOKEN',
      'CLOUDFLARE_TUNNEL_TOKEN',
      'PROGRESS_FORWARD_SECRET',
      'SSH_SIGNING_KEY',
      'DATABASE_URL',
      'ANTHROPIC_AUTH_TOKEN',
    ]),
  );
});

test('.env.example says each variable once, and as it stands it asks for the two credentials only', () => {
  const text = readFileSync('.env.example', 'utf8');
  const names = [...text.matchAll(/^#? ?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name!);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  expect(twice.sort()).toEqual(['ANTHROPIC_API_KEY', 'GITHUB_TOKEN']);
  const missing = Object.keys(serverSettings)
    .map(variableOf)
    .filter((name) => !names.includes(name));
  expect(missing).toEqual([]);
  expect(parseEnv(text)).toEqual({ ANTHROPIC_API_KEY: '', GITHUB_TOKEN: '' });
});

/** Whoever uncomments a line without changing it has changed nothing. */
test('the defaults in .env.example are the defaults', () => {
  const text = readFileSync('.env.example', 'utf8').replace(
    /^# ?([A-Z][A-Z_]+=.*(?:\n# [^A-Z\n ][^ \n]*"?$)*)/gm,
    (_, value: string) => value.replaceAll('\n# ', '\n'),
  );
  const uncommented = parseEnv(text);
  expect(Object.keys(uncommented).length).toBeGreaterThan(60);
  const given = { ...uncommented, ...least };
  const { server, engine, host } = readConfiguration(given);
  expect({ server, engine, host }).toEqual(pick(readConfiguration(least)));
  expect(uncommented.PROTECTED_PATHS).toBe(settings.protected_paths.preset);
});

function pick({ server, engine, host }: Configuration) {
  return { server, engine, host };
}
