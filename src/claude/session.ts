/** One session of Claude Code through the Agent SDK: started early, given its prompt, and told how it ended. */
import type { SDKMessage, SDKResultMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk/core';
import type { Usage } from '../words/result.ts';
import type { SessionPlan } from './options.ts';
import {
  abortedBy,
  crashed,
  type Ending,
  isAcknowledgement,
  readResult,
  refusedKey,
  usageOf,
} from './results.ts';
import { type StartedClaude, startClaude } from './start.ts';

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

export interface SessionResult extends Ending {
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
  const told = Promise.withResolvers<SessionPrompt>();
  const over = Promise.withResolvers<void>();
  const claude = await startClaude({ plan, events, input: messagesOf(told.promise, over.promise) });
  return {
    run: async (prompt) => {
      told.resolve(prompt);
      const seen = await follow(claude, events);
      over.resolve();
      claude.release();
      return resultOf(seen, plan.arguments.jsonSchema !== null);
    },
  };
}

interface Seen {
  sessionId: string | null;
  result: SDKResultMessage | null;
  /** Why there is no result. */
  ending: Ending | null;
}

async function follow(claude: StartedClaude, events: SessionEvents): Promise<Seen> {
  const seen: Seen = { sessionId: null, result: null, ending: null };
  let why: unknown = null;
  try {
    for await (const message of claude.session) {
      if (events.signal.aborted) break;
      events.onMessage(message);
      note(seen, message);
      if (seen.ending) claude.stop();
      if (seen.result || seen.ending) break;
    }
  } catch (error) {
    why = error;
  }
  if (events.signal.aborted) seen.ending = abortedBy(events.signal);
  else if (!seen.result) seen.ending ??= crashed(why, claude.lastWords());
  return seen;
}

function note(seen: Seen, message: SDKMessage): void {
  if ('session_id' in message && message.session_id) seen.sessionId = message.session_id;
  if (message.type === 'result' && !isAcknowledgement(message)) seen.result = message;
  seen.ending = refusedKey(message);
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

function resultOf({ sessionId, result, ending }: Seen, wantsStructure: boolean): SessionResult {
  const base = { sessionId, usage: result && usageOf(result) };
  if (ending || !result) return { ...base, ...(ending ?? crashed(null, '')) };
  const read = readResult(result);
  const structured = result.subtype === 'success' ? result.structured_output : undefined;
  if (read.reason !== '' || (!wantsStructure && structured === undefined)) return { ...base, ...read };
  if (structured !== undefined) return { ...base, ...read, structuredOutput: structured };
  const text = `Claude gave no output in the form of \`--json-schema\`. It said: ${read.text}`;
  return { ...base, reason: 'claude_crashed', text };
}
