/** A backend hears all of it, in order, each event under one key, however often it fails and whoever dies meanwhile. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  type Asked,
  type LocalServer,
  startServer,
} from '../../github/local-server.test-support.ts';
import { createLog } from '../../words/log.ts';
import type { ProgressEvent } from '../../words/progress.ts';
import { redactor } from '../../words/redact.ts';
import { Secret } from '../../words/secret.ts';
import { readConfiguration } from '../configuration.ts';
import type { ServerContext } from '../context.ts';
import type { Database } from '../store/database.ts';
import { acceptProgress } from '../store/progress.ts';
import { startTestStore } from '../store/store.test-support.ts';
import type { Store } from '../store/store.ts';
import { startForwarding } from './forward.ts';
import { eventOf } from './progress.test-support.ts';

const secret = 'the-secret-of-this-backend';

let store: Store;
let database: Database;
beforeAll(async () => {
  store = await startTestStore();
  database = store.database;
});

/** What the backend does with each request; `heard` are those that it has acknowledged. */
let behave: (event: ProgressEvent, asked: Asked) => Answer;
let backend: LocalServer;
let heard: ProgressEvent[];
beforeEach(async () => {
  behave = () => ({ status: 204 });
  heard = [];
  backend = await startServer((asked) => {
    const event = JSON.parse(asked.body) as ProgressEvent;
    const answer = behave(event, asked);
    const status = answer.status ?? 200;
    if (!answer.trouble && status >= 200 && status < 300) heard.push(event);
    return answer;
  });
});

const forwardings: { close(): Promise<void> }[] = [];
const lines: string[] = [];
const forward = async (environment: Record<string, string> = {}, timeoutMs = 10_000) => {
  const started = await startForwarding(contextWith(environment), {
    firstDelayMs: 5,
    lookEveryMs: 10,
    timeoutMs,
  });
  if (started) forwardings.push(started);
  return started;
};
afterEach(async () => {
  for (const one of forwardings.splice(0)) await one.close();
  await backend[Symbol.asyncDispose]();
  await database.query('delete from progress_runs');
  lines.splice(0);
});
afterAll(() => store?.close());

function contextWith(environment: Record<string, string>): ServerContext {
  const configuration = readConfiguration({
    GITHUB_TOKEN: 'ghp_of_nobody',
    ANTHROPIC_API_KEY: 'sk-ant-api03-nobody-calls-the-model-here',
    DATA_DIR: '/tmp/forgehand-progress-nowhere',
    PROGRESS_FORWARD_URL: `${backend.url}/in`,
    PROGRESS_FORWARD_SECRET: secret,
    ...environment,
  });
  return {
    role: 'worker',
    ...{ configuration, store, sandbox: 'off', version: '0.0.0-test', sessionConfiguration: '' },
    jobs: null as never,
    log: createLog((level, message) => void lines.push(`${level}: ${message}`)),
    redact: redactor(new Set([secret])),
    addSecret: () => {},
    secrets: () => [],
    webhookSecret: null,
    operatorToken: new Secret('unused'),
  };
}

const accept = async (event: ProgressEvent) => {
  expect(await acceptProgress(database, event, { forward: true })).toBe('accepted');
  return event;
};
const acceptRun = async (id: string, length: number) => {
  for (let sequence = 1; sequence < length; sequence += 1) await accept(eventOf(id, { sequence }));
  await accept(eventOf(id, { sequence: length, status: 'completed' }));
};
const outbox = () =>
  database.query<{ id: string; attempts: number; dead: boolean; error: string | null }>(
    `select id, attempts, dead_at is not null as dead, error from progress_outbox order by id`,
  );
const isEmpty = () => expect.poll(outbox).toEqual([]);
const areDead = (count: number) =>
  expect.poll(async () => (await outbox()).map(({ dead }) => dead)).toEqual(Array(count).fill(true));
const sequencesOf = (id: string) =>
  heard.filter(({ correlation_id }) => correlation_id === id).map(({ sequence }) => sequence);
const upTo = (length: number) => Array.from({ length }, (_, index) => index + 1);

