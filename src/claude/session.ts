/** One session of Claude Code through the Agent SDK: started early, given its prompt, and told how it ended. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Query,
  query,
  type SDKMessage,
  type SDKResultMessage,
  type SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk/core';
import { AppError } from '../words/errors.ts';
import type { Reason, Usage } from '../words/result.ts';
import { type SessionPlan, sdkOptions } from './options.ts';
import { type Claude, findSetpriv, spawnClaude } from './process.ts';

/** What Claude is told: the framing with its material, and the asker's own words as a message of their own. */
export interface SessionPrompt {
  text: string;
  request: string | null;
  /** Sent as it is: no slash command, no `@path` is expanded. True wherever other people's text is in it. */
  verbatim: boolean;
}

export interface SessionEvents {
  /** Aborts with an AppError as its reason (`cancelled`, `timed_out`). */
  signal: AbortSignal;
  onMessage(message: SDKMessage): void;
  onSpawn(pid: number): void;
}

export interface SessionResult {
  reason: Reason | '';
  /** Claude's last words, or what went wrong in its own or our words. */
  text: string;
  sessionId: string | null;
  usage: Usage | null;
  structuredOutput?: unknown;
}

/** Claude Code, started and waiting for its prompt. */
export interface OpenSession {
  /** Sends the prompt and waits for the end. Foreseen ends (refused key, limits, crash, abort) are results with a reason. */
  run(prompt: SessionPrompt): Promise<SessionResult>;
}

/**
 * Starts Claude Code before its prompt is known, so that its start-up goes on beside the reading of the thread.
 * @throws AppError `invalid_input` for settings that cannot be read.
 */
export async function openSession(plan: SessionPlan, events: SessionEvents): Promise<OpenSession> {
  const [options, setpriv] = await Promise.all([sdkOptions(plan), findSetpriv()]);
  // In a file, as a command line would show them to every process, and their `env` may hold secrets.
  const settings = join(plan.scratch, 'claude-settings.json');
  await writeFile(settings, JSON.stringify(options.settings), { mode: 0o600 });
  events.signal.throwIfAborted();
  const abort = new AbortController();
  const running: { claude: Claude | null } = { claude: null };
  // At once: what Claude would still say or do after this point is not wanted.
  const stop = () => {
    running.claude?.kill('SIGKILL');
    abort.abort();
  };
  events.signal.addEventListener('abort', stop, { once: true });
  const told = Promise.withResolvers<SessionPrompt>();
  const over = Promise.withResolvers<void>();
  const session = query({
    prompt: messagesOf(told.promise, over.promise),
    options: {
      ...options,
      settings,
      abortController: abort,
      spawnClaudeCodeProcess: (spawn) => {
        running.claude = spawnClaude(spawn, { setpriv, onSpawn: events.onSpawn });
        return running.claude;
      },
    },
  });
  return {
    run: async (prompt) => {
      told.resolve(prompt);
      const structured = plan.arguments.jsonSchema !== null;
      const lastWords = () => running.claude?.lastWords() ?? '';
      const acknowledgements = prompt.request === null ? 0 : 1;
      const result = await converse({ session, acknowledgements, events, stop, structured, lastWords });
      over.resolve();
      events.signal.removeEventListener('abort', stop);
      return result;
    },
  };
}

interface Conversation {
  session: Query;
  /** Results that only acknowledge a message which asks for no answer. */
  acknowledgements: number;
  events: SessionEvents;
  stop(): void;
  /** Output in a given form was asked for. */
  structured: boolean;
  /** The end of what Claude Code wrote to standard error. */
  lastWords(): string;
}

