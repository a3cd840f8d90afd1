/** The operator follows a run: what was accepted, then what comes, from wherever the stream broke off, until the end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProgressEvent } from '../../words/progress.ts';
import { operatorToken } from '../inbox/inbox.test-support.ts';
import { openDatabase } from '../store/database.ts';
import { relayTo } from '../store/outage.test-support.ts';
import {
  eventOf,
  framesOf,
  messagesOf,
  type ProgressStage,
  setProgressStage,
  take,
} from './progress.test-support.ts';

let stage: ProgressStage;
let other: ProgressStage;
beforeAll(async () => {
  stage = await setProgressStage();
  other = await setProgressStage({
    github: stage.github,
    store: stage.store,
    progress: { heartbeatMs: 20 },
  });
});
afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const send = (id: string, changes: Partial<ProgressEvent>) => stage.report(eventOf(id, changes));
const open = (on: ProgressStage, id: string, lastSeen?: string) =>
  on.get(`/progress/${encodeURIComponent(id)}/events`, lastSeen ? { 'last-event-id': lastSeen } : {});

test('what was there comes first, then what is accepted at another web, then the stream ends', async () => {
  await send('live', { sequence: 1, status: 'queued' });
  const response = await open(other, 'live');
  expect([
    response.status,
    response.headers.get('content-type'),
    response.headers.get('cache-control'),
  ]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store']);
  const frames = framesOf(response);
  const [first] = await take(frames, 1);
  expect(first).toMatchObject({ event: 'progress', id: expect.stringMatching(/^\d+$/) });
  const live = eventOf('live', { sequence: 2, message: 'two\nlines\r\n\r\ndata: forged' });
  await stage.report(live);
  const [second] = await take(frames, 1);
  expect(second!.data).toEqual(live);
  expect(Number(second!.id)).toBeGreaterThan(Number(first!.id));
  await send('live', { sequence: 3, status: 'completed' });
  expect(messagesOf(await take(frames, 1))).toEqual(['1.3 completed']);
  expect((await frames.next()).done).toBe(true);
});

test('who comes back gets what was missed, once; and 204 when there is nothing to come back for', async () => {
  for (const sequence of Array.from({ length: 50 }, (_, index) => index + 1))
    await send('back', { sequence });
  const begun = await take(framesOf(await open(stage, 'back')), 50);
  const seen = begun[29]!.id;
  await send('back', { sequence: 51, status: 'failed' });
  const rest = framesOf(await open(stage, 'back', seen));
  const missed = await take(rest, 21);
  expect((await rest.next()).done).toBe(true);
  expect(missed.map(({ data }) => data.sequence)).toEqual(
    Array.from({ length: 21 }, (_, index) => index + 31),
  );
  expect((await open(stage, 'back', missed.at(-1)!.id)).status).toBe(204);
  // Without a place, or with one that is none, from the beginning.
  const whole = framesOf(await open(stage, 'back', 'forged'));
  expect(messagesOf(await take(whole, 51)).at(-1)).toBe('1.51 failed');
});

test('the order is that of acceptance; what was late is seen when it comes', async () => {
  const frames = framesOf(await open(stage, 'late'));
  for (const sequence of [2, 3, 1]) await send('late', { sequence });
  expect((await take(frames, 3)).map(({ data }) => data.sequence)).toEqual([2, 3, 1]);
  await frames.return(undefined);
});

test('nothing has been reported yet: the stream waits for the run to start', async () => {
  const frames = framesOf(await open(other, 'soon'));
  const waiting = take(frames, 1);
  await send('soon', { status: 'queued' });
  expect(messagesOf(await waiting)).toEqual(['1.1 queued']);
  await frames.return(undefined);
});

test('a run that was run again: the end of its former attempt is not the end', async () => {
  await send('again', { status: 'failed' });
  await send('again', { run_attempt: 2, status: 'queued' });
  const frames = framesOf(await open(stage, 'again'));
  await take(frames, 2);
  await send('again', { run_attempt: 1, sequence: 2 });
  expect(messagesOf(await take(frames, 1))).toEqual(['1.2 in_progress']);
  await send('again', { run_attempt: 2, sequence: 2, status: 'completed' });
  expect(messagesOf(await take(frames, 1))).toEqual(['2.2 completed']);
  expect((await frames.next()).done).toBe(true);
});

test('signs of life, while nothing happens', async () => {
  const beats = Promise.withResolvers<void>();
  let count = 0;
  const frames = framesOf(await open(other, 'silent'), () => {
    count += 1;
    if (count === 3) beats.resolve();
  });
  const next = frames.next();
  await beats.promise;
  await send('silent', { status: 'cancelled' });
  expect((await next).value.data.status).toBe('cancelled');
});

test('many follow one run, and each sees all of it', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => framesOf(await open(index % 2 ? stage : other, 'crowd'))),
  );
  for (const sequence of [1, 2, 3]) await send('crowd', { sequence });
  await send('crowd', { sequence: 4, status: 'completed' });
  for (const frames of all)
    expect((await take(frames, 4)).map(({ data }) => data.sequence)).toEqual([1, 2, 3, 4]);
});

test('a client that reads nothing holds nobody up, and the end of the server ends streams', async () => {
  const third = await setProgressStage({ github: stage.github, store: stage.store });
  const socket = connect(third.web.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  for (const sequence of Array.from({ length: 60 }, (_, index) => index + 1))
    await send('flood', { sequence, message: 'x'.repeat(69_000) });
  socket.write(
    `GET /progress/flood/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${operatorToken}\r\n\r\n`,
  );
  const patient = framesOf(await open(third, 'flood'));
  await take(patient, 60);
  const end = patient.next();
  await third[Symbol.asyncDispose]();
  expect((await end).done).toBe(true);
  socket.resume();
  await once(socket, 'close');
});

test('the database goes away: the stream ends, and goes on where it was once it is back', async () => {
  const relay = await relayTo(stage.store.url);
  const database = await openDatabase(relay.url, { patienceMs: 200 });
  const third = await setProgressStage({ github: stage.github, store: { ...stage.store, database } });
  await send('outage', { sequence: 1 });
  const before = framesOf(await open(third, 'outage'));
  const [seen] = await take(before, 1);
  relay.cut();
  await send('outage', { sequence: 2 });
  relay.mend();
  // Either the stream has noticed nothing and goes on, or it ends and the client comes back.
  const next = await before.next().catch(() => ({ done: true, value: undefined }));
  const frames = next.done ? framesOf(await open(third, 'outage', seen!.id)) : null;
  const second = frames ? (await take(frames, 1))[0]! : next.value!;
  expect(second.data.sequence).toBe(2);
  await third[Symbol.asyncDispose]();
  await database.close();
  await relay.close();
});
