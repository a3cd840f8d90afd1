/** Gives one progress event to its endpoint, as often as it takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';
import type { ProgressEvent } from '../words/progress.ts';
import { type Posted, unlessAborted } from './endpoint.ts';

/** One attempt. Throws when there is no answer; an AppError other than `github_unavailable` says that there will be none. */
export type Send = (event: ProgressEvent, signal: AbortSignal) => Promise<Posted>;

export interface Patience {
  /** Ends it all. */
  over: AbortSignal;
  /** Ends the wait of the moment: from now on every minute counts. */
  hurry: AbortSignal;
  /** Milliseconds before the second attempt; at most 30 times as long before a later one. */
  firstDelayMs: number;
  /** Told after each attempt. @param problem null when the event was acknowledged. */
  onTried(problem: string | null): void;
}

/** How long a wait may become, by our own doubling or by `Retry-After`: in first delays. */
const longestWait = 30;
/** Of those below 500: https://www.rfc-editor.org/rfc/rfc9110#name-client-error-4xx */
const transient = [408, 425, 429];

/** Never throws. `unanswered`: it was over before the endpoint had said anything final. */
export async function deliver(
  event: ProgressEvent,
  send: Send,
  patience: Patience,
): Promise<'acknowledged' | 'refused' | 'unanswered'> {
  const { over, hurry, firstDelayMs, onTried } = patience;
  for (let attempt = 1; !over.aborted; attempt += 1) {
    const { outcome, problem, retryAfterMs } = await tryOnce(event, send, over);
    onTried(problem);
    if (outcome !== 'unanswered') return outcome;
    const wait = waitMs(attempt, firstDelayMs, retryAfterMs);
    const signal = hurry.aborted ? over : AbortSignal.any([over, hurry]);
    // What waits must not keep a finished process alive.
    await sleep(wait, undefined, { signal, ref: false }).catch(() => {});
  }
  return 'unanswered';
}

interface Attempt {
  outcome: 'acknowledged' | 'refused' | 'unanswered';
  problem: string | null;
  retryAfterMs: number | null;
}

async function tryOnce(event: ProgressEvent, send: Send, over: AbortSignal): Promise<Attempt> {
  try {
    const { status, retryAfterMs } = await unlessAborted(send(event, over), over);
    if (status >= 200 && status < 300) return { outcome: 'acknowledged', problem: null, retryAfterMs };
    const outcome = status >= 500 || transient.includes(status) ? 'unanswered' : 'refused';
    return { outcome, problem: `the endpoint answered ${status}`, retryAfterMs };
  } catch (error) {
    const isFinal = error instanceof AppError && error.reason !== 'github_unavailable';
    return { outcome: isFinal ? 'refused' : 'unanswered', problem: describe(error), retryAfterMs: null };
  }
}

/** Between the first delay and its double, fourfold, …: many jobs that failed together do not come back together. */
export function waitMs(attempt: number, firstDelayMs: number, retryAfterMs: number | null): number {
  const longest = longestWait * firstDelayMs;
  const ceiling = Math.min(longest, firstDelayMs * 2 ** Math.min(attempt, 10));
  const own = firstDelayMs + Math.random() * (ceiling - firstDelayMs);
  return Math.max(own, Math.min(retryAfterMs ?? 0, longest));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (/^(?:Timeout|Abort)Error$/.test(error.name)) return 'the endpoint did not answer in time';
  // What tried several addresses has a code and no message.
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
