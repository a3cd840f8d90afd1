import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { loadForSessions, readConfiguration, readPlace, saveForSessions } from './configuration.ts';

const least = { GITHUB_TOKEN: 'ghp_one', ANTHROPIC_API_KEY: 'sk-one', HOME: '/home/octocat' };
const isRoot = process.getuid?.() === 0;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fh-configuration-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

/** The lines of the refusal. */
function problems(
  environment: Record<string, string>,
  given: Parameters<typeof readConfiguration>[1] = {},
): string[] {
  try {
    readConfiguration(environment, given);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ reason: 'invalid_input' });
    return (error as Error).message.split('\n- ').slice(1);
  }
  return [];
}

describe('two credentials are all that is needed', () => {
  test('with the defaults of a server', () => {
    const { server, engine, host } = readConfiguration(least);
    expect(server).toMatchObject({
      dataDir: isRoot ? '/var/lib/forgehand' : '/home/octocat/.forgehand',
      webhookPort: 8080,
      databaseUrl: null,
      healthDetails: 'public',
    });
    expect(engine).toMatchObject({
      branchNameTemplate: '{{entityType}}-{{entityNumber}}',
      createPullRequest: 'draft',
      sandbox: 'auto',
      triggerPhrase: '@claude',
    });
    expect(host).toEqual({
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
      graphqlUrl: 'https://api.github.com/graphql',
    });
  });

  test.each<[string, Record<string, string>]>([
    ['an App', { GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY: 'pem', ANTHROPIC_API_KEY: 'sk' }],
    ['an App by the names of the inputs', { APP_ID: '1', APP_PRIVATE_KEY: 'pem', ANTHROPIC_API_KEY: 'sk' }],
    ['an OAuth token', { GITHUB_TOKEN: 'ghp', CLAUDE_CODE_OAUTH_TOKEN: 'oauth' }],
    ['Bedrock', { GITHUB_TOKEN: 'ghp', USE_BEDROCK: 'true' }],
    ['Vertex, as Claude Code calls it', { GITHUB_TOKEN: 'ghp', CLAUDE_CODE_USE_VERTEX: '1' }],
    [
      'a gateway',
      { GITHUB_TOKEN: 'ghp', ANTHROPIC_AUTH_TOKEN: 'bearer', ANTHROPIC_BASE_URL: 'https://g.example' },
    ],
  ])('%s', (_, environment) => {
    expect(problems(environment)).toEqual([]);
  });

  test('a door alone needs none for Claude', () => {
    expect(problems({ GITHUB_TOKEN: 'ghp' }, { role: 'web' })).toEqual([]);
  });
});

describe('what is wrong stops the start, all of it at once, by name', () => {
  test.each<[string, Record<string, string>, RegExp[]]>([
    ['nothing is set', {}, [/GITHUB_TOKEN.*GITHUB_APP_ID/, /ANTHROPIC_API_KEY.*CLAUDE_CODE_OAUTH_TOKEN/]],
    [
      'blank credentials',
      { GITHUB_TOKEN: ' ', ANTHROPIC_API_KEY: '' },
      [/GITHUB_TOKEN/, /ANTHROPIC_API_KEY/],
    ],
    [
      'an App without key',
      { GITHUB_APP_ID: '1', ANTHROPIC_API_KEY: 'sk' },
      [/^GITHUB_APP_PRIVATE_KEY is missing/],
    ],
    [
      'a key without App',
      { GITHUB_APP_PRIVATE_KEY: 'x', ANTHROPIC_API_KEY: 'sk' },
      [/^GITHUB_APP_ID is missing/],
    ],
    [
      'token and App',
      { ...least, GITHUB_APP_ID: '1' },
      [/^GITHUB_TOKEN and GITHUB_APP_ID exclude each other/],
    ],
    ['two providers', { ...least, USE_BEDROCK: 'true', USE_VERTEX: 'true' }, [/USE_BEDROCK and USE_VERTEX/]],
    [
      'several values',
      { ...least, WEBHOOK_PORT: 'http', MAX_SESSIONS: '0', TRIGGER: 'opened,sometimes', SANDBOX: 'maybe' },
      [
        /^SANDBOX must be one of/,
        /^WEBHOOK_PORT must be a port/,
        /^TRIGGER must be a comma list/,
        /^MAX_SESSIONS must be/,
      ],
    ],
    ['a port that is none', { ...least, WEBHOOK_PORT: '70000' }, [/^WEBHOOK_PORT/]],
    ['half a session', { ...least, MAX_SESSIONS: '1.5' }, [/^MAX_SESSIONS/]],
    ['another database', { ...least, DATABASE_URL: 'mysql://db/f' }, [/^DATABASE_URL must begin with/]],
    ['no address', { ...least, PUBLIC_URL: 'forge.example' }, [/^PUBLIC_URL must be/]],
    [
      'a budget of nothing',
      { ...least, MAX_BUDGET_USD: '0', MAX_TURNS: '-1' },
      [/^MAX_BUDGET_USD/, /^MAX_TURNS/],
    ],
    ['yes for true', { ...least, PR_FEEDBACK: 'yes' }, [/^PR_FEEDBACK must be `true` or `false`/]],
    [
      'a prompt that is not there',
      { ...least, SYSTEM_PROMPT_FILE: '/nowhere/x.md' },
      [/^SYSTEM_PROMPT_FILE.*cannot be read/],
    ],
  ])('%s', (_, environment, lines) => {
    const found = problems(environment);
    expect(found).toHaveLength(lines.length);
    for (const line of lines)
      expect(
        found.some((one) => line.test(one)),
        `${line} in ${found}`,
      ).toBe(true);
  });

  test('and quotes no secret', () => {
    const [line] = problems({ ...least, DATABASE_URL: 'mysql://me:pass-word@db/f' });
    expect(line).not.toContain('pass-word');
  });
});