test('each event is sent as it came, signed with the time, under its own key', async () => {
  const event = await accept(eventOf('one', { message: 'ümlaut, \u0000, \ud83d' }));
  await forward();
  await isEmpty();
  expect(heard).toEqual([event]);
  const [{ method, path, headers, body }] = backend.asked as [Asked];
  expect([method, path, headers['content-type']]).toEqual(['POST', '/in', 'application/json']);
  expect(headers['idempotency-key']).toBe(event.event_id);
  const timestamp = headers['x-forgehand-timestamp'] as string;
  expect(Math.abs(Date.now() / 1_000 - Number(timestamp))).toBeLessThan(300);
  expect(headers['x-forgehand-signature-256']).toBe(
    `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`,
  );
  expect(headers.authorization).toBeUndefined();
});

test('what is accepted later goes out by itself', async () => {
  await forward();
  await acceptRun('live', 3);
  await isEmpty();
  expect(sequencesOf('live')).toEqual(upTo(3));
});

test('a backend that fails half of the time, in every way, hears each run whole and in order', async () => {
  const troubles: Answer[] = [
    { status: 500 },
    { status: 429, headers: { 'retry-after': '0' } },
    { trouble: 'reset' },
    { status: 408 },
    { trouble: 'cut', status: 503, body: 'half' },
    { status: 425 },
    { status: 302, headers: { location: 'https://evil.example' } },
  ];
  let count = 0;
  behave = () => {
    count += 1;
    return count % 2 ? troubles[(count >> 1) % troubles.length]! : { status: 202 };
  };
  const runs = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(runs.map((id) => acceptRun(id, 8)));
  await forward();
  await isEmpty();
  for (const id of runs) expect(sequencesOf(id)).toEqual(upTo(8));
  expect(backend.asked.length).toBeGreaterThan(40);
});

test('a backend that is down at first hears everything once it is up', async () => {
  behave = () => ({ trouble: 'reset' });
  await acceptRun('down', 4);
  await forward();
  await expect.poll(() => backend.asked.length).toBeGreaterThan(3);
  expect(heard).toEqual([]);
  behave = () => ({ status: 200 });
  await isEmpty();
  expect(sequencesOf('down')).toEqual(upTo(4));
  expect(lines.filter((line) => line.startsWith('warning: Progress was not forwarded yet'))).toHaveLength(1);
});

test('`Retry-After` is kept to', async () => {
  behave = () => ({ status: 503, headers: { 'retry-after': '1000' } });
  await acceptRun('asked', 1);
  await forward();
  const waits = async () => {
    const [row] = await database.query<{ seconds: number }>(
      `select extract(epoch from not_before - now())::float8 as seconds from progress_outbox`,
    );
    return row!.seconds;
  };
  await expect.poll(waits).toBeGreaterThan(900);
});

test('a slow backend holds up its run only, and is asked again under the same key', async () => {
  behave = ({ correlation_id }) =>
    correlation_id === 'slow' && backend.asked.length < 4 ? { trouble: 'hang' } : {};
  await acceptRun('slow', 2);
  await acceptRun('quick', 3);
  await forward({}, 150);
  await isEmpty();
  expect(sequencesOf('quick')).toEqual(upTo(3));
  expect(sequencesOf('slow')).toEqual(upTo(2));
});

