import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { inputVariable, readJob, readPayload, secretsOf } from './job.ts';

/** As the runner sets it for a step of a job with `id-token: write`. */
const environment = {
  GITHUB_SERVER_URL: 'https://ghe.example',
  GITHUB_API_URL: 'https://ghe.example/api/v3',
  GITHUB_GRAPHQL_URL: 'https://ghe.example/api/graphql',
  GITHUB_REPOSITORY: 'octo-org/hello',
  GITHUB_EVENT_NAME: 'issue_comment',
  GITHUB_ACTOR: 'octocat',
  GITHUB_WORKSPACE: '/runner/hello/hello',
  GITHUB_WORKFLOW: 'Claude',
  GITHUB_JOB: 'claude',
  GITHUB_RUN_ID: '42',
  GITHUB_RUN_ATTEMPT: '2',
  RUNNER_TEMP: '/runner/_temp',
  RUNNER_TOOL_CACHE: '/opt/hostedtoolcache',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://issuer.example/token?v=2',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
};

test('the facts of a job', () => {
  expect(readJob(environment)).toMatchObject({
    problems: [],
    warnings: [],
    host: {
      serverUrl: 'https://ghe.example',
      apiUrl: 'https://ghe.example/api/v3',
      graphqlUrl: 'https://ghe.example/api/graphql',
    },
    oidc: { url: 'https://issuer.example/token?v=2', requestToken: 'request-token' },
    eventName: 'issue_comment',
    repository: 'octo-org/hello',
    actor: 'octocat',
    directory: '/runner/hello/hello',
    temp: '/runner/_temp',
    toolCache: '/opt/hostedtoolcache',
    run: { workflow: 'Claude', job: 'claude', id: '42', attempt: '2' },
    jobUrl: 'https://ghe.example/octo-org/hello/actions/runs/42',
    debug: false,
  });
});

test('what is not set is what github.com would say, or absent', () => {
  expect(readJob({ GITHUB_RUN_ATTEMPT: '' })).toMatchObject({
    host: {
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
      graphqlUrl: 'https://api.github.com/graphql',
    },
    oidc: null,
    directory: process.cwd(),
    toolCache: null,
    run: { attempt: '1' },
    jobUrl: null,
  });
});

test.each([
  ['a job without `id-token: write`', { ACTIONS_ID_TOKEN_REQUEST_URL: undefined }],
  ['half of it', { ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }],
])('%s has no OIDC token', (_, change) => {
  expect(readJob({ ...environment, ...change }).oidc).toBeNull();
});

test.each([
  ['1', true],
  ['0', false],
  [undefined, false],
])('RUNNER_DEBUG=%s', (value, debug) => {
  expect(readJob({ RUNNER_DEBUG: value }).debug).toBe(debug);
});

