import { afterAll, expect, test } from 'vitest';
import type { Fault } from '../../testkit/github/faults.ts';
import { startGitHub } from '../../testkit/github/main.ts';
import { defaultPolicy } from '../github/retry.ts';
import type { AppError } from '../words/errors.ts';
import { type DispatchOptions, dispatchTask } from './dispatch-task.ts';
import { RefusedError } from './refusal.ts';

const quick = { ...defaultPolicy, firstDelayMs: 1, timeoutMs: 10_000 };
const github = await startGitHub();
afterAll(() => github.close());
await github.createRepository({ owner: 'octo-org', name: 'hello', files: { 'README.md': '# Hello\n' } });
const token = github.token({ login: 'octo-org' });

const start = (options: Partial<DispatchOptions> = {}) =>
  dispatchTask(
    { repository: 'octo-org/hello', task: 'Say hello.', token, apiUrl: github.apiUrl, ...options },
    quick,
  );
const failure = (started: Promise<unknown>) =>
  started.then(
    () => null,
    (error: AppError) => error,
  );

test('a task is one dispatch, with the names of the wire and a correlation id of its own', async () => {
  const { correlationId } = await start();
  expect(github.dispatches.at(-1)).toMatchObject({
    eventType: 'claude-task',
    clientPayload: { description: 'Say hello.', correlation_id: correlationId },
  });
  expect(correlationId).toMatch(/^[0-9a-f-]{36}$/);
});

test('everything that a payload may hold has its place in it', async () => {
  await start({
    eventType: 'night-shift',
    correlationId: 'req-1',
    progressEndpoint: 'https://api.example.com/progress',
    baseBranch: 'main',
    branch: 'greeting',
    issueNumber: 7,
    createPullRequest: 'draft',
    model: 'claude-opus-4-5',
    maxTurns: 30,
    maxBudgetUsd: 2.5,
  });
  expect(github.dispatches.at(-1)).toMatchObject({ eventType: 'night-shift' });
  expect(github.dispatches.at(-1)?.clientPayload).toEqual({
    description: 'Say hello.',
    correlation_id: 'req-1',
    progress_endpoint: 'https://api.example.com/progress',
    base_branch: 'main',
    branch: 'greeting',
    issue_number: 7,
    create_pull_request: 'draft',
    model: 'claude-opus-4-5',
    max_turns: 30,
    max_budget_usd: 2.5,
  });
  const session = '3f0c6f0e-9f43-4c2f-9d0e-2a6a4f5f2f10';
  await start({ pullNumber: 3, sessionId: session, jsonSchema: { type: 'object' }, correlationId: 'req-2' });
  expect(github.dispatches.at(-1)?.clientPayload).toEqual({
    description: 'Say hello.',
    correlation_id: 'req-2',
    pull_number: 3,
    session_id: session,
    json_schema: { type: 'object' },
  });
  expect(github.violations).toEqual([]);
});

const everything: Partial<DispatchOptions> = {
  progressEndpoint: 'https://api.example.com/progress',
  baseBranch: 'main',
  branch: 'greeting',
  issueNumber: 7,
  createPullRequest: 'draft',
  model: 'claude-opus-4-5',
  maxTurns: 30,
  maxBudgetUsd: 2.5,
  jsonSchema: {},
};

