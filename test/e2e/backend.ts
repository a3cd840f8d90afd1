/** A backend as somebody would write it: takes progress, keeps it as it came, and can be slow, broken or away. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { type ProgressEvent, progressEvent } from '../../src/words/progress.ts';
import type { LocalGitHub } from '../../testkit/github/main.ts';

export interface Backend extends AsyncDisposable {
  /** Where progress goes. */
  endpoint: string;
  origin: string;
  /** What was acknowledged, as it came, repetitions included. */
  heard: ProgressEvent[];
  /** Of every request, also of those that it refused. */
  requests: { headers: IncomingHttpHeaders; path: string; body: string; at: number }[];
  /** Resolves once it has heard such an event. */
  hears(wanted: (event: ProgressEvent) => boolean): Promise<ProgressEvent>;
}

/** @param answer the status for the nth request, from 0; a promise is a slow answer. Breaks the connection for 0. */
export async function startBackend(
  answer: (n: number) => number | Promise<number> = () => 202,
): Promise<Backend> {
  const heard: ProgressEvent[] = [];
  const requests: Backend['requests'] = [];
  const waiting: (() => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const status = await answer(
      requests.push({ headers: request.headers, path: request.url ?? '', body, at: Date.now() }) - 1,
    );
    if (status === 0) return request.socket.destroy();
    if (status < 300) {
      heard.push(progressEvent.parse(JSON.parse(body)));
      for (const look of waiting.splice(0)) look();
    }
    return response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint: `${origin}/progress`,
    origin,
    heard,
    requests,
    hears: async (wanted) => {
      for (;;) {
        const found = heard.find(wanted);
        if (found) return found;
        await new Promise<void>((look) => waiting.push(look));
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The claims of a request's token, checked against GitHub's published keys. */
export async function claimsOf(
  { headers }: Backend['requests'][number],
  { github, audience }: { github: LocalGitHub; audience: string },
) {
  const keys = createRemoteJWKSet(new URL(`${github.oidc.issuer}/.well-known/jwks`));
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const { payload } = await jwtVerify(token, keys, { issuer: github.oidc.issuer, audience });
  return payload;
}

/** Each event once, in the order of their numbers. */
export function once(events: ProgressEvent[]): ProgressEvent[] {
  return [...new Map(events.map((event) => [event.event_id, event])).values()].sort(
    (one, other) => one.sequence - other.sequence,
  );
}
