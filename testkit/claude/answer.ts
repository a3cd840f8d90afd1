/** Turns a step into an answer of the Messages API: one JSON message, or the same message as server-sent events. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContentBlock, MessagesBody } from './request.ts';
import type { Step, StepError, Usage } from './step.ts';

/** A finished assistant message, as the API returns it without streaming. */
export interface Answer {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: ContentBlock[];
  stop_reason: string;
  stop_sequence: null;
  usage: Usage & { service_tier: string };
}

/** The model that answers when the request names none. */
export const defaultModel = 'claude-opus-5-5';

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const pieceLength = 24;

/** Builds the message that a step says to a request. */
export function buildAnswer(step: Step, body: MessagesBody): Answer {
  const content: ContentBlock[] = [];
  if (step.thinking) {
    content.push({
      type: 'thinking',
      thinking: step.thinking,
      signature: randomBytes(48).toString('base64'),
    });
  }
  if (step.text) content.push({ type: 'text', text: step.text });
  for (const { name, input } of step.tools ?? []) {
    content.push({ type: 'tool_use', id: identifier('toolu'), name, input });
  }
  return {
    id: identifier('msg'),
    type: 'message',
    role: 'assistant',
    model: body.model ?? defaultModel,
    content,
    stop_reason: step.stop ?? (step.tools?.length ? 'tool_use' : 'end_turn'),
    stop_sequence: null,
    usage: { ...estimateUsage(body, content), ...step.usage, service_tier: 'standard' },
  };
}

/** Sends the message in one piece. */
export function sendWhole(response: ServerResponse, answer: Answer): void {
  sendJson(response, 200, answer);
}

/**
 * Sends the message as the events of a stream. `cut` destroys the connection half way, `hang` never ends it.
 * Stops quietly when the client goes away.
 */
export async function sendStream(
  response: ServerResponse,
  answer: Answer,
  step: Step,
  cut: boolean,
): Promise<void> {
  response.writeHead(200, { ...commonHeaders(), 'content-type': 'text/event-stream; charset=utf-8' });
  const events = [...streamEvents(answer)];
  const last = cut
    ? Math.max(2, Math.floor(events.length / 2))
    : step.hang
      ? events.length - 2
      : events.length;
  for (const event of events.slice(0, last)) {
    if (response.destroyed) return;
    if (step.chunkDelayMs && event.type === 'content_block_delta') await pause(step.chunkDelayMs);
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  if (cut) {
    // The bytes before the cut are to arrive: a reset right behind them could overtake them.
    await pause(20);
    response.destroy();
  } else if (!step.hang) {
    response.end();
  }
}

/** Sends an error in Anthropic's shape. */
export function sendError(response: ServerResponse, error: StepError): void {
  const type = error.type ?? errorTypes[error.status] ?? 'api_error';
  if (error.retryAfter !== undefined) response.setHeader('retry-after', String(error.retryAfter));
  sendJson(response, error.status, {
    type: 'error',
    error: { type, message: error.message ?? type.replaceAll('_', ' ') },
    request_id: identifier('req'),
  });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { ...commonHeaders(), 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** About four bytes make a token, which is near enough for costs that are not 0. */
export function estimateTokens(value: unknown): number {
  return Math.max(1, Math.ceil(JSON.stringify(value ?? '').length / 4));
}

function estimateUsage(body: MessagesBody, content: ContentBlock[]): Usage {
  return {
    input_tokens: estimateTokens(body.messages),
    output_tokens: estimateTokens(content),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: estimateTokens([body.system, body.tools]),
  };
}

type StreamEvent = { type: string; [field: string]: unknown };

function* streamEvents(answer: Answer): Generator<StreamEvent> {
  const usage = { ...answer.usage, output_tokens: 1 };
  yield { type: 'message_start', message: { ...answer, content: [], stop_reason: null, usage } };
  yield { type: 'ping' };
  for (const [index, block] of answer.content.entries()) {
    yield { type: 'content_block_start', index, content_block: emptied(block) };
    for (const delta of deltas(block)) yield { type: 'content_block_delta', index, delta };
    yield { type: 'content_block_stop', index };
  }
  const delta = { stop_reason: answer.stop_reason, stop_sequence: null };
  yield { type: 'message_delta', delta, usage: { output_tokens: answer.usage.output_tokens } };
  yield { type: 'message_stop' };
}

function emptied(block: ContentBlock): ContentBlock {
  if (block.type === 'text') return { type: 'text', text: '' };
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  return { ...block, input: {} };
}

function* deltas(block: ContentBlock): Generator<Record<string, unknown>> {
  if (block.type === 'text') {
    for (const text of pieces(block.text ?? '')) yield { type: 'text_delta', text };
  } else if (block.type === 'thinking') {
    for (const thinking of pieces(String(block.thinking))) yield { type: 'thinking_delta', thinking };
    yield { type: 'signature_delta', signature: block.signature };
  } else {
    for (const part of pieces(JSON.stringify(block.input)))
      yield { type: 'input_json_delta', partial_json: part };
  }
}

/** Cut between characters, not between the halves of one. Long texts get larger pieces: a megabyte is not 40,000 events. */
function pieces(text: string): string[] {
  const size = Math.max(pieceLength, Math.ceil(text.length / 200));
  const characters = Array.from(text);
  const found: string[] = [];
  for (let at = 0; at < characters.length; at += size) found.push(characters.slice(at, at + size).join(''));
  return found;
}

function commonHeaders(): Record<string, string> {
  return {
    'request-id': identifier('req'),
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
  };
}

function identifier(prefix: string): string {
  return `${prefix}_01${randomBytes(11).toString('hex')}`;
}
