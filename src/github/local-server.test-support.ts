/** A small HTTP server on loopback for tests: hands out scripted answers in order and keeps what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GitHubHost } from './client.ts';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** Text as it is, everything else as JSON. */
  body?: unknown;
  /** Instead of a whole answer: the connection is cut before or in the middle of it, or nothing ever comes. */
  trouble?: 'reset' | 'cut' | 'hang';
}

export type LocalServer = Awaited<ReturnType<typeof startServer>>;

/** Answers what `script` lists, in order, and 500 after its end; or what it returns for each request. */
export async function startServer(script: Answer[] | ((asked: Asked) => Answer)) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const one: Asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body,
    };
    asked.push(one);
    give(response, (Array.isArray(script) ? script[asked.length - 1] : script(one)) ?? { status: 500 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host: GitHubHost = { apiUrl: url, graphqlUrl: `${url}/graphql`, serverUrl: url };
  return {
    url,
    host,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function give(response: ServerResponse, { status = 200, headers = {}, body = '', trouble }: Answer): void {
  if (trouble === 'hang') return;
  if (trouble === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...headers });
  if (trouble === 'cut') response.write(text.slice(0, -1), () => response.socket?.destroy());
  else response.end(text);
}
