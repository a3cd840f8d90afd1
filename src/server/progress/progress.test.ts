/** Runs report, each for itself alone; what was accepted is kept once, in order, and shown to the operator. */
import { createPublicKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { oidcIssuer } from '../../../testkit/github/oidc.ts';
import type { ProgressEvent } from '../../words/progress.ts';
import { operatorToken } from '../inbox/inbox.test-support.ts';
import { openDatabase } from '../store/database.ts';
import { relayTo } from '../store/outage.test-support.ts';
import { removeOld } from '../store/tending.ts';
import { audience, eventOf, type ProgressStage, setProgressStage } from './progress.test-support.ts';

let stage: ProgressStage;
beforeAll(async () => {
  stage = await setProgressStage();
});
afterAll(() => stage?.[Symbol.asyncDispose]());
afterEach(() => stage.github.faults.clear());

const shown = async (id: string) => (await stage.history(id)).events.map(({ message }) => message);

describe('an event of a run', () => {
  test('is accepted, once, and shown to the operator as it came', async () => {
    const event = eventOf('req-1', { message: 'Half of a pair: \ud83d, nothing: \u0000, `code`' });
    const first = await stage.report(event);
    expect(first).toEqual({ status: 202, body: { status: 'accepted', event_id: event.event_id } });
    expect(await stage.report(event)).toEqual({
      status: 202,
      body: { status: 'duplicate', event_id: event.event_id },
    });
    expect(await stage.history('req-1')).toEqual({
      correlation_id: 'req-1',
      repository: 'octo-org/hello',
      run_id: '77',
      run_attempt: 1,
      status: 'in_progress',
      events: [event],
    });
  });

  test('has its place by attempt and sequence, whenever it comes', async () => {
    const send = (changes: Partial<ProgressEvent>) => stage.report(eventOf('req-order', changes));
    await send({ sequence: 3 });
    await send({ sequence: 1, status: 'queued' });
    await send({ run_attempt: 2, sequence: 1 });
    await send({ sequence: 2 });
    expect(await shown('req-order')).toEqual([
      '1.1 queued',
      '1.2 in_progress',
      '1.3 in_progress',
      '2.1 in_progress',
    ]);
    expect(await stage.history('req-order')).toMatchObject({ run_attempt: 2, status: 'in_progress' });
  });

  test('a place that stays empty keeps nobody waiting', async () => {
    await stage.report(eventOf('req-gap', { sequence: 1 }));
    await stage.report(eventOf('req-gap', { sequence: 9, status: 'completed' }));
    expect(await stage.history('req-gap')).toMatchObject({ status: 'completed' });
  });

  test('does not take back the end of its attempt; another attempt begins anew', async () => {
    const send = (changes: Partial<ProgressEvent>) => stage.report(eventOf('req-end', changes));
    await send({ sequence: 4, status: 'failed' });
    await send({ sequence: 3 });
    await send({ sequence: 5 });
    expect(await stage.history('req-end')).toMatchObject({ run_attempt: 1, status: 'failed' });
    await send({ run_attempt: 2, status: 'queued' });
    expect(await stage.history('req-end')).toMatchObject({ run_attempt: 2, status: 'queued' });
  });

  test('may have any name that the schema allows, and numbers of any size', async () => {
    const id = `${"/%2F?#'; drop table progress_runs; --".replaceAll(' ', '+')}${'%'.repeat(160)}`;
    const event = eventOf(id, {
      sequence: Number.MAX_SAFE_INTEGER,
      run_attempt: Number.MAX_SAFE_INTEGER,
      run_id: '9'.repeat(20),
    });
    expect((await stage.report(event)).status).toBe(202);
    expect((await stage.history(id)).events).toEqual([event]);
  });

  test('what it has besides is not kept', async () => {
    const event = eventOf('req-more');
    await stage.report({ ...event, more: 'than known' });
    expect((await stage.history('req-more')).events).toEqual([event]);
  });

  test('`owner/*` allows each repository of the owner, whatever its case', async () => {
    const event = eventOf('req-fan', { repository: 'octo-fans/Anything' });
    expect((await stage.report(event)).status).toBe(202);
  });
});

const otherIssuer = oidcIssuer(() => 'https://evil.example');
/** Claims that would do, for tokens that are signed by hand. */
const byHand = (kid?: string) =>
  new SignJWT({ repository: 'octo-org/hello', run_id: '77', run_attempt: '1' })
    .setProtectedHeader({ alg: 'HS256', ...(kid && { kid }) })
    .setIssuer(stage.github.oidc.issuer)
    .setAudience(audience)
    .setExpirationTime('5m');
const publicKey = async () => {
  const jwk = (await stage.github.oidc.jwks()).keys.at(-1)!;
  const pem = createPublicKey({ key: jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  return { kid: jwk.kid!, secret: new TextEncoder().encode(pem.toString()) };
};

describe('refused is', () => {
  type Told = [what: string, event: () => unknown, token: () => Promise<string> | string | null, number];
  const good = () => eventOf('req-refused');
  test.each<Told>([
    ['no token', good, () => null, 401],
    ['a token that is none', good, () => 'garbage', 401],
    ['an expired token', good, () => stage.token({ lifetime: -60 }), 401],
    [
      'a token of another issuer',
      good,
      () => otherIssuer.sign(audience, { repository: 'octo-org/hello', runId: '77' }),
      401,
    ],
    [
      'a token for another audience',
      good,
      () => stage.github.oidc.sign('https://other.example', { repository: 'octo-org/hello', runId: '77' }),
      401,
    ],
    [
      'a token without a signature',
      good,
      () =>
        new UnsecuredJWT({ repository: 'octo-org/hello', run_id: '77', run_attempt: '1' })
          .setIssuer(stage.github.oidc.issuer)
          .setAudience(audience)
          .setExpirationTime('5m')
          .encode(),
      401,
    ],
    [
      'HMAC with the public key',
      good,
      async () => {
        const { kid, secret } = await publicKey();
        return byHand(kid).sign(secret);
      },
      401,
    ],
    ["the operator's token", good, () => operatorToken, 401],
    [
      'a repository that is not allowed',
      () => eventOf('req-refused', { repository: 'evil/hello' }),
      () => stage.token({ repository: 'evil/hello' }),
      403,
    ],
    [
      'a repository whose name only begins as an allowed one',
      () => eventOf('req-refused', { repository: 'octo-org/hello-evil' }),
      () => stage.token({ repository: 'octo-org/hello-evil' }),
      403,
    ],
    [
      'an owner whose name only begins as an allowed one',
      () => eventOf('req-refused', { repository: 'octo-fans-evil/x' }),
      () => stage.token({ repository: 'octo-fans-evil/x' }),
      403,
    ],
    [
      'an event of another repository, though that one is allowed',
      good,
      () => stage.token({ repository: 'octo-fans/x' }),
      403,
    ],
    ['an event of another run', good, () => stage.token({ runId: '78' }), 403],
    ['no JSON', () => '{', () => stage.token(), 422],
    ['an empty body', () => '', () => stage.token(), 422],
    ['a list', () => '[]', () => stage.token(), 422],
    ['a status that is none', () => ({ ...good(), status: 'done' }), () => stage.token(), 422],
    ['a field too few', () => ({ ...good(), event_id: undefined }), () => stage.token(), 422],
    ['a correlation id with a line end', () => eventOf('a\nb'), () => stage.token(), 422],
    ['a version that is not known', () => ({ ...good(), version: 2 }), () => stage.token(), 422],
    ['256 KiB', () => eventOf('req-refused', { message: 'x'.repeat(262_144) }), () => stage.token(), 413],
  ])('%s', async (_, event, token, status) => {
    const answer = await stage.report(event(), await token());
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(/\w{3}/) } });
    expect((await stage.get('/progress/req-refused')).status).toBe(404);
  });

  test('another run with a correlation id that is taken; a new attempt of the same run goes on with it', async () => {
    await stage.report(eventOf('req-bound'));
    expect(await stage.report(eventOf('req-bound', { run_id: '78' }))).toMatchObject({ status: 409 });
    expect(await stage.report(eventOf('req-bound', { repository: 'octo-fans/x' }))).toMatchObject({
      status: 409,
    });
    expect(await stage.report(eventOf('req-bound', { run_attempt: 2 }))).toMatchObject({ status: 202 });
    expect(await stage.history('req-bound')).toMatchObject({ run_id: '77', repository: 'octo-org/hello' });
  });

  test('a stranger before anything of the body is read', async () => {
    const socket = connect(stage.web.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST /progress HTTP/1.1\r\nHost: x\r\nContent-Length: 250000\r\n\r\n{');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 [\s\S]*www-authenticate: Bearer/);
    socket.destroy();
  });

  test('a page of another site: nothing allows it to read', async () => {
    const answer = await stage.get('/progress/req-1', { origin: 'https://evil.example' });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('everybody else who reads', async () => {
    for (const path of ['/progress/req-1', '/progress/req-1/events']) {
      for (const authorization of ['', 'Bearer guessed', `Bearer ${await stage.token()}`])
        expect((await stage.get(path, { authorization })).status).toBe(401);
    }
  });
});

test('the issuer changes its key: tokens of the new one are taken, those of a withdrawn one are not', async () => {
  const former = await stage.token();
  expect((await stage.report(eventOf('req-keys'), former)).status).toBe(202);
  await stage.github.oidc.rotate();
  expect((await stage.report(eventOf('req-keys', { sequence: 2 }))).status).toBe(202);
  expect((await stage.report(eventOf('req-keys', { sequence: 3 }), former)).status).toBe(202);
  await stage.github.oidc.rotate({ forget: true });
  expect((await stage.report(eventOf('req-keys', { sequence: 4 }))).status).toBe(202);
  expect((await stage.report(eventOf('req-keys', { sequence: 5 }), former)).status).toBe(401);
});

test('while the keys cannot be had, nobody is refused for good: 503, and the same event later', async () => {
  await using other = await setProgressStage({ github: stage.github, store: stage.store });
  const mend = stage.github.faults.add({ path: /\.well-known/, status: 502 });
  const event = eventOf('req-away');
  expect((await other.report(event)).status).toBe(503);
  mend();
  expect((await other.report(event)).status).toBe(202);
});

test('while the database is away: 503, and the same event later', async () => {
  const relay = await relayTo(stage.store.url);
  const database = await openDatabase(relay.url, { patienceMs: 100 });
  await using other = await setProgressStage({ github: stage.github, store: { ...stage.store, database } });
  const event = eventOf('req-outage');
  relay.cut();
  const refused = await other.report(event);
  expect([refused.status, refused.body.error]).toEqual([503, expect.stringContaining('Send it again')]);
  relay.mend();
  expect((await other.report(event)).status).toBe(202);
  await database.close();
  await relay.close();
});

test('two webs on one database: the same event at both is one, and of two runs only one gets the correlation id', async () => {
  await using other = await setProgressStage({ github: stage.github, store: stage.store });
  const event = eventOf('req-both');
  const same = await Promise.all([stage.report(event), other.report(event), stage.report(event)]);
  expect(same.map(({ body }) => body.status).sort()).toEqual(['accepted', 'duplicate', 'duplicate']);
  for (const round of Array.from({ length: 10 }, (_, index) => index)) {
    const race = await Promise.all([
      stage.report(eventOf(`req-race-${round}`, { run_id: '1' })),
      other.report(eventOf(`req-race-${round}`, { run_id: '2' })),
    ]);
    expect(race.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect((await stage.history(`req-race-${round}`)).events).toHaveLength(1);
  }
});

describe('whose workflows may report, when no list says it', () => {
  const environment = { PROGRESS_REPOSITORIES_ALLOWED: '' };

  test('with a token: nobody’s', async () => {
    await using other = await setProgressStage({ github: stage.github, store: stage.store, environment });
    expect((await other.report(eventOf('req-nobody'))).status).toBe(403);
  });

  test('with a GitHub App: those that it is installed on; GitHub is asked once', async () => {
    const { github, store } = stage;
    await github.createRepository({ owner: 'octo-org', name: 'hello' });
    await github.createRepository({ owner: 'evil', name: 'hello' });
    const app = await github.createApp({ slug: 'forgehand' });
    github.installApp(app, 'octo-org/hello');
    await using other = await setProgressStage({
      github,
      store,
      environment: {
        ...environment,
        GITHUB_APP_ID: String(app.id),
        GITHUB_APP_PRIVATE_KEY: app.privateKey,
      },
    });
    const mend = github.faults.add({ path: /\/installation$/, status: 403 });
    expect((await other.report(eventOf('req-app'))).status).toBe(503);
    mend();
    github.clearRequests();
    expect((await other.report(eventOf('req-app'))).status).toBe(202);
    expect((await other.report(eventOf('req-app', { sequence: 2 }))).status).toBe(202);
    const stranger = eventOf('req-evil', { repository: 'evil/hello' });
    expect((await other.report(stranger)).status).toBe(403);
    expect((await other.report(stranger)).status).toBe(403);
    expect(github.requests.filter(({ path }) => path.endsWith('/installation'))).toHaveLength(2);
  });
});

test('the audience is PROGRESS_AUDIENCE, else where the server listens', async () => {
  const { github, store } = stage;
  const claims = { repository: 'octo-org/hello', runId: '77' };
  for (const PROGRESS_AUDIENCE of ['them', '']) {
    const environment = { PUBLIC_URL: '', PROGRESS_AUDIENCE };
    await using other = await setProgressStage({ github, store, environment });
    const wanted = PROGRESS_AUDIENCE || `http://localhost:${other.web.port}`;
    const refused = await other.report(eventOf('req-audience'), await github.oidc.sign('us', claims));
    expect([refused.status, refused.body.error]).toEqual([401, expect.stringContaining(wanted)]);
    const taken = await other.report(eventOf('req-audience'), await github.oidc.sign(wanted, claims));
    expect(taken.status).toBe(202);
  }
});

test('what is older than the retention goes, and the correlation id is free again', async () => {
  const { database } = stage.store;
  await stage.report(eventOf('req-old'));
  await stage.report(eventOf('req-young'));
  await database.query(
    `update progress_runs set updated_at = now() - interval '31 days' where correlation_id = 'req-old'`,
  );
  await removeOld(database, 30);
  expect((await stage.get('/progress/req-old')).status).toBe(404);
  expect((await stage.get('/progress/req-young')).status).toBe(200);
  expect((await stage.report(eventOf('req-old', { run_id: '78' }))).status).toBe(202);
});

test('the metrics count what was reported and what was refused', async () => {
  await stage.report(eventOf(randomUUID()), null);
  const text = await (await stage.get('/metrics')).text();
  expect(text).toMatch(/forgehand_progress_events\{status="in_progress"\} [1-9]/);
  expect(text).toMatch(/forgehand_progress_refused_total\{status="401"\} [1-9]/);
});
