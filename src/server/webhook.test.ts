import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { payloadOf } from '../trigger/given.fixture.ts';
import { headersOf, type InboxStage, operatorToken, setInboxStage } from './inbox/inbox.test-support.ts';

let stage: InboxStage;
beforeAll(async () => {
  stage = await setInboxStage({ inbox: false, headersMs: 300, requestMs: 600 });
});
afterAll(() => stage?.[Symbol.asyncDispose]());

const opened = JSON.stringify(payloadOf('issues.opened'));
const stored = async () =>
  (await stage.store.database.query<{ n: number }>('select count(*)::int as n from deliveries'))[0]!.n;

describe('a delivery is verified, kept, and answered', () => {
  test('accepted, with the job that routes it; the second time it is a duplicate', async () => {
    const headers = headersOf(opened);
    const first = await stage.post(opened, headers);
    expect([first.status, await first.json()]).toEqual([
      202,
      { status: 'accepted', delivery_id: headers['x-github-delivery'] },
    ]);
    const second = await stage.post(opened, headers);
    expect([second.status, await second.json()]).toEqual([
      202,
      { status: 'duplicate', delivery_id: headers['x-github-delivery'] },
    ]);
    expect(await stage.delivery(headers['x-github-delivery']!)).toMatchObject({
      event: 'issues',
      action: 'opened',
      payload: opened,
      source: 'webhook',
      verdict: null,
    });
    const jobs = await stage.store.database.query(`select data from pgboss.job where name = 'route'`);
    expect(jobs).toHaveLength(1);
  });

  test("GitHub's form encoding is read too", async () => {
    const body = new URLSearchParams({ payload: opened }).toString();
    const type = 'application/x-www-form-urlencoded';
    expect((await stage.post(body, headersOf(body, { type }))).status).toBe(202);
  });

  test.each([
    ['ping', { zen: 'Keep it logically awesome.' }, 'unsupported_event'],
    ['push', { ref: 'refs/heads/main' }, 'unsupported_event'],
    ['issues', payloadOf('issues.labeled'), 'switched_off'],
    ['issues', { action: 'opened' }, 'invalid_input'],
    ['issues', { ...payloadOf('issues.opened'), repository: null }, 'invalid_input'],
  ])(
    '%s %# is ignored with its reason, which is kept; known, it is a duplicate',
    async (event, payload, reason) => {
      const body = JSON.stringify(payload);
      const headers = headersOf(body, { event });
      const answer = await stage.post(body, headers);
      expect([answer.status, await answer.json()]).toEqual([
        200,
        { status: 'ignored', reason, delivery_id: headers['x-github-delivery'] },
      ]);
      expect(await stage.delivery(headers['x-github-delivery']!)).toMatchObject({
        verdict: 'ignore',
        reason,
      });
      expect(await (await stage.post(body, headers)).json()).toMatchObject({ status: 'duplicate' });
    },
  );

  test('null bodies, no installation and hostile names pass', async () => {
    const payload = payloadOf('issues.opened');
    payload.issue.body = null;
    payload.issue.title = '"; rm -rf / #\u0000\ud800 $(id)';
    payload.issue.labels = [{ name: "'); drop table deliveries; --" }];
    delete payload.installation;
    const body = JSON.stringify(payload);
    expect((await stage.post(body, headersOf(body))).status).toBe(202);
  });
});

test('a full disk is said, with 503, and what comes at the same time is kept', async () => {
  const { database } = stage.store;
  await database.query(`create function full_disk() returns trigger language plpgsql as $$ begin
    raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$`);
  await database.query(
    `create trigger full_disk before insert on deliveries for each row when (new.id like 'full-%') execute function full_disk()`,
  );
  const send = (guid: string) => stage.post(opened, headersOf(opened, { guid }));
  const answers = await Promise.all(['a-1', 'full-2', 'a-3', 'a-4'].map(send));
  expect(answers.map(({ status }) => status)).toEqual([202, 503, 202, 202]);
  expect(await answers[1]!.json()).toMatchObject({
    error: expect.stringContaining('No space left on device'),
  });
  await database.query('drop trigger full_disk on deliveries');
  expect((await send('full-2')).status).toBe(202);
});