describe('inputs', () => {
  test('are read by the names that the runner gives them; empty ones are their defaults', () => {
    const { config } = readJob({
      INPUT_TRIGGER_PHRASE: '@forge',
      INPUT_USE_BEDROCK: 'true',
      INPUT_LABEL_TRIGGER: '',
      TRIGGER_PHRASE: '@other',
    });
    expect(config).toMatchObject({ triggerPhrase: '@forge', useBedrock: true, labelTrigger: 'claude' });
    expect(inputVariable('trigger_phrase')).toBe('INPUT_TRIGGER_PHRASE');
  });

  test('that do not fit are told, and replaced by their defaults', () => {
    const { config, problems } = readJob({ INPUT_SANDBOX: 'maybe', INPUT_MAX_CHANGED_FILES: '-1' });
    expect(config).toMatchObject({ sandbox: 'auto', maxChangedFiles: 300 });
    expect(problems).toEqual([
      { name: 'max_changed_files', message: 'must be a number of files above 0' },
      { name: 'sandbox', message: 'must be one of `auto`, `required`, `off`' },
    ]);
  });

  test.each<[string, string, string[]]>([
    ['plugins', 'reviewer\n@octo/greeter@octo-tools\ncode.review_2@tools', []],
    ['plugins', '../reviewer', ['line 1']],
    ['plugins', 'reviewer\n--scope', ['line 2']],
    ['plugins', 'a b\nreviewer;ls\na/../../b', ['line 1', 'line 2', 'line 3']],
    ['plugins', 'ﬁne', ['line 1']],
    ['plugins', 'x'.repeat(513), ['line 1']],
    [
      'plugin_marketplaces',
      'https://github.com/octo-org/tools.git\n./tools\n../tools\n/srv/tools\nC:\\tools',
      [],
    ],
    ['plugin_marketplaces', 'http://github.com/octo-org/tools.git', ['line 1']],
    ['plugin_marketplaces', 'octo-org/tools\nhttps://github.com/octo-org/tools', ['line 1', 'line 2']],
    ['plugin_marketplaces', 'git@github.com:octo-org/tools.git\nfile:///srv/tools.git', ['line 1', 'line 2']],
    ['plugin_marketplaces', './tools\n\n./a\u0007b', ['line 2']],
    ['plugin_marketplaces', 'https://monalisa:secret@github.com/octo-org/tools.git', ['line 1']],
  ])('%s: %j', (name, value, said) => {
    const { problems } = readJob({ [inputVariable(name)]: value });
    expect(problems.flatMap(({ message }) => message.match(/line \d+/g))).toEqual(said);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  test.each([
    ['mode', 'Input `mode` has no effect any more: the mode is found from the event.'],
    ['direct_prompt', 'Input `direct_prompt` has no effect any more: use `prompt`.'],
    ['max_turns', 'Input `max_turns` has no effect any more: use `claude_args: --max-turns`.'],
    ['mcp_config', 'Input `mcp_config` has no effect any more: use `claude_args: --mcp-config`.'],
    ['triger_phrase', 'Input `triger_phrase` is unknown and has no effect.'],
    ['constructor', 'Input `constructor` is unknown and has no effect.'],
  ])('%s: one sentence', (name, warning) => {
    expect(readJob({ [inputVariable(name)]: 'x', INPUT_PROMPT: 'x' }).warnings).toEqual([warning]);
  });

  test("that are empty are nobody's mistake: the runner sets those without a value, too", () => {
    expect(readJob({ INPUT_MODE: '', INPUT_WHATEVER: '' }).warnings).toEqual([]);
  });

  test.each<[string, Record<string, string>, unknown]>([
    [
      'there',
      { ACTIONS_RESULTS_URL: 'https://results.example/', ACTIONS_RUNTIME_TOKEN: 'runtime-1' },
      { url: 'https://results.example/', token: 'runtime-1' },
    ],
    ['without a token', { ACTIONS_RESULTS_URL: 'https://results.example/' }, null],
    ['of the first version only', { ACTIONS_CACHE_URL: 'https://cache.example/' }, null],
  ])('the cache of the runner: %s', (_, variables, cache) => {
    const job = readJob(variables);
    expect(job.cache).toEqual(cache);
    expect(secretsOf(job)).toEqual(cache ? ['runtime-1'] : []);
  });

  test('secrets are known by what they are, the key to the job’s identity among them', () => {
    const given = {
      INPUT_GITHUB_TOKEN: 'ghs_1',
      INPUT_APP_PRIVATE_KEY: 'pem-2',
      INPUT_ANTHROPIC_API_KEY: 'sk-3',
      INPUT_CLAUDE_CODE_OAUTH_TOKEN: 'oat-4',
      INPUT_SSH_SIGNING_KEY: 'ssh-5',
    };
    expect(secretsOf(readJob({ ...environment, ...given }))).toEqual([
      ...Object.values(given),
      environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN,
    ]);
    expect(secretsOf(readJob({}))).toEqual([]);
  });

  test('secrets do not come out by printing', () => {
    const { config } = readJob({
      INPUT_ANTHROPIC_API_KEY: 'sk-ant-secret',
      INPUT_GITHUB_TOKEN: 'ghs_secret',
    });
    expect(JSON.stringify(config)).not.toMatch(/sk-ant-secret|ghs_secret/);
    expect(config.anthropicApiKey!.reveal()).toBe('sk-ant-secret');
  });
});

describe('the event file', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'forgehand-job-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const read = (content: string | Buffer) => {
    const path = join(root, 'event.json');
    writeFileSync(path, content);
    return readPayload({ GITHUB_EVENT_PATH: path });
  };
  const refusal = (act: () => unknown): AppError => {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      return error as AppError;
    }
    return expect.unreachable('it was expected to be refused');
  };

  test('is the webhook payload', () => {
    expect(read('{"action":"created","comment":{"body":"@claude 🚀"}}')).toEqual({
      action: 'created',
      comment: { body: '@claude 🚀' },
    });
  });

  test.each<[string, () => unknown, RegExp]>([
    ['not named', () => readPayload({}), /GITHUB_EVENT_PATH is not set/],
    ['missing', () => readPayload({ GITHUB_EVENT_PATH: join(root, 'no.json') }), /cannot be read: ENOENT/],
    ['a folder', () => readPayload({ GITHUB_EVENT_PATH: root }), /cannot be read: EISDIR/],
    ['empty', () => read(''), /is not JSON: Unexpected end of JSON input/],
    ['cut off', () => read('{"action":"created","comm'), /is not JSON: /],
    [
      'binary',
      () => read(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff])),
      /is not JSON: /,
    ],
  ])('%s: said in printable words, with what to do', (_, act, message) => {
    const error = refusal(act);
    expect(error).toMatchObject({
      reason: 'invalid_input',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('GITHUB_EVENT_PATH'),
    });
    expect(error.message).toMatch(/^[ -~]+$/);
  });
});