describe('secrets in files', () => {
  test('are read, without the line break at their end', () => {
    const { engine, server } = readConfiguration({
      GITHUB_TOKEN_FILE: file('token', 'ghp_two\n'),
      ANTHROPIC_API_KEY_FILE: file('key', 'sk-two\r\n'),
      DATABASE_URL_FILE: file('database', 'postgres://u:p@db/f\n'),
    });
    expect(engine.githubToken?.reveal()).toBe('ghp_two');
    expect(engine.anthropicApiKey?.reveal()).toBe('sk-two');
    expect(server.databaseUrl).toBe('postgres://u:p@db/f');
  });

  test("a provider's too, for Claude", () => {
    const { environment } = readConfiguration({
      ...least,
      AWS_SECRET_ACCESS_KEY_FILE: file('aws', 'aws-secret'),
    });
    expect(environment.AWS_SECRET_ACCESS_KEY).toBe('aws-secret');
  });

  test('below the home directory', () => {
    file('token', 'ghp_home');
    const { engine } = readConfiguration({
      ANTHROPIC_API_KEY: 'sk',
      HOME: directory,
      GITHUB_TOKEN_FILE: '~/token',
    });
    expect(engine.githubToken?.reveal()).toBe('ghp_home');
  });

  test.each<[string, () => Record<string, string>, RegExp]>([
    [
      'missing',
      () => ({ GITHUB_TOKEN_FILE: '/nowhere/token' }),
      /^GITHUB_TOKEN_FILE: the file cannot be read/,
    ],
    ['empty', () => ({ GITHUB_TOKEN_FILE: file('token', '\n') }), /^GITHUB_TOKEN_FILE: .* is empty/],
    [
      'a directory',
      () => ({ GITHUB_APP_ID: '1', GITHUB_APP_PRIVATE_KEY_FILE: directory }),
      /^GITHUB_APP_PRIVATE_KEY_FILE: /,
    ],
    [
      'beside the value',
      () => ({ GITHUB_TOKEN: 'ghp', GITHUB_TOKEN_FILE: file('token', 'x') }),
      /^GITHUB_TOKEN and GITHUB_TOKEN_FILE are both set/,
    ],
  ])('one that is %s', (_, environment, line) => {
    expect(problems({ ANTHROPIC_API_KEY: 'sk', ...environment() })).toEqual([expect.stringMatching(line)]);
  });

  test('a private key in one line gets its lines back', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----\\n';
    const { engine } = readConfiguration({
      ANTHROPIC_API_KEY: 'sk',
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: key,
    });
    expect(engine.appPrivateKey?.reveal().split('\n')).toHaveLength(3);
  });
});

