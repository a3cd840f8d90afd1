import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../words/log.ts';
import { type ModelSocket, openModelSocket } from './model-socket.ts';

let root: string;
let upstream: Server;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let socket: ModelSocket;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'model-socket-'));
  asked = [];
  answer = (_, response) => response.end('{}');
  upstream = createServer((incoming, response) => {
    asked.push(incoming);
    answer(incoming, response);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});
afterEach(async () => {
  await socket.close();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(root, { recursive: true });
});

async function open(access: { apiKey?: string; bearer?: string; headers?: Record<string, string> }) {
  const { port } = upstream.address() as AddressInfo;
  socket = await openModelSocket({
    ...{ path: join(root, 'model.sock'), owner: null, environment: {}, log: createLog(() => undefined) },
    access: {
      apiKey: null,
      bearer: null,
      headers: {},
      baseUrl: `http://127.0.0.1:${port}/gateway`,
      ...access,
    },
  });
}

function ask(headers: Record<string, string>, path = '/v1/messages?beta=true') {
  const sent = request({ socketPath: join(root, 'model.sock'), path, method: 'POST', headers });
  sent.on('error', () => undefined);
  sent.end('{}');
  return sent;
}

async function answered(sent: ReturnType<typeof ask>): Promise<number> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode!;
}

test.each([
  ['an API key', { apiKey: 'real' }, { 'x-api-key': 'made-up' }, { 'x-api-key': 'real' }],
  ['a token', { bearer: 'real' }, { authorization: 'Bearer made-up' }, { authorization: 'Bearer real' }],
  ['what was not sent along', { apiKey: 'real' }, {}, { 'x-api-key': 'real' }],
  [
    'one kind in place of the other',
    { apiKey: 'real' },
    { authorization: 'Bearer made-up' },
    { 'x-api-key': 'real', authorization: undefined },
  ],
  [
    'a gateway’s headers',
    { bearer: 'real', headers: { 'x-tenant': 'ours' } },
    { 'x-tenant': 'theirs', cookie: 'a=b', 'anthropic-beta': 'kept' },
    { 'x-tenant': 'ours', cookie: undefined, 'anthropic-beta': 'kept', authorization: 'Bearer real' },
  ],
])('adds %s, and lets none of the fence’s own through', async (_, access, sent, arrives) => {
  await open(access);
  expect(await answered(ask(sent))).toBe(200);
  expect(asked[0]!.url).toBe('/gateway/v1/messages?beta=true');
  for (const [name, value] of Object.entries(arrives)) expect(asked[0]!.headers[name]).toBe(value);
  expect(JSON.stringify(asked[0]!.rawHeaders)).not.toContain('made-up');
  expect(socket.passed()).toBe(1);
});

test.each([
  '/v1/models',
  '/v1/messages/batches',
  '/v1/messages/',
  '//evil.example/v1/messages',
  '/v1/messages/../files',
])('does not pass %s on', async (path) => {
  await open({ apiKey: 'real' });
  expect(await answered(ask({}, path))).toBe(403);
  expect(asked).toEqual([]);
});

test('streams as the model does, and ends the request when the fence has gone away', async () => {
  const closed = Promise.withResolvers<void>();
  answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: ping\n\n');
    response.on('close', closed.resolve);
  };
  await open({ apiKey: 'real' });
  const sent = ask({});
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(String((await once(response, 'data'))[0])).toBe('event: ping\n\n');
  sent.destroy();
  await closed.promise;
});

test('says so when the model cannot be reached', async () => {
  await open({ apiKey: 'real' });
  upstream.close();
  upstream.closeAllConnections();
  expect(await answered(ask({}))).toBe(502);
});
