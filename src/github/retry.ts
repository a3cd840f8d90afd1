/** Bounded retries for requests that can succeed later: server errors, resets, rate limits with their own waiting time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A failed request, as far as a retry decision needs it. `status` is null when no answer came at all. */
export interface Failure {
  status: number | null;
  headers: Record<string, string | undefined>;
  message: string;
}

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  attempts: number;
  /** Milliseconds before the second attempt; doubled after each. */
  firstDelayMs: number;
  /** Longest wait, in milliseconds, that a rate limit may impose; beyond it the failure is final. */
  longestWaitMs: number;
  /** Longest that one attempt may take, in milliseconds. */
  timeoutMs: number;
}

export const defaultPolicy: RetryPolicy = {
  attempts: 4,
  firstDelayMs: 400,
  longestWaitMs: 90_000,
  timeoutMs: 30_000,
};

/**
 * Milliseconds to wait before trying again, or null when the failure is final.
 * Rate limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function retryDelay(
  failure: Failure,
  attempt: number,
  policy: RetryPolicy,
  now: number,
): number | null {
  if (attempt >= policy.attempts) return null;
  const transient = failure.status === null || failure.status === 408 || failure.status >= 500;
  if (!transient && !isRateLimit(failure)) return null;
  const imposed = imposedWait(failure, now);
  if (imposed !== null) return imposed <= policy.longestWaitMs ? imposed : null;
  // Full jitter on the upper half: many jobs that failed together do not come back together.
  const ceiling = policy.firstDelayMs * 2 ** (attempt - 1);
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

/** True when GitHub refused for a rate limit (primary or secondary) rather than for a missing permission. */
export function isRateLimit(failure: Failure): boolean {
  if (failure.status === 429) return true;
  if (failure.status !== 403) return false;
  return (
    failure.headers['retry-after'] !== undefined ||
    failure.headers['x-ratelimit-remaining'] === '0' ||
    /rate limit/i.test(failure.message)
  );
}

/**
 * Calls `request` until it succeeds or its failure is final; the last failure is thrown as it came.
 * @param toFailure null for what is not a failed request (a bug): thrown at once.
 */
export async function withRetry<T>(
  request: () => Promise<T>,
  toFailure: (error: unknown) => Failure | null,
  policy = defaultPolicy,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      const failure = toFailure(error);
      const delay = failure && retryDelay(failure, attempt, policy, Date.now());
      if (delay === null) throw error;
      await sleep(delay);
    }
  }
}

/** Why no answer came, in words: `fetch` hides the reason in the cause of its error. */
export function whyNoAnswer(error: unknown): string {
  let why = 'no answer';
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return 'no answer in time';
    why = cause.message || (cause as NodeJS.ErrnoException).code || why;
  }
  return why;
}

/** Milliseconds that the answer asks to wait; null when it names none. */
export function imposedWait(failure: Failure, now: number): number | null {
  const after = secondsOf(failure.headers['retry-after']);
  if (after !== null) return after * 1000;
  if (!isRateLimit(failure)) return null;
  const reset = secondsOf(failure.headers['x-ratelimit-reset']);
  if (failure.headers['x-ratelimit-remaining'] === '0' && reset !== null)
    return Math.max(0, reset * 1000 - now) + 1000;
  // GitHub asks for at least a minute when it names no time; other hosts' 429 is an ordinary "later".
  return failure.status === 403 || /rate limit/i.test(failure.message) ? 60_000 : null;
}

function secondsOf(header: string | undefined): number | null {
  return header && Number(header) >= 0 ? Number(header) : null;
}