describe('dead letters', () => {
  test('what is refused again and again is given up and kept; what comes after it goes out', async () => {
    behave = ({ sequence }) => ({ status: sequence === 2 ? 422 : 200 });
    await acceptRun('refused', 3);
    await forward();
    await areDead(1);
    await expect.poll(() => sequencesOf('refused')).toEqual([1, 3]);
    expect(await outbox()).toMatchObject([{ attempts: 5, error: 'status 422' }]);
    expect(lines).toContainEqual(expect.stringMatching(/^error: .*given up: status 422$/));
  });

  test('failures do not count as refusals', async () => {
    behave = () => ({ status: backend.asked.length <= 3 ? 503 : 404 });
    await acceptRun('mixed', 1);
    await forward();
    await areDead(1);
    expect(await outbox()).toMatchObject([{ attempts: 8, error: 'status 404' }]);
  });

  test('what fails is given up after a day', async () => {
    behave = () => ({ status: 500 });
    await acceptRun('day', 1);
    const [{ hours }] = (await database.query(
      `select extract(epoch from give_up_at - now())::float8 / 3600 as hours from progress_outbox`,
    )) as [{ hours: number }];
    expect(hours).toBeCloseTo(24, 0);
    await forward();
    await expect.poll(() => backend.asked.length).toBeGreaterThan(2);
    expect(await outbox()).toMatchObject([{ dead: false }]);
    await database.query(`update progress_outbox set give_up_at = now()`);
    await areDead(1);
  });

  test('are sent again when the operator says so (docs/operations.md), but no state after the end', async () => {
    behave = ({ sequence, correlation_id }) => ({
      status: sequence === 1 || correlation_id === 'ends' ? 403 : 200,
    });
    await acceptRun('states', 2);
    await acceptRun('ends', 2);
    await forward();
    await areDead(3);
    behave = () => ({ status: 200 });
    await database.query(
      `update progress_outbox set dead_at = null, attempts = 0, refusals = 0, not_before = now(),
         give_up_at = now() + interval '1 day' where dead_at is not null`,
    );
    await isEmpty();
    // Of the first the end had been heard; of the second nothing had.
    expect(sequencesOf('states')).toEqual([2]);
    expect(sequencesOf('ends')).toEqual([1, 2]);
  });
});

test('a state that arrives after the end is kept, but the backend is not told; of another attempt it is', async () => {
  await acceptRun('late', 3);
  await accept(eventOf('late', { sequence: 2 }));
  await accept(eventOf('late', { run_attempt: 2, sequence: 1 }));
  await forward();
  await isEmpty();
  expect(heard.map(({ message }) => message).sort()).toEqual([
    '1.1 in_progress',
    '1.2 in_progress',
    '1.3 completed',
    '2.1 in_progress',
  ]);
  const [{ kept }] = (await database.query(`select count(*)::int as kept from progress_events`)) as [
    { kept: number },
  ];
  expect(kept).toBe(5);
});

test('many processes: of each run one event at a time is under way, in order', async () => {
  const underWay = new Map<string, number>();
  let most = 0;
  const slow = await startSlow(async (event) => {
    const now = (underWay.get(event.correlation_id) ?? 0) + 1;
    underWay.set(event.correlation_id, now);
    most = Math.max(most, now);
    await new Promise(setImmediate);
    heard.push(event);
    underWay.set(event.correlation_id, now - 1);
  });
  for (let index = 0; index < 3; index += 1) await forward({ PROGRESS_FORWARD_URL: slow.url });
  const runs = ['p', 'q', 'r', 's'];
  await Promise.all(runs.map((id) => acceptRun(id, 10)));
  await isEmpty();
  expect(most).toBe(1);
  for (const id of runs) expect(sequencesOf(id)).toEqual(upTo(10));
  expect(heard).toHaveLength(40);
  await slow.close();
});

test('a process that ends between sending and noting: the next one sends the same event under the same key', async () => {
  behave = () => ({ trouble: 'hang' });
  await acceptRun('cut', 2);
  const first = await forward();
  await expect.poll(() => backend.asked.length).toBe(1);
  await first!.close();
  expect((await outbox())[0]).toMatchObject({ attempts: 0, error: null });
  behave = () => ({ status: 200 });
  await forward();
  await isEmpty();
  expect(sequencesOf('cut')).toEqual([1, 2]);
  const keys = backend.asked.map(({ headers }) => headers['idempotency-key']);
  expect(keys[1]).toBe(keys[0]);
  expect(new Set(keys).size).toBe(2);
});

test('without PROGRESS_FORWARD_URL nothing is forwarded; with it the secret is needed, and an address', async () => {
  expect(await forward({ PROGRESS_FORWARD_URL: '' })).toBeNull();
  await expect(forward({ PROGRESS_FORWARD_SECRET: '' })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('PROGRESS_FORWARD_SECRET'),
  });
  await expect(forward({ PROGRESS_FORWARD_URL: 'http://user:word@127.0.0.1/in' })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('PROGRESS_FORWARD_URL'),
  });
});

/** A backend that takes its time with each event. */
async function startSlow(hear: (event: ProgressEvent) => Promise<void>) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    await hear(JSON.parse(body) as ProgressEvent);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
