/** Whose identity token is believed: that of a run, signed by the issuer's keys of today, for us, in its time. */
import { createPublicKey } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { AppError } from '../words/errors.ts';
import { startServer } from './local-server.test-support.ts';
import { createOidcVerifier, type OidcVerifier } from './oidc-verify.ts';

const audience = 'https://progress.example';
const run = { repository: 'octo-org/hello', runId: 77 };
const claims = { repository: 'octo-org/hello', run_id: '77', run_attempt: '1' };

let github: LocalGitHub;
beforeAll(async () => {
  github = await startGitHub({ validate: false });
});
afterAll(() => github?.close());

let verifier: OidcVerifier;
beforeEach(() => {
  verifier = createOidcVerifier({ issuer: github.oidc.issuer, audience, coolDownMs: 0 });
});

const reasonOf = (verified: Promise<unknown>) =>
  verified.then(
    () => 'believed',
    (error: AppError) => `${error.reason}: ${error.message}`,
  );
const asked = (path: string) => github.requests.filter((one) => one.path.startsWith(path)).length;
const jwks = '/_actions/.well-known/jwks';

test('a run’s token names the run', async () => {
  const token = await github.oidc.sign(audience, { ...run, run_attempt: '3' });
  expect(await verifier.verify(token)).toEqual({ repository: 'octo-org/hello', runId: '77', runAttempt: 3 });
});

test('a slash at the end of the issuer’s address changes nothing', async () => {
  const other = createOidcVerifier({ issuer: `${github.oidc.issuer}/`, audience });
  expect(await other.verify(await github.oidc.sign(audience, run))).toMatchObject({ runId: '77' });
});

