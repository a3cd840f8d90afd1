/** The transcript of a session in memory, so that it can be kept when the session is over and gone on with later. */
import type { Options, SessionStore, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk/core';

/** A session's entries by subpath: '' is the conversation, others are what its agents said. */
export type TranscriptEntries = Record<string, unknown[]>;

export class KeptTranscript {
  private readonly sessions = new Map<string, Map<string, SessionStoreEntry[]>>();
  private readonly earlier: string | null;

  /** @param earlier the session that goes on; null for one that begins. */
  constructor(earlier: { sessionId: string; entries: TranscriptEntries } | null) {
    this.earlier = earlier?.sessionId ?? null;
    for (const [subpath, entries] of Object.entries(earlier?.entries ?? {}))
      this.append(earlier!.sessionId, subpath, entries as SessionStoreEntry[]);
  }

  /** Whether a conversation goes on. */
  get goesOn(): boolean {
    return this.earlier !== null;
  }

  /** What Claude Code is started with. */
  options(): Pick<Options, 'sessionStore' | 'sessionStoreFlush' | 'resume'> {
    return {
      sessionStore: this.asSessionStore(),
      // Claude may be ended at any moment, by a limit too: what it said until then counts.
      sessionStoreFlush: 'eager',
      ...(this.earlier && { resume: this.earlier }),
    };
  }

  /** Null for a session that nobody has spoken in. */
  entriesOf(sessionId: string): TranscriptEntries | null {
    const parts = this.sessions.get(sessionId);
    if (!parts?.get('')?.some(({ type }) => type === 'user')) return null;
    return Object.fromEntries(parts);
  }

  /** The project in the keys is left out: it is the path of a checkout, which changes. */
  private asSessionStore(): SessionStore {
    return {
      append: async ({ sessionId, subpath }, entries) => this.append(sessionId, subpath ?? '', entries),
      load: async ({ sessionId, subpath }) => {
        const entries = this.sessions.get(sessionId)?.get(subpath ?? '');
        // Costs are those of one run, whatever the runs before it came to.
        return entries?.filter(({ type }) => type !== 'cost-state') ?? null;
      },
      listSubkeys: async ({ sessionId }) =>
        [...(this.sessions.get(sessionId)?.keys() ?? [])].filter((subpath) => subpath !== ''),
    };
  }

  private append(sessionId: string, subpath: string, entries: SessionStoreEntry[]): void {
    const parts = this.sessions.get(sessionId) ?? new Map<string, SessionStoreEntry[]>();
    this.sessions.set(sessionId, parts);
    const all = parts.get(subpath) ?? [];
    parts.set(subpath, all);
    for (const entry of entries) all.push(entry);
  }
}
