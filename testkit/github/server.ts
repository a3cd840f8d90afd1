/** The HTTP face of the local GitHub: logs each request, lets faults strike, and hands it to the part that answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Moments } from '../moments.ts';
import type { Identity } from './access.ts';
import { answerAttachment } from './attachments.ts';
import type { Exchange } from './exchange.ts';
import type { Fault, Faults } from './faults.ts';
import { parseGitPath, serveGit } from './git/smart-http.ts';
import { answerGraphql } from './graphql/execute.ts';
import { identify } from './identity.ts';
import type { Kit } from './kit.ts';
import { answerKit } from './kit-endpoints.ts';
import type { Oidc } from './oidc.ts';
import { answerPage } from './page.ts';
import { cut, describeIdentity, type LoggedRequest, operationOf, type RequestKind } from './request-log.ts';
import type { Answer } from './rest/call.ts';
import { HttpProblem } from './rest/problem.ts';
import { answerRest } from './rest/router.ts';
import { enterprisePath } from './site.ts';
import { nodeIdOf } from './store.ts';

export interface ServerParts {
  kit: Kit;
  faults: Faults;
  oidc: Oidc;
  exchange: Exchange;
  log: LoggedRequest[];
  moments: Moments<LoggedRequest>;
  /** Milliseconds that every request waits first; read at each request. */
  latency: () => number;
}

/** One request with what is already known of it. */
interface Exchanged {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: URLSearchParams;
  /** Empty for git, whose bodies are streamed. */
  bytes: Buffer;
  json: unknown;
  entry: LoggedRequest;
}

const largestBody = 50 * 1024 * 1024;

/** Listens on a free port of 127.0.0.1. */
export async function listen(parts: ServerParts) {
  const server = createServer((request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      parts.kit.violations.push({
        where: `${request.method} ${request.url}`,
        problem: `crashed: ${String(error)}`,
      });
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'Server Error' }));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const known = enterprisePath(parts.kit.store.site, request.headers.host, request.url ?? '/');
  if (known === null) return unknownAddress(parts.kit, request, response);
  request.url = known;
  const url = new URL(known, 'http://local');
  const entry = newEntry(request, kindOf(url.pathname));
  parts.log.push(entry);
  response.on('close', () => {
    entry.ms = Date.now() - entry.startedAt;
  });
  const bytes = entry.kind === 'git' ? Buffer.alloc(0) : await readBody(request);
  const json = parseJson(bytes);
  entry.body = json === undefined ? null : cut(json);
  entry.operation = entry.kind === 'graphql' ? operationOf(json) : null;
  const exchanged: Exchanged = {
    request,
    response,
    path: url.pathname,
    query: url.searchParams,
    bytes,
    json,
    entry,
  };
  await sleep(parts.latency());
  const target = { method: entry.method, path: url.pathname, operation: entry.operation };
  const fault = parts.faults.strike(target);
  if (fault?.delayMs) await sleep(fault.delayMs);
  if (response.destroyed || fault?.hang) return;
  if (!(await parts.moments.pass({ request: entry, phase: 'before' }))) return void request.socket.destroy();
  if (fault && !fault.after && (await strike(exchanged, fault))) return;
  await carryOut(parts, exchanged, fault);
}

/** As if somebody else listened there. */
function unknownAddress(
  { violations }: Kit,
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  violations.push({
    where: `${method} ${url}`,
    problem: `${headers.host} is not where this GitHub has that`,
  });
  response
    .writeHead(404, { 'content-type': 'application/json' })
    .end(JSON.stringify({ message: 'Not Found' }));
}

/** Spoils the answer; false when the fault was only a delay. */
async function strike({ request, response, entry }: Exchanged, fault: Fault): Promise<boolean> {
  if (fault.reset) {
    request.socket.destroy();
    return true;
  }
  if (fault.status === undefined && fault.body === undefined) return false;
  const answer = {
    status: fault.status ?? 200,
    headers: fault.headers,
    body: fault.body ?? { message: 'Fault' },
  };
  send({ response, entry }, answer, fault.cutBody);
  return true;
}

