/** A progress endpoint on loopback for tests: answers as it is told, and keeps what it was sent. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { type ProgressEvent, progressEvent } from '../words/progress.ts';

/** A status with or without headers; or the connection breaks, or no answer ever comes. */
export type Reply = number | { status: number; headers: Record<string, string> } | 'break' | 'hang';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  event: ProgressEvent;
}

export type TestEndpoint = Awaited<ReturnType<typeof startEndpoint>>;

/** @param answer what the nth request, from 0, is answered with; a promise makes the endpoint slow */
export async function startEndpoint(
  answer: (event: ProgressEvent, n: number) => Reply | Promise<Reply> = () => 202,
) {
  const received: Received[] = [];
  const taken: ProgressEvent[] = [];
  let looks: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const sent = JSON.parse(body);
    const event = progressEvent.parse(sent);
    if (!isDeepStrictEqual(event, sent)) throw new Error(`more than an event: ${body}`);
    received.push({ path: request.url ?? '', headers: request.headers, event });
    for (const look of looks) look();
    const reply = await answer(event, received.length - 1);
    if (reply === 'hang') return;
    if (reply === 'break') return void request.socket.resetAndDestroy();
    const { status, headers } = typeof reply === 'number' ? { status: reply, headers: {} } : reply;
    if (status < 300) taken.push(event);
    response.writeHead(status, headers).end();
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Every request, repetitions included. */
    received,
    /** Those that were answered 2xx. */
    taken,
    /** Resolves once there were that many requests. */
    async receives(count: number) {
      while (received.length < count) await new Promise<void>((look) => (looks = [...looks, look]));
    },
    goDown: close,
    comeBack: () => listen(port),
    [Symbol.asyncDispose]: close,
  };
}