async function converse(conversation: Conversation): Promise<SessionResult> {
  const { session, acknowledgements, events, stop, structured } = conversation;
  const seen: Seen = { sessionId: null, result: null, refusedKey: null, acknowledgements };
  let why = 'it ended without a result';
  try {
    for await (const message of session) {
      if (events.signal.aborted) break;
      events.onMessage(message);
      note(seen, message);
      if (seen.refusedKey) stop();
      if (seen.result || seen.refusedKey) break;
    }
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  const { result, refusedKey } = seen;
  if (events.signal.aborted) return endedBy(events.signal, seen);
  if (refusedKey) return { ...ended(seen), reason: 'model_auth', text: refusedKey };
  if (result) return readResult(result, structured);
  const text = [`Claude Code stopped: ${why}`, conversation.lastWords()].filter(Boolean).join('\n');
  return { ...ended(seen), reason: 'claude_crashed', text };
}

interface Seen {
  sessionId: string | null;
  result: SDKResultMessage | null;
  refusedKey: string | null;
  /** Results still to come that only acknowledge a message which asks for no answer. */
  acknowledgements: number;
}

function note(seen: Seen, message: SDKMessage): void {
  if ('session_id' in message && message.session_id) seen.sessionId = message.session_id;
  if (message.type === 'result') {
    if (seen.acknowledgements > 0 && !message.is_error) seen.acknowledgements -= 1;
    else seen.result = message;
  }
  // A refused key is retried for minutes by Claude Code; nothing gets better by waiting.
  if (
    message.type === 'system' &&
    message.subtype === 'api_retry' &&
    message.error === 'authentication_failed'
  ) {
    seen.refusedKey = `The model refused the credential (status ${message.error_status ?? 401}).`;
  }
}

/** The input stays open until the end, as closing it would end the process before its tools have answered. */
async function* messagesOf(
  told: Promise<SessionPrompt>,
  over: Promise<void>,
): AsyncGenerator<SDKUserMessage> {
  const { text, request, verbatim } = await told;
  const first = { ...userMessage(text), ...(verbatim && { client_composed: true as const }) };
  yield request === null ? first : { ...first, shouldQuery: false };
  if (request !== null) yield userMessage(request);
  await over;
}

function userMessage(content: string): SDKUserMessage {
  return { type: 'user', parent_tool_use_id: null, message: { role: 'user', content } };
}

function readResult(result: SDKResultMessage, wantsStructure: boolean): SessionResult {
  const base = { sessionId: result.session_id, usage: usageOf(result) };
  const said = result.subtype === 'success' ? result.result : result.errors.join('\n');
  if (result.subtype === 'success' && !result.is_error) {
    const structured = result.structured_output;
    if (wantsStructure && structured === undefined) {
      return {
        ...base,
        reason: 'claude_crashed',
        text: `Claude gave no output in the form of \`--json-schema\`. It said: ${said}`,
      };
    }
    return {
      ...base,
      reason: '',
      text: said,
      ...(structured !== undefined && { structuredOutput: structured }),
    };
  }
  return { ...base, reason: reasonOf(result), text: said || `Claude Code ended with ${result.subtype}.` };
}

function reasonOf(result: SDKResultMessage): Reason {
  if (result.subtype === 'error_max_turns') return 'turns';
  if (result.subtype === 'error_max_budget_usd') return 'budget';
  const status = 'api_error_status' in result ? result.api_error_status : null;
  if (status === 401 || status === 403) return 'model_auth';
  if (result.terminal_reason === 'prompt_too_long') return 'invalid_input';
  if (status || result.terminal_reason === 'api_error') return 'model_unavailable';
  return 'claude_crashed';
}

function usageOf(result: SDKResultMessage): Usage {
  const models = Object.values(result.modelUsage ?? {});
  return {
    costUsd: result.total_cost_usd,
    turns: result.num_turns,
    durationMs: result.duration_ms,
    inputTokens: models.reduce(
      (sum, model) => sum + model.inputTokens + model.cacheReadInputTokens + model.cacheCreationInputTokens,
      0,
    ),
    outputTokens: models.reduce((sum, model) => sum + model.outputTokens, 0),
  };
}

function ended(seen: Seen): Pick<SessionResult, 'sessionId' | 'usage'> {
  return { sessionId: seen.sessionId, usage: seen.result ? usageOf(seen.result) : null };
}

function endedBy(signal: AbortSignal, seen: Seen): SessionResult {
  const reason =
    signal.reason instanceof AppError ? signal.reason : new AppError('cancelled', 'The run was cancelled.');
  return { ...ended(seen), reason: reason.reason, text: reason.message };
}
