import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { Secret } from '../words/secret.ts';
import { authenticate, type CredentialSource, revokeToken, WorkflowNotValidated } from './auth.ts';
import { type Answer, type Asked, type LocalServer, startServer } from './local-server.test-support.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;

/** What `authenticate` is given, at a server that plays GitHub, the OIDC issuer and the exchange. */
function source(server: LocalServer, changes: Partial<CredentialSource> = {}) {
  const told: [string, boolean][] = [];
  const given: CredentialSource = {
    host: server.host,
    repository: { owner: 'octo-org', name: 'hello' },
    given: null,
    app: null,
    oidc: null,
    exchangeUrl: `${server.url}/exchange`,
    additionalPermissions: {},
    onToken: (token, minted) => told.push([token, minted]),
    ...changes,
  };
  return { ...given, told };
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it was expected to fail'),
    (error: unknown) => error,
  );

const fromNow = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

test('a given token is used as it is, told once, never minted anew, and asks nobody', async () => {
  await using server = await startServer([]);
  const from = source(server, { given: new Secret('ghs_given') });
  const credential = await authenticate(from);
  expect([credential.kind, await credential.token(), await credential.token()]).toEqual([
    'given',
    'ghs_given',
    'ghs_given',
  ]);
  expect(from.told).toEqual([['ghs_given', false]]);
  expect(server.asked).toEqual([]);
});

