/** The Agent SDK's session store over ours: tells what is durable, and holds back tools whose call is not. */
import type {
  HookCallbackMatcher,
  SessionKey,
  SessionStore,
  SessionStoreEntry,
} from '@anthropic-ai/claude-agent-sdk/core';
import { Transcript, type TranscriptStore, toolUses } from './transcript.ts';

export interface StoredSessionEvents {
  /** The store has taken these in. @param answered the messages that are answered by them. */
  onStored(answered: string[]): void;
  /** The store will never take them: what Claude does from now on would be forgotten. */
  onLost(error: unknown): void;
}

/** Tools that may run twice without anybody noticing. Everything else waits, also what is unknown to us. */
const withoutEffect = new Set([
  'Read',
  'Glob',
  'Grep',
  'LS',
  'NotebookRead',
  'ToolSearch',
  'TodoWrite',
  'BashOutput',
  'TaskOutput',
]);
/** Longer than a lease lives: by then the store has either answered or the session is over. */
const guardSeconds = 60;

export class StoredSession {
  readonly transcript = new Transcript();
  private readonly calls = new Set<string>();
  private readonly waiting = new Map<string, PromiseWithResolvers<void>>();
  private order: Promise<void> = Promise.resolve();
  private lost: { error: unknown } | null = null;
  private readonly sessionId: string;
  private readonly store: TranscriptStore;
  private readonly events: StoredSessionEvents;

  constructor(sessionId: string, store: TranscriptStore, events: StoredSessionEvents) {
    this.sessionId = sessionId;
    this.store = store;
    this.events = events;
  }

  /** Reads what the store has of the session. */
  async read(): Promise<void> {
    this.transcript.add((await this.store.load(this.sessionId, '')) ?? []);
  }

  /** Waits until everything that came so far is durable, or never will be. */
  settled(): Promise<void> {
    return this.order;
  }

  /** For the option `sessionStore`. The project of its keys is left out: it is the path of a directory that may change. */
  asSessionStore(): SessionStore {
    return {
      // One at a time: the order of entries is the order of the conversation.
      append: (key, entries) => {
        this.order = this.order.then(() => this.append(key, entries));
        return this.order;
      },
      load: async ({ sessionId, subpath }) => {
        const entries = await this.store.load(sessionId, subpath ?? '');
        return entries && withoutCost(entries as SessionStoreEntry[]);
      },
      listSubkeys: ({ sessionId }) => this.store.subpaths(sessionId),
    };
  }

  /**
   * A tool with effects starts once its call is durable, so that after a crash nobody takes it for one that was never
   * made. Attack: "a killed Claude repeats no effect" in `src/claude/conversation.kills.test.ts`.
   */
  guard(): HookCallbackMatcher {
    return {
      timeout: guardSeconds,
      onFailure: 'block',
      hooks: [
        async (input) => {
          if (input.hook_event_name === 'PreToolUse' && !withoutEffect.has(input.tool_name))
            await this.stored(input.tool_use_id);
          return {};
        },
      ],
    };
  }

  /** Never throws: the SDK would try again for seconds, and nothing gets better by it. */
  private async append(key: SessionKey, entries: SessionStoreEntry[]): Promise<void> {
    if (this.lost) return;
    try {
      await this.store.append(key.sessionId, key.subpath ?? '', entries);
    } catch (error) {
      this.lose(error);
      return;
    }
    for (const call of toolUses(entries)) {
      this.calls.add(call);
      this.waiting.get(call)?.resolve();
      this.waiting.delete(call);
    }
    const own = key.sessionId === this.sessionId && !key.subpath;
    this.events.onStored(own ? this.transcript.add(entries) : []);
  }

  private stored(call: string): Promise<void> {
    if (this.lost) return Promise.reject(this.lost.error);
    if (this.calls.has(call)) return Promise.resolve();
    const waiting = this.waiting.get(call) ?? Promise.withResolvers<void>();
    this.waiting.set(call, waiting);
    return waiting.promise;
  }

  private lose(error: unknown): void {
    this.lost = { error };
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    this.events.onLost(error);
  }
}

/** Costs start at 0 in each process, whether or not the one before it had the time to write its sum down. */
function withoutCost(entries: SessionStoreEntry[]): SessionStoreEntry[] {
  return entries.filter(({ type }) => type !== 'cost-state');
}