describe('.env', () => {
  test('is read, below the real environment', () => {
    file('.env', 'GITHUB_TOKEN="ghp_env"\nANTHROPIC_API_KEY=sk-env # mine\nMAX_SESSIONS=9\n');
    const { engine, server } = readConfiguration({ MAX_SESSIONS: '5', GITHUB_TOKEN: '' }, { directory });
    expect(engine.githubToken?.reveal()).toBe('ghp_env');
    expect(engine.anthropicApiKey?.reveal()).toBe('sk-env');
    expect(server.maxSessions).toBe(5);
  });

  test('need not be there', () => {
    expect(problems(least, { directory })).toEqual([]);
  });

  test('that cannot be read is said', () => {
    mkdirSync(join(directory, '.env'));
    expect(() => readConfiguration(least, { directory })).toThrow(/\.env cannot be read/);
  });
});

describe('defaults that depend on others', () => {
  test.each<[string, Record<string, string>, object]>([
    [
      'a public address hides details',
      { PUBLIC_URL: 'https://f.example/x/' },
      { publicUrl: 'https://f.example/x', healthDetails: 'token' },
    ],
    ['so does a tunnel', { CLOUDFLARE_TUNNEL_TOKEN: 'tunnel' }, { healthDetails: 'token' }],
    [
      'unless told',
      { PUBLIC_URL: 'https://f.example', HEALTH_DETAILS: 'public' },
      { healthDetails: 'public' },
    ],
    [
      'the audience is the origin',
      { PUBLIC_URL: 'https://f.example/x' },
      { progressAudience: 'https://f.example' },
    ],
    [
      "GitHub Enterprise Server's addresses",
      { GITHUB_SERVER_URL: 'https://ghe.example' },
      { githubApiUrl: 'https://ghe.example/api/v3', githubGraphqlUrl: 'https://ghe.example/api/graphql' },
    ],
    [
      'an address of another API',
      { GITHUB_API_URL: 'http://localhost:1/' },
      { githubGraphqlUrl: 'http://localhost:1/graphql' },
    ],
  ])('%s', (_, environment, server) => {
    expect(readConfiguration({ ...least, ...environment }).server).toMatchObject(server);
  });

  test('a branch prefix is part of the branch', () => {
    expect(readConfiguration({ ...least, BRANCH_PREFIX: 'bot/' }).engine).toMatchObject({
      branchPrefix: 'bot/',
      branchNameTemplate: '{{prefix}}{{entityType}}-{{entityNumber}}',
    });
  });

  test('a system prompt in DATA_DIR is found', () => {
    const path = file('system-prompt.md', 'Be brief.');
    expect(readConfiguration({ ...least, DATA_DIR: directory }).server.systemPromptFile).toBe(path);
  });
});

describe("what Claude's job may see", () => {
  const environment = {
    ...least,
    PATH: '/usr/bin',
    LC_ALL: 'C.UTF-8',
    HTTPS_PROXY: 'http://proxy:1',
    ANTHROPIC_BASE_URL: 'https://g.example',
    AWS_REGION: 'eu-west-1',
    GITHUB_WEBHOOK_SECRET: 'shh',
    OPERATOR_TOKEN: 'op',
    DATABASE_URL: 'postgres://u:p@db/f',
    SSH_AUTH_SOCK: '/tmp/agent',
    GITHUB_REPOSITORY: 'octo-org/host',
    RANDOM: 'x',
  };

  test('the machine, the way out and the model; nothing of GitHub, of the server, or unknown', () => {
    expect(Object.keys(readConfiguration(environment).environment).sort()).toEqual([
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_BASE_URL',
      'AWS_REGION',
      'HOME',
      'HTTPS_PROXY',
      'LC_ALL',
      'PATH',
    ]);
  });

  test('a configuration can be printed without a secret', () => {
    const shown =
      inspect(readConfiguration({ ...environment, DATABASE_URL: '' }).raw) +
      JSON.stringify(readConfiguration(environment).raw);
    expect(shown).not.toMatch(/ghp_one|sk-one|shh/);
  });

  test('sessions get theirs through a private file, without the secrets of the doors', () => {
    chmodSync(directory, 0o700);
    const whole = readConfiguration({ ...environment, DATA_DIR: directory, MAX_TURNS: '7' });
    const path = saveForSessions(whole);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const session = loadForSessions(path);
    expect(session.engine).toEqual(whole.engine);
    expect(session.environment).toEqual(whole.environment);
    expect(session.server).toEqual({ ...whole.server, githubWebhookSecret: null, operatorToken: null });
  });
});

test('stopping needs no credential', () => {
  expect(readPlace({ DATA_DIR: '/srv/f' }, directory)).toEqual({ dataDir: '/srv/f', databaseUrl: null });
});