describe('what is no delivery of GitHub is not kept', () => {
  test.each<[string, () => [string | Buffer, Record<string, string>], number]>([
    ['unsigned', () => [opened, without(headersOf(opened), 'x-hub-signature-256')], 401],
    ['signed with another secret', () => [opened, headersOf(opened, { secret: 'guessed' })], 401],
    ['signed for another body', () => [`${opened} `, headersOf(opened)], 401],
    [
      'a digest that is none',
      () => [opened, { ...headersOf(opened), 'x-hub-signature-256': 'sha256=zz' }],
      401,
    ],
    [
      'the old SHA-1',
      () => [opened, { ...headersOf(opened), 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` }],
      401,
    ],
    ['no delivery id', () => [opened, without(headersOf(opened), 'x-github-delivery')], 400],
    ['a hostile delivery id', () => [opened, headersOf(opened, { guid: "1'; drop table deliveries" })], 400],
    ['no event', () => [opened, without(headersOf(opened), 'x-github-event')], 400],
    ['truncated', () => signed(opened.slice(0, 1_000)), 400],
    ['not JSON', () => signed('hello'), 400],
    ['empty', () => signed(''), 400],
    ['a list', () => signed('[]'), 400],
    ['null', () => signed('null'), 400],
    ['not UTF-8', () => signed(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), 400],
    [
      'a form without a payload',
      () => [`a=1`, headersOf('a=1', { type: 'application/x-www-form-urlencoded' })],
      400,
    ],
  ])('%s: %#', async (_, request, status) => {
    const before = await stored();
    const [body, headers] = request();
    const answer = await stage.post(body, headers);
    expect([answer.status, await answer.json()]).toEqual([status, { error: expect.any(String) }]);
    expect(await stored()).toBe(before);
  });

  test('30 MB', async () => {
    const body = Buffer.alloc(30 * 1024 * 1024, 0x20);
    const answer = await stage.post(body, headersOf(body));
    expect(answer.status).toBe(413);
  });

  test('25 MB of unsigned words take no memory: the answer comes before the body', async () => {
    const { port } = stage.web;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: ${25 * 1024 * 1024}\r\n\r\n{`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  test.each([
    ['headers', `POST /webhook HTTP/1.1\r\nHost: x\r\nX-Slow: `],
    [
      'body',
      `POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256=${'0'.repeat(64)}\r\nContent-Length: 100\r\n\r\n{`,
    ],
  ])('slow %s: the connection ends', async (_, start) => {
    const socket = connect(stage.web.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(start);
    await once(socket, 'close');
  });
});

describe('what the server tells of itself', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${stage.web.url}${path}`, { headers, redirect: 'manual' });

  test('/health has the shape of the source document, with live sessions only', async () => {
    const { database } = stage.store;
    await database.query(
      `insert into threads (key, repository, number, kind, session_name, branch, pull_url, in_tmux, lease_owner, lease_until)
       values ('owner/repo#42', 'owner/repo', 42, 'issue', 'claude-owner-repo-42', 'issue-42',
         'https://github.com/owner/repo/pull/99', true, $1, now() + interval '1 minute'),
         ('owner/repo#43', 'owner/repo', 43, 'issue', 'claude-owner-repo-43', 'issue-43', null, true, $1, now() - interval '1 s')`,
      [randomUUID()],
    );
    expect(await (await get('/health')).json()).toEqual({
      status: 'ok',
      active_sessions: {
        'owner/repo#42': {
          session_name: 'claude-owner-repo-42',
          branch: 'issue-42',
          pr_url: 'https://github.com/owner/repo/pull/99',
          tmux_active: true,
        },
      },
      total_sessions: 1,
      version: '0.0.0-test',
      database: 'ok',
      sandbox: 'off',
    });
    expect((await get('/ready')).status).toBe(200);
  });

  test("/metrics is the operator's", async () => {
    expect((await get('/metrics')).status).toBe(401);
    expect((await get('/metrics', { authorization: 'Bearer guessed' })).status).toBe(401);
    const text = await (await get('/metrics', { authorization: `Bearer ${operatorToken}` })).text();
    expect(text).toMatch(/forgehand_deliveries\{.*unsupported_event/);
    expect(text).toContain('forgehand_webhook_refused_total{status="401"}');
    expect(text).toContain('forgehand_database_up 1');
  });

  test('the printed link becomes a cookie that is no token', async () => {
    expect((await get('/operator')).status).toBe(401);
    expect((await get('/operator?token=guessed')).status).toBe(401);
    const answer = await get(`/operator?token=${operatorToken}`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/operator']);
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(operatorToken);
    const given = { cookie: cookie.split(';')[0]! };
    expect((await get('/operator', given)).status).toBe(200);
    expect((await get('/metrics', given)).status).toBe(200);
  });
});

test('HEALTH_DETAILS=token shows how many, and to the operator which', async () => {
  await using other = await setInboxStage({
    inbox: false,
    environment: { HEALTH_DETAILS: 'token' },
    store: stage.store,
    github: stage.github,
  });
  const health = async (headers = {}) => (await fetch(`${other.web.url}/health`, { headers })).json();
  expect(await health()).toMatchObject({ active_sessions: {}, total_sessions: 1 });
  expect(await health({ authorization: `Bearer ${operatorToken}` })).toMatchObject({
    active_sessions: { 'owner/repo#42': {} },
  });
});

test('ALLOW_UNSIGNED_WEBHOOKS takes everything, and warns', async () => {
  await using other = await setInboxStage({
    inbox: false,
    environment: { ALLOW_UNSIGNED_WEBHOOKS: 'true' },
    store: stage.store,
    github: stage.github,
  });
  const headers = without(headersOf(opened), 'x-hub-signature-256');
  expect((await other.post(opened, headers)).status).toBe(202);
  expect(other.lines).toContainEqual(
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('not verified') }),
  );
});

function signed(body: string | Buffer): [string | Buffer, Record<string, string>] {
  return [body, headersOf(body)];
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}
