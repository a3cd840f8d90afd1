import { expect, test } from 'vitest';
import { createClient } from './client.ts';
import { type Answer, startServer } from './local-server.test-support.ts';
import { fetchPermission, fetchViewer } from './permissions.ts';

const repository = { owner: 'octo-org', name: 'hello' };

test.each<[string, Answer, string | null]>([
  ['what GitHub says', { body: { permission: 'write', role_name: 'maintain' } }, 'write'],
  ['null for a login that is no user', { status: 404, body: { message: 'octocat is not a user' } }, null],
])('permission: %s', async (_, answer, permission) => {
  await using server = await startServer([answer]);
  const client = createClient(server.host, async () => 't');
  expect(await fetchPermission(client, repository, 'renovate[bot]')).toBe(permission);
  expect(server.asked[0]!.path).toBe('/repos/octo-org/hello/collaborators/renovate%5Bbot%5D/permission');
});

test('permission: an error is not "no permission"', async () => {
  await using server = await startServer([{ status: 401, body: { message: 'Bad credentials' } }]);
  const client = createClient(server.host, async () => 't');
  await expect(fetchPermission(client, repository, 'octocat')).rejects.toMatchObject({
    reason: 'github_auth',
  });
});

test.each<[string, unknown, unknown]>([
  [
    'who we are',
    { data: { viewer: { login: 'claude[bot]', databaseId: 7 } } },
    { login: 'claude[bot]', id: 7 },
  ],
  ['null for a token that may not say', { errors: [{ type: 'FORBIDDEN', message: 'not accessible' }] }, null],
])('viewer: %s', async (_, body, viewer) => {
  await using server = await startServer([{ body }]);
  expect(await fetchViewer(createClient(server.host, async () => 't'))).toEqual(viewer);
});

test('viewer: a rate limit is an error, not "nobody"', async () => {
  await using server = await startServer([
    { body: { errors: [{ type: 'RATE_LIMITED', message: 'later' }] } },
  ]);
  await expect(fetchViewer(createClient(server.host, async () => 't'))).rejects.toMatchObject({
    reason: 'github_unavailable',
  });
});
