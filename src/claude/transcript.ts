/** What a stored transcript says: which messages the conversation holds, which are answered, and what was cut off. */

/** Where transcripts are kept, by session id and subpath ('' is the conversation, others are its subagents). */
export interface TranscriptStore {
  /** Durable once it resolves. It retries by itself what may pass: a throw is final (the lease is lost) and ends Claude. */
  append(sessionId: string, subpath: string, entries: unknown[]): Promise<void>;
  load(sessionId: string, subpath: string): Promise<unknown[] | null>;
  subpaths(sessionId: string): Promise<string[]>;
}

/** One line of Claude Code's transcript, as far as it is read here. Its form is not documented: the tests hold it. */
interface Entry {
  type?: string;
  subtype?: string;
  uuid?: string;
  isSidechain?: boolean;
  isApiErrorMessage?: boolean;
  mergedSendUuids?: string[];
  attachment?: { source_uuid?: string };
  message?: { model?: string; stop_reason?: string | null; content?: string | Block[] };
}

interface Block {
  type?: string;
  id?: string;
  name?: string;
  text?: string;
  input?: unknown;
  tool_use_id?: string;
}

export interface ToolUse {
  id: string;
  name: string;
  input: unknown;
}

/** Of the model's ways to stop, those after which nobody is waited for. */
const finalStops = new Set(['end_turn', 'stop_sequence', 'refusal']);
/** Claude Code's own words for a turn that a person stopped. */
const interruptedText = '[Request interrupted by user';

/** One conversation, read entry by entry in the order in which they were stored. */
export class Transcript {
  private readonly held = new Set<string>();
  private readonly waiting = new Set<string>();
  private readonly openTools = new Map<string, ToolUse>();
  private started = false;
  private turn: 'none' | 'asked' | 'answered' | 'stopped' = 'none';
  private said = '';

  constructor(entries: unknown[] = []) {
    this.add(entries);
  }

  /** Takes in what was stored next. @returns the messages that are answered by it. */
  add(entries: unknown[]): string[] {
    return entries.flatMap((entry) => this.read(entry as Entry));
  }

  /** A session that has never heard a user cannot be resumed. */
  get hasStarted(): boolean {
    return this.started;
  }

  /**
   * Whether the message is in the conversation: as a turn of its own, the last of several or one of them, or folded
   * into a running turn. Entries of the queue are no evidence, as a queue dies with its process.
   */
  holds(uuid: string): boolean {
    return this.held.has(uuid);
  }

  /** Whether the message is in the conversation and Claude has ended a turn after it. */
  hasAnswered(uuid: string): boolean {
    return this.held.has(uuid) && !this.waiting.has(uuid);
  }

  /** What Claude said at the end of the last turn that it has ended; '' when there is none. */
  get lastAnswer(): string {
    return this.said;
  }

  /** The last turn was cut: nobody has stopped it, and it has no end. */
  get isUnanswered(): boolean {
    return this.turn === 'asked';
  }

  /** The last tool that was called and has no result: it may have run, in part or to its end. */
  get interruptedTool(): ToolUse | null {
    return [...this.openTools.values()].at(-1) ?? null;
  }

  /** The turn has ended well, perhaps without a word. @returns the messages that are answered by it. */
  endTurn(): string[] {
    if (this.isUnanswered) this.said = '';
    return this.answer();
  }

  private read(entry: Entry): string[] {
    if (entry.isSidechain) return [];
    const blocks = blocksOf(entry);
    if (entry.type === 'user') this.readUser(entry, blocks);
    else if (entry.type === 'attachment' && entry.attachment?.source_uuid)
      this.ask(entry.attachment.source_uuid);
    else if (entry.type === 'assistant') return this.readAssistant(entry, blocks);
    // A command that Claude Code carries out without the model, such as /usage, ends its turn.
    else if (entry.type === 'system' && entry.subtype === 'local_command') return this.answer();
    return [];
  }

  private readUser(entry: Entry, blocks: Block[]): void {
    this.started = true;
    const results = blocks.filter(({ type }) => type === 'tool_result');
    for (const { tool_use_id } of results) this.openTools.delete(tool_use_id ?? '');
    if (blocks.some(({ text }) => text?.startsWith(interruptedText))) {
      this.turn = 'stopped';
    } else if (results.length > 0) {
      this.turn = 'asked';
    } else {
      // A new message ends what was before it: Claude Code fills in the results that are missing.
      this.openTools.clear();
      this.ask(entry.uuid, ...(entry.mergedSendUuids ?? []));
    }
  }

  private readAssistant({ message, isApiErrorMessage }: Entry, blocks: Block[]): string[] {
    // What Claude Code says in the model's place (an API error, "No response requested.") is no answer.
    if (isApiErrorMessage || message?.model === '<synthetic>') return [];
    for (const { type, id = '', name = '', input } of blocks)
      if (type === 'tool_use') this.openTools.set(id, { id, name, input });
    // Each block is an entry with the stop of the whole message: thoughts come first, and words may not follow any more.
    const speaks = blocks.some(({ type }) => type !== 'thinking' && type !== 'redacted_thinking');
    if (!speaks || !finalStops.has(message?.stop_reason ?? '')) return [];
    this.said = blocks.flatMap(({ type, text }) => (type === 'text' && text ? [text] : [])).join('\n\n');
    return this.answer();
  }

  private ask(...uuids: (string | undefined)[]): void {
    this.turn = 'asked';
    for (const uuid of uuids) {
      if (!uuid || this.held.has(uuid)) continue;
      this.held.add(uuid);
      this.waiting.add(uuid);
    }
  }

  private answer(): string[] {
    const answered = [...this.waiting];
    this.turn = 'answered';
    this.waiting.clear();
    this.openTools.clear();
    return answered;
  }
}

/** The calls in these entries, subagents' included. */
export function toolUses(entries: unknown[]): string[] {
  return (entries as Entry[])
    .filter(({ type }) => type === 'assistant')
    .flatMap(blocksOf)
    .flatMap(({ type, id }) => (type === 'tool_use' && id ? [id] : []));
}

/**
 * What to tell Claude so that it goes on with a turn that was cut; null when nothing was. It is never re-run blindly:
 * only Claude can look whether its last command has had its effect.
 * @param open messages that somebody still waits for, though the turn may have been stopped on purpose.
 */
export function unfinishedNotice(transcript: Transcript, open: string[] = []): string | null {
  const waits = open.some((uuid) => transcript.holds(uuid) && !transcript.hasAnswered(uuid));
  if (!transcript.isUnanswered && !waits) return null;
  const tool = transcript.interruptedTool;
  const command = tool
    ? ` The outcome of your last call (\`${tool.name}\`) is unknown: it may have run completely, in part or not at all. Look at the actual state before you repeat anything that has an effect.`
    : '';
  return `Your last turn was cut off before it ended, and the session has been restarted.${command} Go on with what was asked of you; if it is already done, say so.`;
}

function blocksOf({ message }: Entry): Block[] {
  const content = message?.content;
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : [];
}