async function carryOut(parts: ServerParts, exchanged: Exchanged, fault: Fault | null): Promise<void> {
  const { request, response, entry } = exchanged;
  const identity = await identityOf(parts.kit, request, entry);
  if (entry.kind === 'git') {
    const git = parseGitPath(request.url ?? '')!;
    response.on('finish', () => {
      entry.status = response.statusCode;
    });
    await serveGit(parts.kit.store, git, {
      identity: identity === null ? 'bad' : identity,
      request,
      response,
      done: async () => void (await parts.moments.pass({ request: entry, phase: 'after' })),
    });
    return;
  }
  const answer = await answerOf(parts, exchanged, identity);
  if (!(await parts.moments.pass({ request: entry, phase: 'after' }))) return void request.socket.destroy();
  if (fault?.after && (await strike(exchanged, fault))) return;
  send(
    exchanged,
    fault?.headers ? { ...answer, headers: { ...answer.headers, ...fault.headers } } : answer,
    fault?.cutBody,
  );
}

/** null for credentials that are no good. */
async function identityOf(
  kit: Kit,
  request: IncomingMessage,
  entry: LoggedRequest,
): Promise<Identity | null> {
  if (entry.kind === 'kit') {
    entry.authorization = request.headers.authorization ? 'other' : 'none';
    return { kind: 'anonymous' };
  }
  try {
    const identity = await identify(kit.store, request.headers.authorization);
    Object.assign(entry, describeIdentity(identity));
    return identity;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    entry.authorization = 'other';
    return null;
  }
}

async function answerOf(
  parts: ServerParts,
  exchanged: Exchanged,
  identity: Identity | null,
): Promise<Answer> {
  const { request, path, query, json, entry } = exchanged;
  if (entry.kind === 'kit') return answerKit(parts, { path, query, headers: request.headers, json });
  if (!identity) return { status: 401, body: new HttpProblem(401, 'Bad credentials').body() };
  if (entry.kind === 'graphql') return answerGraphql(parts.kit, identity, json);
  if (entry.kind === 'page' && path.startsWith('/user-attachments/'))
    return answerAttachment(parts.kit.store, identity, path);
  if (entry.kind === 'page') return answerPage(parts.kit.store, identity, path);
  if (json === undefined && exchanged.bytes.length > 0) {
    return { status: 400, body: new HttpProblem(400, 'Problems parsing JSON').body() };
  }
  const { store } = parts.kit;
  const body = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  const rest = path.slice('/api/v3'.length) || '/';
  return answerRest(entry.method, rest, {
    kit: parts.kit,
    store,
    query,
    body,
    headers: request.headers,
    identity,
    url: store.site.apiUrl + rest,
  });
}

function send(
  { response, entry }: Pick<Exchanged, 'response' | 'entry'>,
  answer: Answer,
  cutBody?: boolean,
): void {
  entry.status = answer.status;
  const payload = bytesOf(answer.body);
  response.writeHead(answer.status, {
    'content-type':
      typeof answer.body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'x-github-request-id': nodeIdOf('REQ', entry.startedAt),
    'x-github-media-type': 'github.v3; format=json',
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-ratelimit-used': '1',
    'x-ratelimit-resource': entry.kind === 'graphql' ? 'graphql' : 'core',
    'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3600),
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': payload.length }),
    ...answer.headers,
  });
  if (!cutBody) {
    response.end(payload);
    return;
  }
  response.write(payload.subarray(0, Math.ceil(payload.length / 2)), () => response.destroy());
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function kindOf(path: string): RequestKind {
  if (path === '/api/graphql') return 'graphql';
  if (path === '/api/v3' || path.startsWith('/api/v3/')) return 'rest';
  if (path.startsWith('/_')) return 'kit';
  return parseGitPath(path) ? 'git' : 'page';
}

function newEntry(request: IncomingMessage, kind: RequestKind): LoggedRequest {
  return {
    kind,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    status: 0,
    startedAt: Date.now(),
    ms: null,
    authorization: 'none',
    login: null,
    token: null,
    body: null,
    operation: null,
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
