import { decodeJwt } from 'jose';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { startServer } from './local-server.test-support.ts';
import { oidcTokens } from './oidc.ts';

const github: LocalGitHub = await startGitHub();
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});
beforeEach(() => github.clearRequests());

const audience = 'https://api.example.com';
/** @param lifetime seconds that its tokens live */
function sourceOf(lifetime: number) {
  const { url, token } = github.oidc.request({ repository: 'octo-org/hello', runId: 7, lifetime });
  return { url, requestToken: token };
}
const minted = () => github.requests.length;

test('one token of the audience serves many, also those who ask at the same time', async () => {
  const token = oidcTokens(sourceOf(300), audience);
  expect(minted()).toBe(0);
  const both = await Promise.all([token(), token()]);
  const all = new Set([...both, await token()]);
  expect([all.size, minted()]).toEqual([1, 1]);
  expect(decodeJwt([...all][0]!)).toMatchObject({ aud: audience, repository: 'octo-org/hello' });
});

test('a minute before its end it is minted anew', async () => {
  const [soon, late] = [oidcTokens(sourceOf(50), audience), oidcTokens(sourceOf(90), audience)];
  expect(await soon()).not.toBe(await soon());
  expect(await late()).toBe(await late());
  expect(minted()).toBe(3);
});

test('a refused token is not used again', async () => {
  const token = oidcTokens(sourceOf(300), audience);
  const [former, fresh] = [await token(), await token(true)];
  expect(fresh).not.toBe(former);
  expect([await token(), minted()]).toEqual([fresh, 2]);
});

test('a token that does not say when it ends is used once', async () => {
  const answers = ['no-jwt', 'a.b.c', `a.${Buffer.from('{}').toString('base64url')}.c`];
  await using server = await startServer(answers.map((value) => ({ body: { value } })));
  const token = oidcTokens({ url: server.url, requestToken: 'x' }, audience);
  expect([await token(), await token(), await token()]).toEqual(answers);
});

test('after a refusal of the issuer the next one asks again', async () => {
  await using server = await startServer([{ status: 403 }, { body: { value: 'a.b.c' } }]);
  const token = oidcTokens({ url: server.url, requestToken: 'x' }, audience);
  await expect(token()).rejects.toMatchObject({ reason: 'github_auth' });
  expect(await token()).toBe('a.b.c');
});

test('a job without `id-token: write` is told so', async () => {
  await expect(oidcTokens(null, audience)()).rejects.toMatchObject({
    reason: 'github_auth',
    remedy: expect.stringContaining('id-token: write'),
  });
});

test.each([
  'claude-code-github-action',
  ' Claude-Code-GitHub-Action ',
  'https://api.anthropic.com',
  'https://API.anthropic.com/',
  'https://api.anthropic.com:443/v1',
  'https://api.anthropic.com.',
  'api.anthropic.com',
  '',
])('an audience that could be exchanged for a credential is refused: %j', (refused) => {
  expect(() => oidcTokens(sourceOf(300), refused)).toThrow(
    expect.objectContaining({
      reason: 'invalid_input',
      message: expect.stringContaining('`progress_audience`'),
    }),
  );
});

test.each(['https://api.anthropic.com.example', 'https://my-api.anthropic.company', 'my-backend'])(
  'others are not: %s',
  (other) => {
    expect(() => oidcTokens(sourceOf(300), other)).not.toThrow();
  },
);
