import { describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { createClient, GraphqlRefusal, statusOf } from './client.ts';
import { type Answer, startServer } from './local-server.test-support.ts';
import { defaultPolicy } from './retry.ts';

const quick = { ...defaultPolicy, firstDelayMs: 1, timeoutMs: 10_000 };
const ok: Answer = { body: { login: 'octocat' } };
const json = (status: number, message: string, headers = {}): Answer => ({
  status,
  body: { message },
  headers,
});

/** A client of a server that answers `script`; what came of one request, and what the server was asked. */
async function ask(script: Answer[], sending: 'repeatable' | 'once' = 'repeatable', policy = quick) {
  await using server = await startServer(script);
  const client = createClient(server.host, async () => 'ghs_token', policy);
  const outcome = await client
    .rest<unknown>('GET /users/{username}', { username: 'octocat' }, sending)
    .catch((error: unknown) => error);
  return { outcome, asked: server.asked };
}

test('a request names us, carries the token and answers the data', async () => {
  const { outcome, asked } = await ask([ok]);
  expect(outcome).toEqual({ login: 'octocat' });
  expect(asked).toMatchObject([
    {
      method: 'GET',
      path: '/users/octocat',
      headers: { authorization: 'token ghs_token', 'user-agent': expect.stringContaining('forgehand') },
    },
  ]);
});

test('what has not changed is not sent again', async () => {
  await using server = await startServer((request) =>
    request.headers['if-none-match'] === '"one"'
      ? { status: 304 }
      : { body: ['first'], headers: { etag: '"one"' } },
  );
  const client = createClient(server.host, async () => 'ghs_token', quick);
  const first = await client.changed('GET /events', { per_page: 5 }, null);
  expect(first).toEqual({ data: ['first'], etag: '"one"' });
  expect(await client.changed('GET /events', { per_page: 5 }, first!.etag)).toBeNull();
  expect(server.asked.map(({ path }) => path)).toEqual(['/events?per_page=5', '/events?per_page=5']);
});

describe('what passes is waited for', () => {
  test.each<[string, Answer[]]>([
    ['server errors', [json(502, 'Bad Gateway'), json(502, 'Bad Gateway'), ok]],
    ['a cut connection', [{ trouble: 'reset' }, ok]],
    ['an answer that breaks off in its middle', [{ ...ok, trouble: 'cut' }, ok]],
    ['a secondary rate limit', [json(403, 'secondary rate limit', { 'retry-after': '0' }), ok]],
    ['a rate limit as 429', [json(429, 'slow down', { 'retry-after': '0' }), ok]],
  ])('%s', async (_, script) => {
    const { outcome, asked } = await ask(script);
    expect(outcome).toEqual({ login: 'octocat' });
    expect(asked).toHaveLength(script.length);
  });
});

describe('what does not pass is an error in words', () => {
  const times = (count: number, answer: Answer) => Array.from({ length: count }, () => answer);
  const inAnHour = String(Math.ceil(Date.now() / 1000) + 3600);
  const exhausted = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAnHour };
  test.each<[string, Answer[], { reason: string; message: RegExp; remedy?: RegExp }]>([
    [
      'server errors that stay',
      times(4, json(503, 'Unavailable')),
      {
        reason: 'github_unavailable',
        message: /^GitHub answered 503 to `GET \/users\/\{username\}`: Unavailable$/,
      },
    ],
    [
      "the edge's web page",
      times(4, { status: 502, body: '<!DOCTYPE html><html>…' }),
      { reason: 'github_unavailable', message: /: a web page instead of an answer$/ },
    ],
    [
      'connections that are cut',
      times(4, { trouble: 'reset' }),
      { reason: 'github_unavailable', message: /could not be reached for `GET .*`: .+/ },
    ],
    [
      'answers that break off',
      times(4, { ...ok, trouble: 'cut' }),
      { reason: 'github_unavailable', message: /the answer broke off/ },
    ],
    [
      'a primary rate limit that lasts longer than a run should wait',
      [json(403, 'API rate limit exceeded', exhausted)],
      { reason: 'github_unavailable', message: /403.*API rate limit exceeded/ },
    ],
    [
      'a bad credential',
      [json(401, 'Bad credentials')],
      { reason: 'github_auth', message: /401.*Bad credentials/, remedy: /credentials/ },
    ],
    [
      'a missing permission',
      [json(403, 'Resource not accessible by integration')],
      {
        reason: 'github_auth',
        message: /Resource not accessible/,
        remedy: /Give the job or the App the permission/,
      },
    ],
  ])('%s', async (_, script, { reason, message, remedy = /./ }) => {
    const { outcome, asked } = await ask(script);
    expect(outcome).toBeInstanceOf(AppError);
    expect(outcome).toMatchObject({
      reason,
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
    expect(asked).toHaveLength(script.length);
  });

  test('no answer in time', async () => {
    const { outcome, asked } = await ask(times(2, { trouble: 'hang' }), 'repeatable', {
      ...quick,
      attempts: 2,
      // Long enough for the request to arrive.
      timeoutMs: 1_000,
    });
    expect(outcome).toMatchObject({
      reason: 'github_unavailable',
      message: expect.stringMatching(/`GET .*`: no answer in time$/),
    });
    expect(asked).toHaveLength(2);
  });

  test.each([404, 422])('%i stays a status, for callers to whom it is an answer', async (status) => {
    const { outcome, asked } = await ask([json(status, 'no')]);
    expect(outcome).not.toBeInstanceOf(AppError);
    expect(statusOf(outcome)).toBe(status);
    expect(asked).toHaveLength(1);
  });
});

describe('a request that must happen at most once', () => {
  test.each<[string, Answer]>([
    ['a lost answer', { trouble: 'reset' }],
    ['half an answer', { ...ok, trouble: 'cut' }],
    ['a server error', json(502, 'Bad Gateway')],
  ])('is not sent again after %s', async (_, answer) => {
    const { outcome, asked } = await ask([answer, ok], 'once');
    expect(outcome).toMatchObject({ reason: 'github_unavailable' });
    expect(asked).toHaveLength(1);
  });

  test('is sent again after a rate limit, which proves that nothing happened', async () => {
    const { outcome, asked } = await ask([json(403, 'slow down', { 'retry-after': '0' }), ok], 'once');
    expect(outcome).toEqual({ login: 'octocat' });
    expect(asked).toHaveLength(2);
  });
});

test('each attempt asks for the token anew, so that a refreshed one is used at once', async () => {
  await using server = await startServer([json(502, 'Bad Gateway'), ok]);
  const tokens = ['ghs_first', 'ghs_second'];
  await createClient(server.host, async () => tokens.shift()!, quick).rest('GET /user');
  expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
    'token ghs_first',
    'token ghs_second',
  ]);
});