/** The issuer's own public key, as an attacker has it too. */
const publicPem = async () =>
  createPublicKey({ key: (await github.oidc.jwks()).keys.at(-1)! as never, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
const kid = async () => (await github.oidc.jwks()).keys.at(-1)!.kid!;
const jwt = (header: { alg: string; kid?: string }) =>
  new SignJWT(claims)
    .setProtectedHeader(header)
    .setIssuer(github.oidc.issuer)
    .setAudience(audience)
    .setExpirationTime('5m');

describe('everything else is refused', () => {
  test.each<[string, () => string | Promise<string>, RegExp]>([
    ['nothing', () => '', /none that/],
    ['garbage', () => 'a.b.c', /none that/],
    ['expired', () => github.oidc.sign(audience, { ...run, lifetime: -60 }), /expired/],
    ['for somebody else', () => github.oidc.sign('https://other.example', run), /not for the audience/],
    [
      'for the exchange of GitHub tokens',
      () => github.oidc.sign('claude-code-github-action', run),
      /not for the audience/,
    ],
    [
      'no run’s',
      () => github.oidc.sign(audience, { repository: 'octo-org/hello', run_id: undefined }),
      /no run’s/,
    ],
    [
      'a run of no number',
      () => github.oidc.sign(audience, { repository: 'octo-org/hello', run_id: '7;7' }),
      /no run’s/,
    ],
    [
      'unsigned',
      () =>
        new UnsecuredJWT(claims)
          .setIssuer(github.oidc.issuer)
          .setAudience(audience)
          .setExpirationTime('5m')
          .encode(),
      /none that/,
    ],
    [
      'HMAC with the public key as its secret',
      async () => jwt({ alg: 'HS256', kid: await kid() }).sign(new TextEncoder().encode(await publicPem())),
      /none that/,
    ],
    [
      'another key under the name of the published one',
      async () => jwt({ alg: 'RS256', kid: await kid() }).sign((await generateKeyPair('RS256')).privateKey),
      /none that/,
    ],
    [
      'a key that the token brings along',
      async () => {
        const { privateKey, publicKey } = await generateKeyPair('RS256');
        return new SignJWT(claims)
          .setProtectedHeader({ alg: 'RS256', kid: await kid(), jwk: await exportJWK(publicKey) })
          .setIssuer(github.oidc.issuer)
          .setAudience(audience)
          .setExpirationTime('5m')
          .sign(privateKey);
      },
      /none that/,
    ],
    [
      'claims that were changed',
      async () => {
        const [head, , signature] = (await github.oidc.sign(audience, run)).split('.');
        const forged = Buffer.from(JSON.stringify({ ...claims, run_id: '78' })).toString('base64url');
        return `${head}.${forged}.${signature}`;
      },
      /none that/,
    ],
  ])('%s', async (_, token, why) => {
    const answer = await reasonOf(verifier.verify(await token()));
    expect(answer).toMatch(/^github_auth: /);
    expect(answer).toMatch(why);
  });

  test.each<[string, (token: SignJWT) => SignJWT, RegExp]>([
    ['without an end', (token) => token, /`exp`/],
    ['not valid yet', (token) => token.setExpirationTime('2h').setNotBefore('1h'), /`nbf`/],
  ])('%s', async (_, change, why) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    await using issuer = await issuerWith({ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' });
    const token = new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(issuer.url)
      .setAudience(audience);
    const other = createOidcVerifier({ issuer: issuer.url, audience });
    const answer = await reasonOf(other.verify(await change(token).sign(privateKey)));
    expect(answer).toMatch(/^github_auth: /);
    expect(answer).toMatch(why);
  });

  test('of another issuer, though its key is one that we know', async () => {
    await using other = await issuerWith(...(await github.oidc.jwks()).keys);
    const theirs = createOidcVerifier({ issuer: other.url, audience });
    expect(await reasonOf(theirs.verify(await github.oidc.sign(audience, run)))).toMatch(
      /^github_auth: .*not of the issuer/,
    );
  });
});

describe('keys', () => {
  test('are fetched once for many tokens, also for those that come at the same time', async () => {
    const before = asked(jwks);
    const tokens = await Promise.all(Array.from({ length: 5 }, () => github.oidc.sign(audience, run)));
    await Promise.all(tokens.map(verifier.verify));
    await verifier.verify(tokens[0]!);
    expect(asked(jwks) - before).toBe(1);
  });

  test('change: the new one is found, the former one serves as long as it is published', async () => {
    const former = await github.oidc.sign(audience, run);
    await verifier.verify(former);
    await github.oidc.rotate();
    expect(await verifier.verify(await github.oidc.sign(audience, run))).toMatchObject({ runId: '77' });
    expect(await verifier.verify(former)).toMatchObject({ runId: '77' });
    await github.oidc.rotate({ forget: true });
    await verifier.verify(await github.oidc.sign(audience, run));
    expect(await reasonOf(verifier.verify(former))).toMatch(/^github_auth: /);
  });

  test('are not fetched for each stranger’s key: there is a time to cool down', async () => {
    const cool = createOidcVerifier({ issuer: github.oidc.issuer, audience, coolDownMs: 60_000 });
    await cool.verify(await github.oidc.sign(audience, run));
    const before = asked(jwks);
    const { privateKey } = await generateKeyPair('RS256');
    for (const name of ['a', 'b', 'c']) {
      const strange = await jwt({ alg: 'RS256', kid: name }).sign(privateKey);
      expect(await reasonOf(cool.verify(strange))).toMatch(/^github_auth: /);
    }
    expect(asked(jwks) - before).toBe(0);
  });

  test('that cannot be had are no refusal, and are had later', async () => {
    const token = await github.oidc.sign(audience, run);
    const mend = github.faults.add({ path: /\.well-known/, status: 503 });
    expect(await reasonOf(verifier.verify(token))).toMatch(/^github_unavailable: /);
    mend();
    expect(await verifier.verify(token)).toMatchObject({ runId: '77' });
  });

  test.each<[string, (url: string) => unknown, unknown]>([
    [
      'a configuration of somebody else',
      () => ({ issuer: 'https://else.example', jwks_uri: 'https://else.example/k' }),
      {},
    ],
    ['a configuration without keys', (url) => ({ issuer: url }), {}],
    ['keys at no web address', (url) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' }), {}],
    ['no JSON', () => 'hello', {}],
    ['keys that are none', (url) => ({ issuer: url, jwks_uri: `${url}/jwks` }), { keys: 'none' }],
  ])('%s: unavailable', async (_, configuration, keys) => {
    await using issuer = await startServer(({ path, headers }) =>
      path.startsWith('/.well-known') ? { body: configuration(`http://${headers.host}`) } : { body: keys },
    );
    const other = createOidcVerifier({ issuer: issuer.url, audience });
    expect(await reasonOf(other.verify(await github.oidc.sign(audience, run)))).toMatch(
      /^github_unavailable: /,
    );
  });
});

function issuerWith(...keys: object[]) {
  return startServer(({ path, headers }) =>
    path.startsWith('/.well-known')
      ? { body: { issuer: `http://${headers.host}`, jwks_uri: `http://${headers.host}/jwks` } }
      : { body: { keys } },
  );
}
