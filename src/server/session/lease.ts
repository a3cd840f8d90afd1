/** Holds a session's lease: renews it, and says at once when it is lost, so that two never write for one thread. */
import { AppError } from '../../words/errors.ts';
import type { Database } from '../store/database.ts';
import { LeaseLost, renewLease } from '../store/leases.ts';
import type { Held } from '../store/session-messages.ts';

const renewEveryMs = 10_000;
/** Claude is stopped when no renewal has succeeded for so long: ten seconds before anybody else may take over. */
const giveUpAfterMs = 20_000;

export interface LeaseKeeper {
  /** Aborts when the lease is lost or could not be renewed in time. */
  lost: AbortSignal;
  stop(): void;
}

export function keepLease(
  database: Database,
  { key, lease }: Held,
  { everyMs = renewEveryMs, giveUpMs = giveUpAfterMs } = {},
): LeaseKeeper {
  const lost = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let deadline: NodeJS.Timeout;
  const lose = (error: AppError) => {
    stop();
    lost.abort(error);
  };
  const stop = () => {
    if (timer) clearTimeout(timer);
    clearTimeout(deadline);
  };
  const watch = (leftMs: number) => {
    clearTimeout(deadline);
    deadline = setTimeout(
      () =>
        lose(
          new AppError('handed_over', `The lease of ${key} could not be renewed for ${giveUpMs / 1000} s.`),
        ),
      leftMs,
    );
  };
  const renew = async () => {
    const began = performance.now();
    try {
      await renewLease(database, key, lease);
      // The database counts from when it renewed, which may have been as soon as we asked.
      const leftMs = giveUpMs - (performance.now() - began);
      if (!lost.signal.aborted && leftMs > 0) watch(leftMs);
    } catch (error) {
      if (error instanceof LeaseLost) return lose(error);
    }
    if (!lost.signal.aborted) timer = setTimeout(() => void renew(), everyMs);
  };
  watch(giveUpMs);
  timer = setTimeout(() => void renew(), everyMs);
  return { lost: lost.signal, stop };
}
