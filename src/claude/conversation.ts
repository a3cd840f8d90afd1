/** A live conversation with Claude Code: messages go in while it works, each exactly once, also across its death. */
import type { SDKMessage, SDKResultMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { toUserMessage } from '../words/errors.ts';
import type { FullUsage, Reason } from '../words/result.ts';
import { removeLocalTranscript } from './local-transcript.ts';
import type { SessionPlan } from './options.ts';
import { Outbox, type OutgoingMessage } from './outbox.ts';
import { endProcesses } from './process.ts';
import { abortedBy, crashed, type Ending, isAcknowledgement, readResult, refusedKey } from './results.ts';
import { type StartedClaude, startClaude } from './start.ts';
import { StoredSession } from './stored-session.ts';
import { type TranscriptStore, unfinishedNotice } from './transcript.ts';
import { UsageCount } from './usage.ts';

export type { OutgoingMessage } from './outbox.ts';
export type { TranscriptStore } from './transcript.ts';

export type ConversationPlan = SessionPlan & {
  /** A UUID that is the session's for ever. */
  sessionId: string;
  store: TranscriptStore;
};

export interface TurnEnd {
  reason: Reason | '';
  /** Claude's last words, or what went wrong. */
  text: string;
  /** Of this process from its start to now: whoever keeps accounts adds up the last one of each process. */
  usage: FullUsage;
  /** Messages that the stored transcript now holds with an answer after them. */
  answered: string[];
}

export interface ConversationEvents {
  /** Ends Claude at once; aborts with an AppError as its reason. */
  signal: AbortSignal;
  onSpawn(pid: number): void;
  onMessage(message: SDKMessage): void;
  /** The stored transcript holds these messages: they are never to be sent again. */
  onTaken(uuids: string[]): void;
  /** The store has everything of the turn. A turn can also end that nobody asked for: a background task's. */
  onTurnEnd(turn: TurnEnd): void;
  /** Idle: nothing runs, and nothing that was sent is still to be read by Claude. */
  onActivity(activity: 'working' | 'idle'): void;
}

export interface ConversationEnd extends Ending {
  usage: FullUsage | null;
}

const endGraceMs = 5_000;

/**
 * Resumes the session when the store has it, else starts it. The caller makes sure that no other process of it lives.
 * @throws AppError `invalid_input` for settings that cannot be read; what the store throws.
 */
export async function openConversation(
  plan: ConversationPlan,
  events: ConversationEvents,
): Promise<Conversation> {
  const conversation = new Conversation(plan, events);
  await conversation.start();
  return conversation;
}

export class Conversation {
  /** Resolves when the process and everything that it started is gone; '' after `end()`. Never rejects. */
  readonly over: Promise<ConversationEnd>;
  /** The store had a conversation, which goes on. */
  resumed = false;
  private readonly plan: ConversationPlan;
  private readonly events: ConversationEvents;
  private readonly outbox = new Outbox();
  /** Every message that was to be sent; the transcript names others as well, such as a background task's. */
  private readonly given = new Set<string>();
  private readonly stored: StoredSession;
  private readonly finish: (end: ConversationEnd) => void;
  private readonly aborted: Promise<unknown>;
  private claude!: StartedClaude;
  private pid: number | null = null;
  private ending: Ending | null = null;
  private readonly count = new UsageCount();
  private answered: string[] = [];
  private activity: 'working' | 'idle' = 'idle';

  /** Use `openConversation`. */
  constructor(plan: ConversationPlan, events: ConversationEvents) {
    this.plan = plan;
    this.events = events;
    const over = Promise.withResolvers<ConversationEnd>();
    this.over = over.promise;
    this.finish = over.resolve;
    const { signal } = events;
    this.aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.stored = new StoredSession(plan.sessionId, plan.store, {
      onStored: (answered) => {
        this.answered.push(...answered);
        this.confirm();
      },
      onLost: (error) => this.stop(lost(error)),
    });
  }

  async start(): Promise<void> {
    const { plan, events, stored } = this;
    await stored.read();
    this.resumed = stored.transcript.hasStarted;
    if (!this.resumed) await removeLocalTranscript(plan.environment, plan.sessionId);
    this.claude = await startClaude({
      plan,
      input: this.outbox.messages(),
      events: {
        signal: events.signal,
        onSpawn: (pid) => {
          this.pid = pid;
          events.onSpawn(pid);
        },
      },
      options: {
        env: { CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1' },
        ...(this.resumed ? { resume: plan.sessionId } : { sessionId: plan.sessionId }),
        sessionStore: stored.asSessionStore(),
        // What is only in memory when this process dies never was.
        sessionStoreFlush: 'eager',
        hooks: { PreToolUse: [stored.guard()] },
      },
    });
    void this.follow();
  }

  /**
   * What to send so that Claude goes on with a turn that was cut, by a crash, a limit or a failing model; else null.
   * @param open messages that are still to be answered: of a turn that was stopped, by `end()` too, only these count.
   */
  unfinished(open: string[] = []): string | null {
    return unfinishedNotice(this.stored.transcript, open);
  }

  /** Whether the stored transcript has this message. */
  holds(uuid: string): boolean {
    return this.stored.transcript.holds(uuid);
  }

  /** What Claude said at the end of its last whole turn, also of an earlier process; '' when there is none. */
  lastAnswer(): string {
    return this.stored.transcript.lastAnswer;
  }

  /** Whether the stored transcript has this message with an answer after it. */
  hasAnswered(uuid: string): boolean {
    return this.stored.transcript.hasAnswered(uuid);
  }

  /**
   * Several at once are one turn when Claude is idle; while it works they join its turn at the next tool. In order.
   * What the conversation holds or has been sent is left out, so that sending too much does no harm.
   */
  send(messages: OutgoingMessage[]): void {
    for (const { uuid } of messages) this.given.add(uuid);
    const held = messages.filter(({ uuid }) => this.holds(uuid)).map(({ uuid }) => uuid);
    if (held.length > 0) this.events.onTaken(held);
    if (this.outbox.push(messages.filter(({ uuid }) => !held.includes(uuid)))) this.turnTo('working');
  }

  /** Stops the running turn, which ends as `cancelled`; what is queued runs next. */
  async interrupt(): Promise<void> {
    await this.claude.session.interrupt();
  }

  /** Ends Claude in order: a running turn is stopped, the input closed. What does not end is killed. */
  async end(): Promise<void> {
    this.ending ??= { reason: '', text: '' };
    const late = setTimeout(() => this.claude.stop(), endGraceMs);
    if (this.activity === 'working') await Promise.race([this.interrupt().catch(() => {}), this.over]);
    this.outbox.close();
    await this.over;
    clearTimeout(late);
  }

  private async follow(): Promise<void> {
    let why: unknown = null;
    try {
      for await (const message of this.claude.session) {
        if (this.events.signal.aborted) break;
        this.events.onMessage(message);
        await this.read(message);
      }
    } catch (error) {
      why = error;
    }
    if (this.events.signal.aborted) this.stop(abortedBy(this.events.signal));
    this.ending ??= crashed(why, this.claude.lastWords());
    this.outbox.close();
    if (this.ending.reason !== '') this.claude.stop();
    await this.claude.gone();
    this.claude.release();
    // A command in the background would go on writing where the next process works.
    await endProcesses(this.plan.mark, this.pid);
    await this.settled();
    this.finish({ ...this.ending, usage: this.count.account });
  }

  private async read(message: SDKMessage): Promise<void> {
    const refused = refusedKey(message);
    if (refused) this.stop(refused);
    // Not in the SDK's types: what becomes of each message that was sent.
    const { type, command_uuid, state } = message as { type: string; command_uuid?: string; state?: string };
    if (type === 'command_lifecycle') this.outbox.follow(command_uuid ?? '', state ?? '');
    if (message.type === 'result') await this.endTurn(message);
    if (message.type !== 'system') return;
    if (message.subtype === 'mirror_error') this.stop(lost(message.error));
    if (message.subtype !== 'session_state_changed') return;
    if (message.state === 'idle') await this.rest();
    else this.turnTo('working');
  }

  private async endTurn(result: SDKResultMessage): Promise<void> {
    if (isAcknowledgement(result)) return;
    await this.settled();
    const ending = readResult(result);
    this.count.note(result);
    if (ending.reason === '') this.answered.push(...this.stored.transcript.endTurn());
    const answered = this.answered.splice(0).filter((uuid) => this.given.has(uuid));
    this.events.onTurnEnd({ ...ending, usage: this.count.account!, answered });
  }

  /** Claude says that it is idle: true once nothing is on its way to it. */
  private async rest(): Promise<void> {
    await this.settled();
    const settled = this.outbox.settle();
    if (settled.length > 0) this.events.onTaken(settled);
    if (this.outbox.isEmpty) this.turnTo('idle');
  }

  /** An aborted conversation waits for no store. */
  private settled(): Promise<unknown> {
    return Promise.race([this.stored.settled(), this.aborted]);
  }

  private turnTo(activity: 'working' | 'idle'): void {
    if (this.activity === activity) return;
    this.activity = activity;
    this.events.onActivity(activity);
  }

  private confirm(): void {
    const taken = this.outbox.take((uuid) => this.holds(uuid));
    if (taken.length > 0) this.events.onTaken(taken);
  }

  private stop(ending: Ending): void {
    this.ending ??= ending;
    this.claude.stop();
  }
}

function lost(error: unknown): Ending {
  const { reason, message } = toUserMessage(error);
  return { reason, text: `The conversation could not be stored: ${message}` };
}
