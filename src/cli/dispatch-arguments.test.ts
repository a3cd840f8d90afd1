import { expect, test } from 'vitest';
import { readArguments } from './dispatch-arguments.ts';

const environment = { GITHUB_TOKEN: 'ghp_token', OPERATOR_TOKEN: 'operator' };
const read = (args: string[], given: Record<string, string> = environment) => readArguments(args, given);
const task = ['octo-org/hello', 'Say hello.'];

test('a task, and nothing else', () => {
  expect(read(task)).toMatchObject({
    repository: 'octo-org/hello',
    follow: false,
    json: false,
    server: null,
    apiUrl: 'https://api.github.com',
    dispatch: { repository: 'octo-org/hello', task: 'Say hello.', token: 'ghp_token' },
  });
});

test('what is not given is not in the dispatch, but for the correlation id, which is made', () => {
  const { dispatch, correlationId } = read(task)!;
  const given = Object.entries(dispatch!).filter(([, value]) => value !== undefined);
  expect(given.map(([name]) => name).sort()).toEqual([
    'apiUrl',
    'correlationId',
    'repository',
    'task',
    'token',
  ]);
  expect(dispatch!.correlationId).toBe(correlationId);
  expect(correlationId).toMatch(/^[0-9a-f-]{36}$/);
});

test.each<[string[], object]>([
  [['--event-type', 'night'], { eventType: 'night' }],
  [['--correlation-id', 'req-1'], { correlationId: 'req-1' }],
  [['--progress-endpoint', 'https://a.example/p'], { progressEndpoint: 'https://a.example/p' }],
  [['--base-branch', 'next', '--branch', 'greeting'], { baseBranch: 'next', branch: 'greeting' }],
  [['--issue-number', '7'], { issueNumber: 7 }],
  [['--pull-number', '8'], { pullNumber: 8 }],
  [['--create-pull-request', 'draft'], { createPullRequest: 'draft' }],
  [['--model', 'claude-opus-4-5'], { model: 'claude-opus-4-5' }],
  [['--max-turns', '30', '--max-budget-usd', '2.5'], { maxTurns: 30, maxBudgetUsd: 2.5 }],
  [['--session-id', 'abc'], { sessionId: 'abc' }],
  [['--json-schema', '{"type":"object"}'], { jsonSchema: { type: 'object' } }],
  [['--server', 'https://f.example/base/'], { progressEndpoint: 'https://f.example/base/progress' }],
])('%j', (flags, dispatch) => {
  expect(read([...task, ...flags])).toMatchObject({ dispatch });
});

test.each<[string, Record<string, string>, object]>([
  ['another name of the token', { GH_TOKEN: 'gho_token' }, { githubToken: 'gho_token' }],
  [
    'a GitHub of one’s own',
    { GITHUB_TOKEN: 'ghp_token', GITHUB_API_URL: 'https://ghe.example/api/v3/' },
    { apiUrl: 'https://ghe.example/api/v3' },
  ],
])('from the environment: %s', (_, given, wanted) => {
  expect(read(task, given)).toMatchObject(wanted);
});

const again = ['octo-org/hello', '--follow', '--correlation-id', 'req-1'];

test.each<[string, string[], Record<string, string>]>([
  ['by its run', again, { GITHUB_TOKEN: 'ghp_token' }],
  ['through a server', [...again, '--server', 'http://localhost:3000'], { OPERATOR_TOKEN: 'operator' }],
])('a task that was started is looked at %s, with one token', (_, args, given) => {
  expect(read(args, given)).toMatchObject({ dispatch: null, follow: true, correlationId: 'req-1' });
});

test.each<[string, string[], RegExp, Record<string, string>?]>([
  ['nothing', [], /No repository/],
  ['no owner', ['hello', 'Say hello.'], /not `owner\/repo`/],
  ['a repository that leads elsewhere', ['octo-org/..', 'Say hello.'], /not `owner\/repo`/],
  ['a task without quotes', ['octo-org/hello', 'Say', 'hello.'], /more than one argument/],
  ['no task', ['octo-org/hello', '--follow'], /No task/],
  ['no task, and nothing to look at', ['octo-org/hello', '--correlation-id', 'req-1'], /No task/],
  ['a flag that is none', [...task, '--fast'], /--fast/],
  ['a number that is none', [...task, '--max-turns', 'many'], /`--max-turns` is not a number/],
  ['a schema that is none', [...task, '--json-schema', '{'], /`--json-schema` is not JSON/],
  ['a server that is none', [...task, '--server', 'forgehand.example'], /`--server` is not/],
  ['a server with a password', [...task, '--server', 'https://a:b@c.example'], /`--server` is not/],
  [
    'two endpoints',
    [...task, '--server', 'https://a.example', '--progress-endpoint', 'https://b.example'],
    /Both/,
  ],
  ['no token', task, /GITHUB_TOKEN/, {}],
  ['a token with a line break', task, /GITHUB_TOKEN/, { GITHUB_TOKEN: 'ghp_token\nmore' }],
  [
    'no operator',
    [...task, '--follow', '--server', 'https://a.example'],
    /OPERATOR_TOKEN/,
    { GITHUB_TOKEN: 'g' },
  ],
])('refused: %s', (_, args, words, given = environment) => {
  expect(() => read(args, given)).toThrow(
    expect.objectContaining({ reason: 'invalid_input', message: expect.stringMatching(words) }),
  );
});

test('help is no task', () => {
  expect(read(['--help'], {})).toBeNull();
});
