/** The model as the fence sees it: a socket that takes model requests only, and to which the host adds the credential. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type ServerResponse,
} from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Log } from '../words/log.ts';
import type { Environment } from './environment.ts';
import { listen, type SocketPlace } from './fence-socket.ts';

/** What is added to a request, and never told to the fence. */
export interface ModelAccess {
  /** `https://api.anthropic.com`, or the gateway with its path. */
  baseUrl: string;
  apiKey: string | null;
  /** An OAuth token, or a gateway's. */
  bearer: string | null;
  /** Headers that a gateway asks for. */
  headers: Record<string, string>;
}

export interface ModelSocketOptions extends SocketPlace {
  access: ModelAccess;
  /** Proxy variables of the host. */
  environment: Environment;
  log: Log;
}

export interface ModelSocket {
  /** Requests that were passed on, those of commands in the fence included. */
  passed(): number;
  close(): Promise<void>;
}

const paths = new Set(['/v1/messages', '/v1/messages/count_tokens']);
/** The API's own limit is 32 MB. */
const mostBytes = 64 * 2 ** 20;
const mostAtOnce = 64;
/** Of one fence: a session of many hours stays below it, a loop in a command does not. */
const mostRequests = 20_000;
const ownHeaders =
  /^(?:authorization|x-api-key|cookie|host|connection|keep-alive|proxy-.*|te|trailer|upgrade|transfer-encoding|expect)$/;

export async function openModelSocket(options: ModelSocketOptions): Promise<ModelSocket> {
  const { access, environment, log } = options;
  const base = new URL(access.baseUrl);
  const secure = base.protocol === 'https:';
  const settings = { keepAlive: true, noDelay: true, proxyEnv: environment };
  const agent = secure ? new SecureAgent(settings) : new PlainAgent(settings);
  let passed = 0;
  let open = 0;
  const server = createServer({ requestTimeout: 0, noDelay: true }, (request, response) => {
    const refusal = refusalOf(request, { passed, open });
    if (refusal) {
      log.notice(`The fence's way to the model refused a request: ${refusal.message}.`);
      return refuse(request, response, refusal);
    }
    passed += 1;
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    const url = new URL(base.pathname.replace(/\/$/, '') + request.url, base);
    const far = (secure ? secureRequest : plainRequest)(url, {
      method: 'POST',
      agent,
      headers: headersFor(request.headers, access, base),
    });
    relay(request, response, far);
  });
  const { close } = await listen(server, options);
  return {
    passed: () => passed,
    close: async () => {
      await close();
      agent.destroy();
    },
  };
}

interface Refusal {
  status: number;
  message: string;
}

function refusalOf(request: IncomingMessage, counts: { passed: number; open: number }): Refusal | null {
  const path = request.url?.split('?')[0] ?? '';
  if (request.method !== 'POST' || !paths.has(path))
    return { status: 403, message: 'only messages may be sent to the model' };
  if (Number(request.headers['content-length'] ?? 0) > mostBytes)
    return { status: 413, message: 'the request is too large' };
  if (counts.open >= mostAtOnce) return { status: 429, message: 'there are too many requests at once' };
  if (counts.passed >= mostRequests) return { status: 403, message: 'this session has had its requests' };
  return null;
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, message }: Refusal): void {
  request.resume();
  const error = { type: 'error', error: { type: 'permission_error', message: `Forgehand: ${message}.` } };
  response
    .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
    .end(JSON.stringify(error));
}

/** Streams both ways; when one side goes, the other is told. */
function relay(
  request: IncomingMessage,
  response: ServerResponse,
  far: ReturnType<typeof plainRequest>,
): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostBytes) far.destroy(new Error('the request is too large'));
  });
  far.on('response', (answer) => {
    const headers = Object.entries(answer.headers).filter(([name]) => !ownHeaders.test(name));
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    // Claude Code waits for the first bytes: they must not wait for the next.
    response.flushHeaders();
    answer.pipe(response);
    answer.on('error', () => response.destroy());
    answer.on('aborted', () => response.destroy());
  });
  far.on('error', (error) => {
    if (response.headersSent || response.destroyed) return void response.destroy();
    const what = { type: 'error', error: { type: 'api_error', message: `Forgehand: ${error.message}` } };
    response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify(what));
  });
  response.on('close', () => far.destroy());
  request.on('error', () => far.destroy());
  request.pipe(far);
}

/** What came from inside of a credential is a placeholder; which of ours takes its place is for its kind to say. */
function headersFor(given: IncomingHttpHeaders, access: ModelAccess, base: URL): IncomingHttpHeaders {
  const headers = Object.fromEntries(Object.entries(given).filter(([name]) => !ownHeaders.test(name)));
  const { apiKey, bearer } = access;
  const wantsBearer = given.authorization !== undefined;
  if (apiKey && (given['x-api-key'] !== undefined || !wantsBearer || !bearer)) headers['x-api-key'] = apiKey;
  if (bearer && (wantsBearer || !apiKey)) headers.authorization = `Bearer ${bearer}`;
  return { ...headers, ...access.headers, host: base.host };
}