test.each<[string, Partial<DispatchOptions>, RegExp]>([
  ['no task', { task: ' ' }, /description.*must not be empty/],
  ['a repository without owner', { repository: 'hello' }, /`repository` must be `owner\/repo`/],
  ['a repository that leads elsewhere', { repository: 'octo-org/..' }, /`repository` must be/],
  ['no token', { token: '' }, /`token` is empty/],
  ['a token with a line break', { token: 'ghp_secret\n' }, /`token` is empty, or is no token/],
  ['no event type', { eventType: '' }, /`eventType` must have/],
  ['an API that is no address', { apiUrl: 'api.github.com' }, /`apiUrl` is not an address/],
  ['an endpoint that is no address', { progressEndpoint: '/progress' }, /progress_endpoint.*not an address/],
  ['a correlation id with blanks', { correlationId: 'a b' }, /correlation_id.*without spaces/],
  ['an issue and a pull request', { issueNumber: 1, pullNumber: 2 }, /names both/],
  ['turns that are none', { maxTurns: 0 }, /max_turns.*at least 1/],
  ['more members than GitHub takes', everything, /would have 11 members, and GitHub takes 10: description/],
  [
    'more bytes than GitHub takes',
    { task: '€'.repeat(22_000) },
    /would have 66\d{3} bytes, and GitHub takes 65535/,
  ],
])('not sent: %s', async (_, options, words) => {
  const before = github.requests.length;
  const refused = await failure(start(options));
  expect(refused).toMatchObject({ reason: 'invalid_input', message: expect.stringMatching(words) });
  expect(refused!.remedy).not.toBe('');
  expect(JSON.stringify([refused!.message, refused!.remedy])).not.toContain('ghp_secret');
  expect(github.requests.length).toBe(before);
});

test.each<[string, () => Partial<DispatchOptions>, number]>([
  ['a token that is none', () => ({ token: 'ghp_wrong' }), 401],
  ['a token that may only read', () => ({ token: github.token({ login: 'passer-by' }) }), 403],
  ['a repository that is not there', () => ({ repository: 'octo-org/gone' }), 404],
])('GitHub refuses %s, and is asked once', async (_, options, status) => {
  const before = github.requests.length;
  const refused = await failure(start(options()));
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ status, reason: 'github_auth' });
  expect(github.requests.length).toBe(before + 1);
});

const dispatches = /\/dispatches$/;

test.each<[string, Fault, number]>([
  ['GitHub breaks down for a moment', { status: 502, times: 2 }, 3],
  ['GitHub wants fewer requests', { status: 403, headers: { 'retry-after': '0' }, times: 1 }, 2],
])('sent again until it is taken: %s', async (_, fault, times) => {
  using story = trouble(fault);
  await start();
  expect(story).toMatchObject({ asked: times, started: 1 });
});

test('a GitHub that stays broken is left alone after four times', async () => {
  using story = trouble({ status: 503 });
  expect(await failure(start())).toMatchObject({ reason: 'github_unavailable', status: 503 });
  expect(story).toMatchObject({ asked: 4, started: 0 });
});

test('an answer that was lost is not asked for again: the task may have been started', async () => {
  using story = trouble({ reset: true, after: true });
  expect(await failure(start({ correlationId: 'req-1' }))).toMatchObject({
    reason: 'github_unavailable',
    message: expect.stringContaining('may have been started all the same, as `req-1`'),
  });
  expect(story).toMatchObject({ asked: 1, started: 1 });
});

test('a token is not carried along when the repository has moved', async () => {
  const elsewhere = `${github.serverUrl}/elsewhere`;
  using story = trouble({ status: 307, headers: { location: elsewhere } });
  expect(await failure(start())).toMatchObject({ status: 307, message: 'octo-org/hello has moved.' });
  expect(story).toMatchObject({ asked: 1, started: 0 });
});

/** Something is wrong with GitHub meanwhile: how often it was asked, and what was started all the same. */
function trouble(fault: Fault) {
  const remove = github.faults.add({ path: dispatches, ...fault });
  const [asked, started] = [github.requests.length, github.dispatches.length];
  return {
    get asked() {
      return github.requests.length - asked;
    },
    get started() {
      return github.dispatches.length - started;
    },
    [Symbol.dispose]: remove,
  };
}

test('a GitHub that is not there has started nothing', async () => {
  const gone = await startGitHub();
  await gone.close();
  const problem = await failure(start({ apiUrl: gone.apiUrl }));
  expect(problem).toMatchObject({ reason: 'github_unavailable' });
  expect(problem!.message).not.toContain('may have been started');
});
