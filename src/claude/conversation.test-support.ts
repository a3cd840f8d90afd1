/** What the stories of conversations share: a store that outlives every process, and a conversation with its diary. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claudeBinary, claudeEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { runMark } from '../words/mark.ts';
import { parseClaudeArguments } from './arguments.ts';
import {
  type Conversation,
  type ConversationEnd,
  type ConversationPlan,
  type OutgoingMessage,
  openConversation,
  type TranscriptStore,
  type TurnEnd,
} from './conversation.ts';
import { endProcesses } from './process.ts';

/** Keeps what a durable store would: nothing of it dies with Claude. */
export class MemoryStore implements TranscriptStore {
  readonly rows: { sessionId: string; subpath: string; entry: unknown }[] = [];
  /** Called before entries are kept; may wait, or throw. */
  onAppend: (entries: unknown[]) => Promise<void> | void = () => {};

  async append(sessionId: string, subpath: string, entries: unknown[]): Promise<void> {
    await this.onAppend(entries);
    this.rows.push(...entries.map((entry) => ({ sessionId, subpath, entry: structuredClone(entry) })));
  }

  async load(sessionId: string, subpath: string): Promise<unknown[] | null> {
    const found = this.rows.filter((row) => row.sessionId === sessionId && row.subpath === subpath);
    return found.length > 0 ? found.map(({ entry }) => structuredClone(entry)) : null;
  }

  async subpaths(sessionId: string): Promise<string[]> {
    const own = this.rows.filter((row) => row.sessionId === sessionId && row.subpath !== '');
    return [...new Set(own.map(({ subpath }) => subpath))];
  }
}

/** One process of a conversation, and what it has told. */
export interface Told {
  conversation: Conversation;
  pid: number;
  taken: string[];
  turns: TurnEnd[];
  activities: string[];
  messages: { type: string; [field: string]: unknown }[];
  /** Waits until something that was told is as wanted. */
  until(wanted: () => boolean): Promise<void>;
  /** Waits until Claude has ended `turns` turns and is idle. */
  idle(turns?: number): Promise<void>;
  kill(): Promise<ConversationEnd>;
}

/** A workspace with a model and a store, in which conversations are opened one after the other. */
export class Story implements AsyncDisposable {
  readonly model: ScriptedModel;
  readonly home: string;
  readonly directory: string;
  readonly store = new MemoryStore();
  readonly sessionId = randomUUID();
  readonly abort = new AbortController();
  private readonly mark = randomUUID();

  constructor(model: ScriptedModel, home: string, directory: string) {
    this.model = model;
    this.home = home;
    this.directory = directory;
  }

  static async start(): Promise<Story> {
    const folder = (name: string) => mkdtemp(join(tmpdir(), `forgehand-${name}-`));
    return new Story(
      await startModel({ expectedKey: 'sk-ant-test-key-for-this-model' }),
      await folder('home'),
      await folder('work'),
    );
  }

  plan(changes: Partial<ConversationPlan> & { args?: string; env?: Record<string, string> } = {}) {
    return {
      executable: claudeBinary(),
      directory: this.directory,
      scratch: this.home,
      environment: { ...claudeEnvironment(this.model, this.home), [runMark]: this.mark, ...changes.env },
      mark: this.mark,
      arguments: parseClaudeArguments(changes.args ?? ''),
      permissionMode: 'bypassPermissions' as const,
      allowedTools: [],
      disallowedTools: [],
      trustCheckout: true,
      settings: '',
      maxBudgetUsd: null,
      servers: [],
      systemAppend: null,
      fence: null,
      sessionId: this.sessionId,
      store: this.store,
      ...changes,
    };
  }

  /** @param watch sees every message as it comes. */
  async open(
    changes: Parameters<Story['plan']>[0] = {},
    watch: (message: Told['messages'][number]) => void = () => {},
  ): Promise<Told> {
    const listeners = new Set<() => void>();
    const changed = () => {
      for (const listener of [...listeners]) listener();
    };
    const told = { taken: [], turns: [], activities: [], messages: [], pid: 0 } as unknown as Told;
    told.conversation = await openConversation(this.plan(changes), {
      signal: this.abort.signal,
      onSpawn: (pid) => {
        told.pid = pid;
      },
      onMessage: (message) => {
        told.messages.push(message as Told['messages'][number]);
        watch(message as Told['messages'][number]);
        changed();
      },
      onTaken: (uuids) => told.taken.push(...uuids) && changed(),
      onTurnEnd: (turn) => told.turns.push(turn) && changed(),
      onActivity: (activity) => told.activities.push(activity) && changed(),
    });
    told.until = (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!wanted()) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        told.conversation.over.then((end) => reject(new Error(`over: ${JSON.stringify(end)}`)));
        look();
      });
    told.idle = (turns = 1) =>
      told.until(() => told.turns.length >= turns && told.activities.at(-1) === 'idle');
    told.kill = () => {
      process.kill(told.pid, 'SIGKILL');
      return told.conversation.over;
    };
    return told;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort();
    await endProcesses(this.mark, null);
    await this.model.close();
    for (const path of [this.home, this.directory])
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function message(text: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { uuid: randomUUID(), text, verbatim: true, asks: true, ...changes };
}

/** How often a text is in the last request to the model. */
export function timesSaid(model: ScriptedModel, text: string): number {
  return JSON.stringify(model.main.at(-1)?.body.messages ?? []).split(text).length - 1;
}
