import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { ProgressEvent } from '../words/progress.ts';
import { all, clockOf, eventOf, success } from './dispatch.test-support.ts';
import { isWaiting, type Step } from './dispatch-step.ts';
import { followStream } from './dispatch-stream.ts';

const sse = (event: ProgressEvent, id = event.sequence) =>
  `id: ${id}\nevent: progress\ndata: ${JSON.stringify(event)}\n\n`;
const begun = eventOf({ sequence: 1, status: 'queued', message: 'Queued.' });
const working = eventOf({ sequence: 2, message: 'Working.' });
const done = eventOf({ sequence: 3, status: 'completed', message: 'Done.', result: success });

/** What one connection gets: a status, or texts that are written and then ended, or cut off. */
type Answer = number | { texts: string[]; cut?: boolean; type?: string };

/** A server that answers in order, and `last` from then on; what it was asked. */
async function startServer(answers: Answer[], last: Answer = 204) {
  const asked: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer(async (request, response) => {
    const answer = answers[asked.length] ?? last;
    asked.push({ url: request.url!, headers: request.headers });
    await give(response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function give(response: ServerResponse, answer: Answer): Promise<void> {
  if (typeof answer === 'number') {
    response.writeHead(answer).end();
    return;
  }
  response.writeHead(200, { 'content-type': answer.type ?? 'text/event-stream; charset=utf-8' });
  for (const text of answer.texts) await new Promise((written) => response.write(text, written));
  if (answer.cut) response.destroy();
  else response.end();
}

const follow = (server: string, clock = clockOf()) =>
  followStream({ server, operatorToken: 'operator', correlationId: 'req/1' }, clock);
const own = (event: ProgressEvent): ProgressEvent => ({ ...event, correlation_id: 'req/1' });
const words = (steps: Step[]) =>
  steps.map((step) => (isWaiting(step) ? 'waiting' : `${step.run_attempt} ${step.message}`));

test('a task is followed to its end, with the operator’s token', async () => {
  await using server = await startServer([
    { texts: [':\n\n', ...[begun, working, done].map((event) => sse(own(event)))] },
  ]);
  expect(await all(follow(server.url))).toEqual([begun, working, done].map(own));
  expect(server.asked).toMatchObject([
    { url: '/progress/req%2F1/events', headers: { authorization: 'Bearer operator' } },
  ]);
});

test.each<[string, (text: string) => string[]]>([
  ['in pieces', (text) => text.match(/[\s\S]{1,7}/g)!],
  ['with the line ends of others', (text) => [text.replaceAll('\n', '\r\n')]],
  ['without blanks after the colons', (text) => [text.replace(/^(id|event|data): /gm, '$1:')]],
  ['over several lines', (text) => [text.replace('"result":', '\ndata: "result":')]],
  ['among events of other names', (text) => [`event: weather\ndata: rain\n\n${text}`]],
])('events are read %s', async (_, change) => {
  await using server = await startServer([{ texts: change(sse(own(begun)) + sse(own(done))) }]);
  expect(await all(follow(server.url))).toEqual([begun, done].map(own));
});

test('taken up where it broke off', async () => {
  await using server = await startServer([
    { texts: [sse(own(begun), 17)], cut: true },
    503,
    { texts: [':\n\n', sse(own(working), 18)] },
    { texts: [sse(own(done), 19)] },
  ]);
  expect(words(await all(follow(server.url)))).toEqual([
    '1 Queued.',
    'waiting',
    'waiting',
    '1 Working.',
    '1 Done.',
  ]);
  expect(server.asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '17', '17', '18']);
});

test('a connection that is cut after the end is asked once more, and there is nothing more', async () => {
  await using server = await startServer([{ texts: [sse(own(done))], cut: true }]);
  expect(words(await all(follow(server.url)))).toEqual(['1 Done.', 'waiting']);
});

test('the end of an attempt is not the end when the run was started again', async () => {
  const failed = own(eventOf({ sequence: 2, status: 'failed', message: 'Failed.' }));
  const second = [working, done].map((event) => ({ ...own(event), run_attempt: 2 }));
  const late = own(eventOf({ sequence: 3, message: 'Late.' }));
  const texts = [own(begun), failed, late, ...second].map((event, id) => sse(event, id + 1));
  await using server = await startServer([{ texts }]);
  expect(words(await all(follow(server.url)))).toEqual(['1 Queued.', '1 Failed.', '2 Working.', '2 Done.']);
});

test.each<[string, string]>([
  ['no JSON', 'id: 2\nevent: progress\ndata: {\n\n'],
  ['no event', 'id: 2\nevent: progress\ndata: {"status":"done"}\n\n'],
  ['an event of another task', sse(eventOf({ correlation_id: 'req-2', sequence: 2 }))],
  ['an event that was seen', sse(own(begun))],
])('left out: %s', async (_, text) => {
  await using server = await startServer([{ texts: [sse(own(begun)), text, sse(own(done))] }]);
  expect(words(await all(follow(server.url)))).toEqual(['1 Queued.', '1 Done.']);
});

test.each<[string, Answer, RegExp]>([
  ['another token', 401, /takes another token/],
  ['no such page', 404, /is no Forgehand server with a Progress API: it answered 404/],
  ['a page of something else', { texts: ['<html>'], type: 'text/html' }, /is no Forgehand server/],
])('refused, and not asked again: %s', async (_, answer, message) => {
  await using server = await startServer([answer], 204);
  await expect(all(follow(server.url))).rejects.toMatchObject({
    reason: 'not_permitted',
    message: expect.stringMatching(message),
  });
  expect(server.asked).toHaveLength(1);
});

test('a server that stays away is given up, asked less and less often', async () => {
  await using server = await startServer([], 503);
  const pauses: number[] = [];
  const clock = clockOf((ms) => void pauses.push(ms));
  await expect(all(follow(server.url, clock))).rejects.toMatchObject({
    message: expect.stringContaining('could not be reached again: status 503. The task goes on.'),
  });
  expect(pauses.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  expect(server.asked).toHaveLength(13);
});

test('an event without end is cut', async () => {
  const endless = `event: progress\ndata: ${'x'.repeat(5 * 1024 * 1024)}`;
  await using server = await startServer([{ texts: [endless] }, { texts: [sse(own(done))] }]);
  const steps = await all(follow(server.url));
  expect(steps[0]).toEqual({ waitingFor: 'the server: an event without end' });
  expect(words(steps).at(-1)).toBe('1 Done.');
});

test('the operator’s token is not carried to another place', async () => {
  await using elsewhere = await startServer([]);
  const server = createServer((_, response) => response.writeHead(302, { location: elsewhere.url }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(all(follow(url))).rejects.toMatchObject({ reason: 'timed_out' });
  server.close();
  expect(elsewhere.asked).toEqual([]);
});

test('when nothing is reported for a minute, what the workflow and the server need is said', async () => {
  await using server = await startServer([], { texts: [':\n\n'] });
  const steps = follow(server.url);
  const { waitingFor } = (await steps.next()).value as { waitingFor: string };
  expect(waitingFor).toContain('`id-token: write`');
  expect(waitingFor).toContain('PROGRESS_REPOSITORIES_ALLOWED');
  await steps.return(undefined);
});