test('a credential that cannot be had is the error, not a failed request', async () => {
  await using server = await startServer([ok]);
  const refusal = new AppError('github_auth', 'The token exchange refused.');
  const client = createClient(server.host, () => Promise.reject(refusal), quick);
  await expect(client.rest('GET /user')).rejects.toBe(refusal);
  expect(server.asked).toEqual([]);
});

describe('GraphQL', () => {
  test('asks with query and variables, and answers the data', async () => {
    await using server = await startServer([{ body: { data: { viewer: { login: 'octocat' } } } }]);
    const client = createClient(server.host, async () => 't', quick);
    expect(await client.graphql('query ($n: Int) { viewer { login } }', { n: 1 })).toEqual({
      viewer: { login: 'octocat' },
    });
    expect(server.asked).toMatchObject([{ method: 'POST', path: '/graphql' }]);
    expect(JSON.parse(server.asked[0]!.body)).toEqual({
      query: 'query ($n: Int) { viewer { login } }',
      variables: { n: 1 },
    });
  });

  test.each<[string, { type?: string; message: string; extensions?: unknown }[], string]>([
    ['nothing there', [{ type: 'NOT_FOUND', message: 'Could not resolve to a Repository' }], 'invalid_input'],
    [
      'no permission',
      [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }],
      'github_auth',
    ],
    [
      'a token of too small scope',
      [{ type: 'INSUFFICIENT_SCOPES', message: 'needs read:org' }],
      'github_auth',
    ],
    ['a rate limit', [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }], 'github_unavailable'],
    [
      'a breakdown at GitHub',
      [{ message: 'Something went wrong while executing your query.' }],
      'github_unavailable',
    ],
    [
      'a query that GitHub does not take is our fault',
      [{ message: "Field 'x' doesn't exist", extensions: { code: 'undefinedField' } }],
      'internal',
    ],
    ['the telling one of several', [{ message: 'odd' }, { type: 'FORBIDDEN', message: 'no' }], 'github_auth'],
  ])('%s', async (_, errors, reason) => {
    await using server = await startServer([{ body: { data: { half: 1 }, errors } }]);
    const refusal = await createClient(server.host, async () => 't', quick)
      .graphql('{ x }')
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(GraphqlRefusal);
    expect(refusal).toMatchObject({
      reason,
      types: errors.map(({ type }) => type ?? ''),
      data: { half: 1 },
      message: `GitHub refused a query: ${errors.map(({ message }) => message).join('; ')}`,
    });
  });
});
