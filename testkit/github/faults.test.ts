/** Faults strike where and as often as they are told to. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from './main.ts';
import { restClient } from './test-client.ts';

let github: LocalGitHub;
let send: ReturnType<typeof restClient>;

beforeAll(async () => {
  github = await startGitHub();
  await github.createRepository({ owner: 'o', name: 'r' });
  github.createIssue('o/r', { title: 'Issue' });
  send = restClient(github, github.token({ login: 'o' }));
});
afterEach(() => {
  github.faults.clear();
  github.clearRequests();
});
afterAll(() => github.close());

const comments = '/repos/o/r/issues/1/comments';

test('one request passes, two fail, then all is well', async () => {
  github.faults.add({ path: /comments$/, skip: 1, times: 2, status: 502, body: 'Bad gateway' });
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await send('GET', comments)).status);
  expect(statuses).toEqual([200, 502, 502, 200]);
  expect(github.requests.map((request) => request.status)).toEqual(statuses);
});

test('a write that is carried out and whose answer is lost', async () => {
  const before = github.repository('o/r').issue(1).comments.length;
  github.faults.add({ method: 'POST', after: true, reset: true, times: 1 });
  await expect(send('POST', comments, { body: 'lost' })).rejects.toThrow('fetch failed');
  expect(github.repository('o/r').issue(1).comments).toHaveLength(before + 1);
});

test('an answer that is cut in half', async () => {
  github.faults.add({ path: '/api/v3/repos/o/r', cutBody: true });
  await expect(send('GET', '/repos/o/r')).rejects.toThrow();
});

test('a request that hangs until the client gives up', async () => {
  github.faults.add({ hang: true });
  await expect(fetch(`${github.apiUrl}/user`, { signal: AbortSignal.timeout(50) })).rejects.toThrow(
    'timeout',
  );
});

test('rate limits carry the headers that clients wait by', async () => {
  const resetAt = new Date(Date.now() + 5000);
  github.faults.rateLimit({ times: 1, resetAt });
  const primary = await send('GET', '/user');
  expect(primary).toMatchObject({
    status: 403,
    body: { message: expect.stringContaining('rate limit exceeded') },
  });
  expect(primary.headers.get('x-ratelimit-remaining')).toBe('0');
  expect(Number(primary.headers.get('x-ratelimit-reset')) * 1000).toBeGreaterThanOrEqual(resetAt.getTime());
  github.faults.secondaryRateLimit({ times: 1, retryAfterSeconds: 7, status: 429 });
  const secondary = await send('GET', '/user');
  expect([secondary.status, secondary.headers.get('retry-after')]).toEqual([429, '7']);
});

test('a GraphQL operation is found by its name; the log tells who asked for what', async () => {
  github.faults.add({ operation: 'Viewer', status: 500 });
  const ask = (query: string) =>
    fetch(github.graphqlUrl, {
      method: 'POST',
      headers: { authorization: `bearer ${github.token({ login: 'ann' })}` },
      body: JSON.stringify({ query }),
    });
  expect((await ask('query Other { viewer { login } }')).status).toBe(200);
  expect((await ask('query Viewer { viewer { login } }')).status).toBe(500);
  expect(github.requests[0]).toMatchObject({
    kind: 'graphql',
    operation: 'Other',
    authorization: 'pat',
    login: 'ann',
    status: 200,
  });
});
