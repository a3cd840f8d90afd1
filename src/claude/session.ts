/** One session of Claude Code through the Agent SDK: started early, given its prompt and what is said later, and told how it ended. */
import { randomUUID } from 'node:crypto';
import type { SDKMessage, SDKResultMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { AppError } from '../words/errors.ts';
import type { Usage } from '../words/result.ts';
import { Further } from './further.ts';
import type { SessionPlan } from './options.ts';
import { Outbox, type OutgoingMessage } from './outbox.ts';
import { abortedBy, crashed, type Ending, isAcknowledgement, readResult, refusedKey } from './results.ts';
import { type StartedClaude, startClaude } from './start.ts';
import { UsageCount } from './usage.ts';

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
  /**
   * Says more while Claude works: it is taken in at the next tool call, else as a turn of its own, before the session
   * ends. True once Claude has it; false when the session was over, or ended before that: then nobody has heard it.
   */
  send(words: FurtherWords): Promise<boolean>;
}

export type FurtherWords = Pick<OutgoingMessage, 'text' | 'verbatim'>;

/** A job that is cancelled is killed ten seconds later, and by then its work has to be published; a limit has the time. */
function farewellMs({ reason }: AbortSignal): number {
  return reason instanceof AppError && reason.reason === 'timed_out' ? 5_000 : 1_000;
}

/**
 * Starts Claude Code before its prompt is known, so that its start-up goes on beside the reading of the thread.
 * @throws AppError `invalid_input` for settings that cannot be read.
 */
export async function openSession(plan: SessionPlan, events: SessionEvents): Promise<OpenSession> {
  const outbox = new Outbox();
  const further = new Further();
  // The input stays open until the end, as closing it would end the process before its tools have answered.
  const input = outbox.messages();
  const options = plan.transcript?.options();
  const claude = await startClaude({ plan, events, input, farewellMs, ...(options && { options }) });
  return {
    run: async (prompt) => {
      outbox.push(messagesOf(prompt));
      const seen = await follow(claude, events, further);
      outbox.close();
      claude.release();
      return resultOf(seen, plan.arguments.jsonSchema !== null);
    },
    send: (words) => {
      const uuid = randomUUID();
      const taken = further.add(uuid);
      if (!further.isClosed) outbox.push([{ uuid, ...words, asks: true }]);
      return taken;
    },
  };
}

interface Seen {
  sessionId: string | null;
  /** Of all turns; there is one unless people said more. */
  count: UsageCount;
  result: SDKResultMessage | null;
  /** Why there is no result. */
  ending: Ending | null;
}

async function follow(claude: StartedClaude, events: SessionEvents, further: Further): Promise<Seen> {
  const seen: Seen = { sessionId: null, result: null, count: new UsageCount(), ending: null };
  let why: unknown = null;
  try {
    for await (const message of claude.session) {
      seen.count.note(message);
      // Ended by force, Claude has no more to say than what it has cost.
      if (events.signal.aborted && message.type !== 'result') continue;
      events.onMessage(message);
      if (events.signal.aborted) break;
      note(seen, message);
      further.note(message);
      if (seen.ending) claude.stop();
      if (seen.ending || isOver(seen, further)) break;
    }
  } catch (error) {
    why = error;
  }
  // In the same breath as the last look: what is sent from now on is not taken, and its sender knows.
  const isWhole = isOver(seen, further);
  further.close();
  if (events.signal.aborted) {
    claude.stop();
    seen.ending = abortedBy(events.signal);
  } else if (!isWhole) {
    seen.ending ??= crashed(why, claude.lastWords());
  }
  return seen;
}

/** A turn that failed ends the session, whatever was still to be said: a limit is a limit. */
function isOver({ result }: Seen, further: Further): boolean {
  return result !== null && (further.isEmpty || readResult(result).reason !== '');
}

function note(seen: Seen, message: SDKMessage): void {
  if ('session_id' in message && message.session_id) seen.sessionId = message.session_id;
  if (message.type === 'result' && !isAcknowledgement(message)) seen.result = message;
  seen.ending = refusedKey(message);
}

function messagesOf({ text, request, verbatim }: SessionPrompt): OutgoingMessage[] {
  const first = { uuid: randomUUID(), text, verbatim, asks: request === null };
  return request === null
    ? [first]
    : [first, { uuid: randomUUID(), text: request, verbatim: false, asks: true }];
}

function resultOf({ sessionId, count, result, ending }: Seen, wantsStructure: boolean): SessionResult {
  const base = { sessionId, usage: count.usage() };
  if (ending || !result) return { ...base, ...(ending ?? crashed(null, '')) };
  const read = readResult(result);
  const structured = result.subtype === 'success' ? result.structured_output : undefined;
  if (read.reason !== '' || (!wantsStructure && structured === undefined)) return { ...base, ...read };
  if (structured !== undefined) return { ...base, ...read, structuredOutput: structured };
  const text = `Claude gave no output in the form of \`--json-schema\`. It said: ${read.text}`;
  return { ...base, reason: 'claude_crashed', text };
}
