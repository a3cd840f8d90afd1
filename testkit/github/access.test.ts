/** Who may do what: a table of tokens against actions, over REST, git and time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from './main.ts';
import { restClient } from './test-client.ts';

let github: LocalGitHub;

beforeAll(async () => {
  github = await startGitHub();
  const collaborators = { writer: 'write', reader: 'read', triager: 'triage' } as const;
  await github.createRepository({ owner: 'o', name: 'public', collaborators });
  await github.createRepository({ owner: 'o', name: 'private', private: true, collaborators });
  for (const name of ['o/public', 'o/private'])
    github.createIssue(name, { title: 'Issue', author: 'reader' });
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const installation = (permissions: Record<string, string>, name = 'private') =>
  github.token({ login: 'claude[bot]', permissions, repositories: [`o/${name}`] });

test.each([
  ['nobody reads a public issue', () => undefined, 'GET', '/repos/o/public/issues/1', 200, null],
  ['nobody sees a private repository', () => undefined, 'GET', '/repos/o/private', 404, 'Not Found'],
  [
    'nobody comments',
    () => undefined,
    'POST',
    '/repos/o/public/issues/1/comments',
    401,
    'Requires authentication',
  ],
  ['a token that never was', () => `ghp_${'x'.repeat(36)}`, 'GET', '/repos/o/public', 401, 'Bad credentials'],
  [
    'a stranger comments in public',
    () => github.token({ login: 'stranger' }),
    'POST',
    '/repos/o/public/issues/1/comments',
    201,
    null,
  ],
  [
    'a stranger sees nothing private',
    () => github.token({ login: 'stranger' }),
    'POST',
    '/repos/o/private/issues/1/comments',
    404,
    'Not Found',
  ],
  [
    'a reader does not label',
    () => github.token({ login: 'reader' }),
    'POST',
    '/repos/o/public/issues/1/labels',
    403,
    'Must have admin rights to Repository.',
  ],
  [
    'a triager labels',
    () => github.token({ login: 'triager' }),
    'POST',
    '/repos/o/public/issues/1/labels',
    200,
    null,
  ],
  [
    'issues:read does not comment',
    () => installation({ issues: 'read' }),
    'POST',
    '/repos/o/private/issues/1/comments',
    403,
    'Resource not accessible by integration',
  ],
  [
    'issues:write comments',
    () => installation({ issues: 'write' }),
    'POST',
    '/repos/o/private/issues/1/comments',
    201,
    null,
  ],
  [
    'contents only does not read private issues',
    () => installation({ contents: 'read' }),
    'GET',
    '/repos/o/private/issues/1',
    403,
    'Resource not accessible by integration',
  ],
  [
    'another repository’s token sees nothing private',
    () => installation({ issues: 'write' }, 'public'),
    'GET',
    '/repos/o/private/issues/1',
    404,
    'Not Found',
  ],
  [
    'an expired token',
    () => github.token({ login: 'o', expiresAt: new Date(0) }),
    'GET',
    '/repos/o/public',
    401,
    'Bad credentials',
  ],
  [
    'an App is not a user',
    () => installation({ issues: 'read' }),
    'GET',
    '/user',
    403,
    'Resource not accessible by integration',
  ],
  [
    'an actions token acts',
    () => github.token({ kind: 'actions', repositories: ['o/private'] }),
    'POST',
    '/repos/o/private/issues/1/comments',
    201,
    null,
  ],
  [
    'a comment that is too long',
    () => github.token({ login: 'o' }),
    'POST',
    '/repos/o/public/issues/1/comments?long',
    422,
    'Validation Failed',
  ],
])('%s', async (_, token, method, path, status, message) => {
  const body = { body: path.endsWith('?long') ? 'x'.repeat(65_537) : 'text', labels: ['bug'] };
  const answer = await restClient(github, token())(
    method,
    path.replace('?long', ''),
    method === 'POST' ? body : undefined,
  );
  expect([answer.status, answer.body.message ?? null]).toEqual([status, message]);
});

test.each([
  ['o', 'admin', 'admin'],
  ['writer', 'write', 'write'],
  ['triager', 'read', 'triage'],
  ['reader', 'read', 'read'],
])('the permission of %s is %s', async (login, permission, role) => {
  github.user('stranger');
  const answer = await restClient(github, installation({ issues: 'read' }))(
    'GET',
    `/repos/o/private/collaborators/${login}/permission`,
  );
  expect(answer.body).toMatchObject({ permission, role_name: role, user: { login } });
});

test('strangers have no permission in private, and bots are no users', async () => {
  github.user('stranger');
  const get = restClient(github, installation({ issues: 'read' }));
  expect((await get('GET', '/repos/o/private/collaborators/stranger/permission')).body.permission).toBe(
    'none',
  );
  expect((await get('GET', '/repos/o/private/collaborators/claude%5Bbot%5D/permission')).body.message).toBe(
    'claude[bot] is not a user',
  );
});
