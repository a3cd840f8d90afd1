/** Starts Claude Code for a session of one turn or of many: options, settings file, process, and its end by force. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Options, Query, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { type SessionPlan, sdkOptions } from './options.ts';
import { type Claude, findSetpriv, spawnClaude } from './process.ts';

export interface StartEvents {
  /** Ends Claude by force. */
  signal: AbortSignal;
  onSpawn(pid: number): void;
}

export interface StartRequest {
  plan: SessionPlan;
  events: StartEvents;
  input: AsyncIterable<SDKUserMessage>;
  /** Added to the options that the plan makes. */
  options?: Options;
  /** Milliseconds that Claude has after the signal: interrupted, it says what it has cost. None when unset. */
  farewellMs?(signal: AbortSignal): number;
}

export interface StartedClaude {
  session: Query;
  /** At once: what Claude would still say or do after this point is not wanted. */
  stop(): void;
  /** The signal has no more to say: Claude has done its work and ends by itself. */
  release(): void;
  /** Resolves when the process is gone. */
  gone(): Promise<void>;
  /** The end of what Claude Code wrote to standard error. */
  lastWords(): string;
}

/** The largest part of what is loaded: half of a process's start, if it had to wait for it. */
const loadSdk = () => import('@anthropic-ai/claude-agent-sdk/core');

/** Makes ready, while there is time, what the start would wait for. What goes wrong is told when it is needed. */
export async function warmUp(): Promise<void> {
  await Promise.allSettled([loadSdk(), findSetpriv()]);
}

/** @throws AppError `invalid_input` for settings that cannot be read; the signal's reason when it has ended before. */
export async function startClaude({
  plan,
  events,
  input,
  options,
  farewellMs,
}: StartRequest): Promise<StartedClaude> {
  const [{ query }, planned, setpriv] = await Promise.all([loadSdk(), sdkOptions(plan), findSetpriv()]);
  // In a file, as a command line would show them to every process, and their `env` may hold secrets.
  const settings = join(plan.scratch, 'claude-settings.json');
  await writeFile(settings, JSON.stringify(planned.settings), { mode: 0o600 });
  events.signal.throwIfAborted();
  const abort = new AbortController();
  let claude: Claude | null = null;
  const gone = Promise.withResolvers<void>();
  const stop = () => {
    clearTimeout(late);
    claude?.kill('SIGKILL');
    abort.abort();
  };
  let late: NodeJS.Timeout | undefined;
  const end = () => {
    if (!farewellMs) return stop();
    late = setTimeout(stop, farewellMs(events.signal));
    session.interrupt().catch(() => {}); // killed before it could answer
  };
  const release = () => events.signal.removeEventListener('abort', end);
  events.signal.addEventListener('abort', end, { once: true });
  const session = query({
    prompt: input,
    options: {
      ...planned,
      ...options,
      hooks: { ...planned.hooks, ...options?.hooks },
      env: { ...planned.env, ...options?.env },
      settings,
      abortController: abort,
      spawnClaudeCodeProcess: (spawn) => {
        let isAlive = false;
        const onSpawn = (pid: number) => {
          isAlive = true;
          events.onSpawn(pid);
        };
        const spawned = spawnClaude(spawn, { setpriv, fence: plan.fence, onSpawn });
        claude = spawned;
        // An abort is told as an error as well, while the process still lives.
        spawned.once('error', () => isAlive || gone.resolve());
        spawned.once('exit', () => gone.resolve());
        return spawned;
      },
    },
  });
  return {
    session,
    stop,
    release,
    // Of a process that was never spawned there is nothing to wait for.
    gone: () => (claude ? gone.promise : Promise.resolve()),
    lastWords: () => claude?.lastWords() ?? '',
  };
}