describe('a GitHub App', () => {
  const app = { id: '1234', privateKey: new Secret(pem) };
  const installation: Answer = { body: { id: 77 } };
  const minted = (token: string, expires_at = fromNow(60)): Answer => ({
    status: 201,
    body: { token, expires_at, permissions: {}, repository_selection: 'selected' },
  });

  test('gets a token for this repository and the needed permissions alone', async () => {
    await using server = await startServer([installation, minted('ghs_app')]);
    const from = source(server, { app, additionalPermissions: { actions: 'read' } });
    const credential = await authenticate(from);
    expect([credential.kind, await credential.token()]).toEqual(['app', 'ghs_app']);
    expect(from.told).toEqual([['ghs_app', true]]);

    const [found, made] = server.asked as [Asked, Asked];
    expect([found.method, found.path]).toEqual(['GET', '/repos/octo-org/hello/installation']);
    expect([made.method, made.path]).toEqual(['POST', '/app/installations/77/access_tokens']);
    expect(JSON.parse(made.body)).toEqual({
      repositories: ['hello'],
      permissions: { contents: 'write', pull_requests: 'write', issues: 'write', actions: 'read' },
    });
    for (const { headers } of server.asked) {
      const jwt = headers.authorization!.replace(/^bearer /i, '');
      const { payload, protectedHeader } = await jwtVerify(jwt, publicKey, { issuer: '1234' });
      expect(protectedHeader.alg).toBe('RS256');
      // GitHub takes no more than ten minutes.
      expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(600);
    }
  });

  test('a known installation is not looked up, unless GitHub knows it no more', async () => {
    await using server = await startServer([
      minted('ghs_known'),
      { status: 404, body: { message: 'Not Found' } },
      installation,
      minted('ghs_anew'),
    ]);
    const tokenOf = async (installationId: number) =>
      (await authenticate(source(server, { app, installationId }))).token();
    expect([await tokenOf(76), await tokenOf(75)]).toEqual(['ghs_known', 'ghs_anew']);
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/app/installations/76/access_tokens',
      '/app/installations/75/access_tokens',
      '/repos/octo-org/hello/installation',
      '/app/installations/77/access_tokens',
    ]);
  });

  test('a key whose line breaks were pasted as \\n works', async () => {
    await using server = await startServer([installation, minted('ghs_app')]);
    const pasted = { id: '1234', privateKey: new Secret(pem.replaceAll('\n', '\\n')) };
    const credential = await authenticate(source(server, { app: pasted }));
    expect(await credential.token()).toBe('ghs_app');
  });

  test('server errors, lost answers and rate limits are tried again', async () => {
    await using server = await startServer([
      { status: 502, body: { message: 'Bad Gateway' } },
      { trouble: 'reset' },
      { status: 403, body: { message: 'rate limit' }, headers: { 'retry-after': '0' } },
      ...[installation, minted('ghs_app')],
    ]);
    const credential = await authenticate(source(server, { app }));
    expect(await credential.token()).toBe('ghs_app');
  });

  test.each<[string, Answer[], { message: RegExp; remedy: RegExp }]>([
    [
      'not installed',
      [{ status: 404, body: { message: 'Not Found' } }],
      { message: /^GitHub App 1234 is not installed on octo-org\/hello\.$/, remedy: /Install the App/ },
    ],
    [
      'a key of another App',
      [{ status: 401, body: { message: 'A JSON web token could not be decoded' } }],
      { message: /1234: A JSON web token could not be decoded/, remedy: /`app_private_key`/ },
    ],
    [
      'a permission that the App does not have',
      [installation, { status: 422, body: { message: 'The permissions requested are not granted' } }],
      { message: /permissions requested are not granted/, remedy: /App's permissions/ },
    ],
  ])('%s is said at once', async (_, script, { message, remedy }) => {
    await using server = await startServer(script);
    const error = await failureOf(authenticate(source(server, { app })));
    expect(error).toMatchObject({
      reason: 'github_auth',
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(remedy),
    });
    expect(server.asked).toHaveLength(script.length);
  });

  test('text that is no key is named without being shown', async () => {
    await using server = await startServer([]);
    const bad = { id: '1234', privateKey: new Secret('my-very-secret-text') };
    const error = (await failureOf(authenticate(source(server, { app: bad })))) as AppError;
    expect(error.reason).toBe('github_auth');
    expect(error.message).not.toContain('my-very-secret-text');
    expect(server.asked).toEqual([]);
  });

  test('a token that nears its end is minted anew, once for all who ask', async () => {
    let count = 0;
    await using server = await startServer(({ method }) => {
      if (method === 'GET') return installation;
      count += 1;
      return minted(`ghs_${count}`, fromNow(count === 1 ? 4 : 60));
    });
    const from = source(server, { app });
    const credential = await authenticate(from);
    expect(from.told).toEqual([['ghs_1', true]]);
    const tokens = await Promise.all([credential.token(), credential.token(), credential.token()]);
    expect(tokens).toEqual(['ghs_2', 'ghs_2', 'ghs_2']);
    expect(await credential.token()).toBe('ghs_2');
    // Each is told before it is handed out: it must be masked first, and revoked in the end.
    expect(from.told).toEqual([
      ['ghs_1', true],
      ['ghs_2', true],
    ]);
  });

  test('a renewal that fails is not remembered, and the former token serves to its end', async () => {
    const script = [
      installation,
      minted('ghs_1', fromNow(4)),
      { status: 401 },
      installation,
      minted('ghs_2'),
    ];
    await using server = await startServer(script);
    const credential = await authenticate(source(server, { app }));
    expect(await credential.token()).toBe('ghs_1');
    expect(await credential.token()).toBe('ghs_2');
  });

  test('a renewal that fails after the end of the former token is an error, until one succeeds', async () => {
    const script = [
      installation,
      minted('ghs_1', fromNow(-1)),
      { status: 401 },
      installation,
      minted('ghs_2'),
    ];
    await using server = await startServer(script);
    const credential = await authenticate(source(server, { app }));
    expect(await failureOf(credential.token())).toMatchObject({ reason: 'github_auth' });
    expect(await credential.token()).toBe('ghs_2');
  });
});

