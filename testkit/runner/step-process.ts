/** Runs one Node process of an action, and ends it as GitHub ends a cancelled one. */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { JobLog } from './job-log.ts';
import type { RunWatch } from './run-watch.ts';

export interface StepProcess {
  node: string;
  script: string;
  cwd: string;
  env: Record<string, string>;
  source: 'main' | 'post';
  log: JobLog;
  watch: RunWatch;
  /** Starts GitHub's cancel sequence when it resolves. */
  cancel: Promise<unknown>;
  /** SIGKILLs the process when it resolves. */
  kill?: Promise<unknown>;
  /** Factor for the times of the cancel sequence. */
  cancelScale: number;
  /** Milliseconds after which the cancel sequence starts by itself. */
  timeoutMs: number;
}

export interface StepEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
  timedOut: boolean;
  /** The signals that the runner sent, with their moments in milliseconds after the start. */
  signals: { signal: NodeJS.Signals; atMs: number }[];
}

/** GitHub's times: SIGINT, SIGTERM after 7.5 s, SIGKILL 2.5 s after that; to the process alone, not to its children. */
const cancelSequence = [
  ['SIGINT', 0],
  ['SIGTERM', 7_500],
  ['SIGKILL', 2_500],
] as const;

/** @throws when the process cannot be started. */
export async function runStepProcess(step: StepProcess): Promise<StepEnd> {
  const { node, script, cwd, env, source, log, watch } = step;
  const startedAt = Date.now();
  // In a session of its own, so that what it leaves behind is known by that session.
  const child = spawn(node, [script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const signals: StepEnd['signals'] = [];
  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    signals.push({ signal, atMs: Date.now() - startedAt });
    child.kill(signal);
  };
  log.startStep();
  log.follow(child.stdout, source);
  log.follow(child.stderr, source);
  const closed = new Promise((done) => child.once('close', done));
  const exited = new Promise<void>((done, failed) => {
    child.once('error', failed);
    child.once('exit', () => done());
  });
  if (child.pid !== undefined) watch.follow(child.pid);
  const over = new AbortController();
  let timedOut = false;
  const timeout = pause(step.timeoutMs, undefined, { signal: over.signal, ref: false }).then(() => {
    timedOut = !over.signal.aborted;
  });
  const stop = async () => {
    for (const [signal, after] of cancelSequence) {
      await pause(after * step.cancelScale, undefined, { signal: over.signal });
      if (over.signal.aborted) return;
      send(signal);
    }
  };
  // The end of the process aborts the waiting, which is then of no interest.
  Promise.race([step.cancel, timeout])
    .then(stop)
    .catch(() => {});
  step.kill?.then(() => over.signal.aborted || send('SIGKILL')).catch(() => {});
  try {
    await exited;
  } finally {
    over.abort();
  }
  const endedAt = Date.now();
  // A child that was left behind may hold the pipes open for ever.
  await Promise.race([closed, pause(500, undefined, { ref: false })]);
  const { exitCode, signalCode } = child;
  return {
    exitCode,
    signal: signalCode,
    durationMs: endedAt - startedAt,
    startedAt,
    endedAt,
    timedOut,
    signals,
  };
}
