/** The scripted Claude: an Anthropic Messages API on loopback whose answers come from scripts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Moments, type Watcher } from '../moments.ts';
import {
  buildAnswer,
  defaultModel,
  estimateTokens,
  sendError,
  sendJson,
  sendStream,
  sendWhole,
} from './answer.ts';
import { type MessagesBody, ModelRequest } from './request.ts';
import { RequestLog } from './request-log.ts';
import type { Script, Step } from './step.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

export interface ModelOptions {
  /** The default script. */
  steps?: Script;
  /** The only accepted API key or OAuth token; any is accepted when unset. */
  expectedKey?: string;
  /** Port on 127.0.0.1; a free one by default. */
  port?: number;
  /** Milliseconds that every answer takes at least, errors too. */
  latencyMs?: number;
}

/** Picks conversations by the text of their first user message: a part of it, a pattern, or a function. */
export type FirstText = string | RegExp | ((firstText: string, request: ModelRequest) => boolean);

/** What was received is read from the model itself: `requests`, `firstPrompt()`, `toolResults()`, `await request(n)`… */
export interface ScriptedModel extends RequestLog, AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL`; without a slash at the end. */
  readonly url: string;
  /** A key that the model accepts. */
  readonly key: string;
  /** Sets the script of the conversations that no `when` picks. */
  script(steps: Script): void;
  /** Gives a script to some conversations only; of several that fit, the one added last is taken. */
  when(first: FirstText, steps: Script): void;
  /** Exchanges identity tokens from now on; only what it gave out is accepted then. */
  federate(endpoint: TokenEndpoint): void;
  /** Calls the watcher before each request is answered and after its answer was sent; the returned function ends that. */
  onRequest(watcher: Watcher<ModelRequest>): () => void;
  /** Ends all connections, also those that hang. */
  close(): Promise<void>;
}

/** Starts a scripted Claude on loopback. Stateless towards its scripts: turn n of a conversation gets step n. */
export async function startModel(options: ModelOptions = {}): Promise<ScriptedModel> {
  const log = new RequestLog();
  const scripts: { fits: (request: ModelRequest) => boolean; steps: Script }[] = [];
  let fallback: Script = options.steps ?? [];
  const stepOf = async (request: ModelRequest): Promise<Step> => {
    const script = scripts.findLast(({ fits }) => fits(request))?.steps ?? fallback;
    const step = script[request.turn] ?? { text: 'Done.' };
    return typeof step === 'function' ? step(request) : step;
  };
  const attempts = new Attempts();
  let federation: TokenEndpoint | null = null;
  const moments = new Moments<ModelRequest>();
  const server = createServer((incoming, response) => {
    answerRequest(incoming, response).catch((error: unknown) => {
      // A script that throws must be seen by the test that wrote it, so it travels in the answer.
      if (!response.headersSent) sendError(response, { status: 400, message: `script failed: ${error}` });
      else response.destroy();
    });
  });
  async function answerRequest(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(incoming);
    log.add(request);
    if (!(await moments.pass({ request, phase: 'before' }))) return void response.destroy();
    if (options.latencyMs) await pause(options.latencyMs);
    const path = request.path.split('?')[0];
    if (federation && path === '/v1/oauth/token') {
      const { status, body } = await federation.answer(request.body as Record<string, unknown>);
      return sendJson(response, status, body);
    }
    const keys = federation?.granted ?? (options.expectedKey === undefined ? null : [options.expectedKey]);
    if (path !== '/' && path !== '/api/hello' && rejectKey(request, response, keys)) return;
    if (request.kind === 'main') await answerStep(request, response, await stepOf(request), attempts);
    else await answerSide(request, response);
    await moments.pass({ request, phase: 'after' });
  }
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(options.port ?? 0, '127.0.0.1', done);
  });
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return Object.assign(log, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: options.expectedKey ?? 'sk-ant-api03-scripted-claude-has-no-secrets',
    script: (steps: Script) => {
      fallback = steps;
    },
    federate: (endpoint: TokenEndpoint) => {
      federation = endpoint;
    },
    when: (first: FirstText, steps: Script) => {
      scripts.push({ fits: (request) => fitsFirstText(first, request), steps });
    },
    onRequest: moments.watch.bind(moments),
    close,
    [Symbol.asyncDispose]: close,
  });
}

async function receive(incoming: IncomingMessage): Promise<ModelRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  let body: MessagesBody = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    body = { unreadable: text };
  }
  return new ModelRequest({
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: incoming.headers,
    body,
  });
}

/** @param accepted null for any. */
function rejectKey(request: ModelRequest, response: ServerResponse, accepted: string[] | null): boolean {
  if (accepted === null) return false;
  const bearer = request.headers.authorization?.replace(/^Bearer\s+/i, '');
  const key = request.headers['x-api-key'];
  if (accepted.some((one) => one === key || one === bearer)) return false;
  const message = key === undefined && bearer !== undefined ? 'Invalid bearer token' : 'invalid x-api-key';
  sendError(response, { status: 401, message });
  return true;
}

async function answerStep(
  request: ModelRequest,
  response: ServerResponse,
  step: Step,
  attempts: Attempts,
): Promise<void> {
  const attempt = attempts.next(request);
  if (step.delayMs) await pause(step.delayMs);
  if (step.error && attempt < (step.error.times ?? Number.POSITIVE_INFINITY)) {
    sendError(response, step.error);
    return;
  }
  const failed = step.error?.times ?? 0;
  const cut = attempt - failed < (step.cut === true ? 1 : (step.cut ?? 0));
  if (step.hang && !step.text && !step.thinking && !step.tools?.length) return;
  const answer = buildAnswer(step, request.body);
  if (request.body.stream) await sendStream(response, answer, step, cut);
  else if (cut) response.destroy();
  else if (!step.hang) sendWhole(response, answer);
}

async function answerSide(request: ModelRequest, response: ServerResponse): Promise<void> {
  const path = request.path.split('?')[0];
  if (path === '/v1/messages' && request.method === 'POST') {
    const step = { text: JSON.stringify({ title: 'Scripted session' }) };
    const answer = buildAnswer(step, request.body);
    if (request.body.stream) await sendStream(response, answer, step, false);
    else sendWhole(response, answer);
  } else if (path === '/v1/messages/count_tokens') {
    const { system, messages, tools } = request.body;
    sendJson(response, 200, { input_tokens: estimateTokens([system, messages, tools]) });
  } else if (path === '/v1/models') {
    const model = {
      type: 'model',
      id: defaultModel,
      display_name: 'Scripted',
      created_at: '2026-01-01T00:00:00Z',
    };
    sendJson(response, 200, { data: [model], has_more: false, first_id: model.id, last_id: model.id });
  } else if (path === '/' || path === '/api/hello') {
    sendJson(response, 200, {});
  } else {
    sendError(response, {
      status: 404,
      message: `${request.method} ${path} is not part of the scripted API`,
    });
  }
}

function fitsFirstText(first: FirstText, request: ModelRequest): boolean {
  const text = request.firstText();
  if (typeof first === 'function') return first(text, request);
  return typeof first === 'string' ? text.includes(first) : first.test(text);
}

/** Counts how often a session has asked for the same turn; its retries are what `times` and `cut` count. */
class Attempts {
  private readonly seen = new Map<string, number>();

  /** Number of the attempt, from 0. */
  next(request: ModelRequest): number {
    const key = `${request.session}\n${request.firstText()}\n${request.turn}`;
    const attempt = this.seen.get(key) ?? 0;
    this.seen.set(key, attempt + 1);
    return attempt;
  }
}