describe("the exchange of the job's OIDC token", () => {
  const issued: Answer = { body: { value: 'oidc.jwt' } };
  const refused = (status: number, body: unknown): Answer => ({ status, body });
  const oidcOf = (server: LocalServer) => ({
    url: `${server.url}/oidc?api-version=2.0`,
    requestToken: 'job',
  });

  async function exchange(script: Answer[], changes: Partial<CredentialSource> = {}) {
    await using server = await startServer(script);
    const from = source(server, { oidc: oidcOf(server), ...changes });
    const outcome = await authenticate(from).then(
      (credential) => credential.token(),
      (error: unknown) => error,
    );
    return { outcome, asked: server.asked, told: from.told };
  }

  test.each([
    ['token', { token: 'ghs_exchanged' }],
    ['app_token', { app_token: 'ghs_exchanged' }],
  ])('asks for the audience of the exchange and takes `%s`', async (_, body) => {
    const { outcome, asked, told } = await exchange([issued, { body }]);
    expect(outcome).toBe('ghs_exchanged');
    expect(told).toEqual([['ghs_exchanged', true]]);
    expect(asked).toMatchObject([
      {
        method: 'GET',
        path: '/oidc?api-version=2.0&audience=claude-code-github-action',
        headers: { authorization: 'bearer job' },
      },
      { method: 'POST', path: '/exchange', headers: { authorization: 'Bearer oidc.jwt' }, body: '' },
    ]);
  });

  test('sends a body only for additional permissions, and then all that a run needs', async () => {
    const { asked } = await exchange([issued, { body: { token: 't' } }], {
      additionalPermissions: { actions: 'read' },
    });
    expect(asked[1]!.headers['content-type']).toBe('application/json');
    expect(JSON.parse(asked[1]!.body)).toEqual({
      permissions: { contents: 'write', pull_requests: 'write', issues: 'write', actions: 'read' },
    });
  });

  test.each<[string, Answer]>([
    [
      'the workflow is not on the default branch',
      refused(401, {
        error: {
          message: 'no such workflow',
          details: { error_code: 'workflow_not_found_on_default_branch' },
        },
      }),
    ],
    [
      'the workflow differs there',
      refused(401, { message: 'Workflow Validation failed. It must be identical' }),
    ],
  ])('%s: a refusal that ends the run green', async (_, answer) => {
    const { outcome, asked } = await exchange([issued, answer]);
    expect(outcome).toBeInstanceOf(WorkflowNotValidated);
    expect(outcome).toMatchObject({
      reason: 'switched_off',
      remedy: expect.stringContaining('default branch'),
    });
    expect(asked).toHaveLength(2);
  });

  test.each<[string, Answer, RegExp]>([
    [
      'a permanent refusal',
      refused(403, { error: { message: 'App is not installed' } }),
      /refused: App is not installed$/,
    ],
    [
      'words of validation with another status',
      refused(403, { message: 'workflow validation failed' }),
      /refused: workflow validation failed$/,
    ],
    ['a body that is no JSON', { status: 400, body: '<html>Bad Request</html>' }, /refused: status 400$/],
    ['an answer without a token', { body: {} }, /refused: status 200$/],
  ])('%s is not tried again', async (_, answer, message) => {
    const { outcome, asked } = await exchange([issued, answer]);
    expect(outcome).toBeInstanceOf(AppError);
    expect(outcome).not.toBeInstanceOf(WorkflowNotValidated);
    expect(outcome).toMatchObject({
      reason: 'github_auth',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('`github_token`'),
    });
    expect(asked).toHaveLength(2);
  });

  test('server errors of issuer and exchange are tried again', async () => {
    const { outcome, asked } = await exchange([
      { status: 500 },
      issued,
      { status: 503, headers: { 'retry-after': '0' } },
      { trouble: 'cut', body: { token: 'half' } },
      { body: { token: 'ghs_late' } },
    ]);
    expect(outcome).toBe('ghs_late');
    expect(asked).toHaveLength(5);
  });

  test('errors that stay name the host that did not answer', async () => {
    const now = { status: 503, headers: { 'retry-after': '0' } };
    const { outcome } = await exchange([issued, now, now, now, now]);
    expect(outcome).toMatchObject({
      reason: 'github_unavailable',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ did not answer: status 503$/),
    });
  });

  test('a token request that is refused names the permission of the job', async () => {
    const { outcome, asked } = await exchange([refused(403, { message: 'no' })]);
    expect(outcome).toMatchObject({
      reason: 'github_auth',
      remedy: expect.stringContaining('`id-token: write`'),
    });
    expect(asked).toHaveLength(1);
  });

  test('nothing at all to authenticate with names every way', async () => {
    const { outcome } = await exchange([], { oidc: null });
    expect(outcome).toMatchObject({
      reason: 'github_auth',
      remedy: expect.stringMatching(/`id-token: write`.*`github_token`.*`app_id`/),
    });
  });
});

describe('giving a token back', () => {
  test.each([
    ['it is gone', 204],
    ['it was gone already', 401],
  ])('%s', async (_, status) => {
    await using server = await startServer([{ status }]);
    await revokeToken(server.host, 'ghs_minted');
    expect(server.asked).toMatchObject([
      { method: 'DELETE', path: '/installation/token', headers: { authorization: 'token ghs_minted' } },
    ]);
  });

  test.each([
    ['refused', { status: 403 }, /answered 403/],
    [
      'GitHub does not answer',
      { status: 503, headers: { 'retry-after': '0' } },
      /did not answer: status 503/,
    ],
  ])('%s: said, without the token', async (_, answer, message) => {
    await using server = await startServer(() => answer);
    const error = (await failureOf(revokeToken(server.host, 'ghs_minted'))) as AppError;
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('ghs_minted');
  });
});
