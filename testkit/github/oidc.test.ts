/** A run's identity token, its keys, and its exchange for an App's token. */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchangeAudience } from './exchange.ts';
import { type LocalGitHub, startGitHub } from './main.ts';
import { restClient } from './test-client.ts';

let github: LocalGitHub;

beforeAll(async () => {
  github = await startGitHub();
  await github.createRepository({ owner: 'o', name: 'r', private: true });
  github.createIssue('o/r', { title: 'Issue' });
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

async function identityToken(audience = exchangeAudience): Promise<string> {
  const { url, token } = github.oidc.request({ repository: 'o/r', runId: 7, actor: 'ann' });
  const answer = await fetch(`${url}&audience=${audience}`, {
    headers: { authorization: `bearer ${token}` },
  });
  return ((await answer.json()) as { value: string }).value;
}

const exchange = (jwt: string, body?: unknown) =>
  restClient(github, jwt, 'Bearer')('POST', github.exchangeUrl, body);

test('the token is signed by a published key, before and after rotation', async () => {
  const configuration = (await (
    await fetch(`${github.oidc.issuer}/.well-known/openid-configuration`)
  ).json()) as { issuer: string; jwks_uri: string };
  const verify = async (jwt: string) =>
    (
      await jwtVerify(jwt, createRemoteJWKSet(new URL(configuration.jwks_uri)), {
        issuer: configuration.issuer,
        audience: 'them',
      })
    ).payload;
  const old = await identityToken('them');
  expect(await verify(old)).toMatchObject({
    repository: 'o/r',
    run_id: '7',
    actor: 'ann',
    sub: 'repo:o/r:ref:refs/heads/main',
  });
  await github.oidc.rotate();
  await verify(await identityToken('them'));
  await verify(old);
  await github.oidc.rotate({ forget: true });
  await expect(verify(old)).rejects.toThrow();
});

test('without the request token there is no identity', async () => {
  expect((await fetch(github.oidc.request({ repository: 'o/r' }).url)).status).toBe(401);
});

test('the exchanged token has what was asked for, for this repository', async () => {
  const { status, body } = await exchange(await identityToken(), {
    permissions: { contents: 'read', issues: 'write' },
  });
  expect([status, body.token]).toEqual([200, expect.stringMatching(/^ghs_\w{36}$/)]);
  const send = restClient(github, body.token);
  expect((await send('POST', '/repos/o/r/issues/1/comments', { body: 'hi' })).body.user.login).toBe(
    'claude[bot]',
  );
  expect((await send('POST', '/repos/o/r/git/blobs', { content: 'x' })).status).toBe(403);
});

test('an identity for somebody else is refused', async () => {
  expect((await exchange(await identityToken('other'))).status).toBe(401);
});

test.each([
  [
    'workflow_not_found_on_default_branch',
    401,
    (body: unknown) =>
      expect(body).toMatchObject({
        error: { details: { error_code: 'workflow_not_found_on_default_branch' } },
      }),
  ],
  [
    'workflow_validation_failed',
    401,
    (body: unknown) =>
      expect(body).toMatchObject({ message: expect.stringMatching(/workflow validation failed/i) }),
  ],
  [500, 500, (body: unknown) => expect(body).toMatchObject({ type: 'error' })],
  ['not_json', 502, (body: unknown) => expect(body).toContain('<html>')],
] as const)('it can fail as the real one does: %s', async (failure, status, check) => {
  github.exchange.fail(failure, 1);
  const answer = await exchange(await identityToken());
  expect(answer.status).toBe(status);
  check(answer.body);
  expect((await exchange(await identityToken())).status).toBe(200);
});
