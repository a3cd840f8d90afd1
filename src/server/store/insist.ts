/** Repeats a write that may be repeated until the database is there again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isConnectionLoss } from './connection-loss.ts';

/** As long as a lease can outlive a database that is away: after that another process may write. Milliseconds. */
const patienceMs = 20_000;

/** @param write the same when it is carried out twice: a lost answer does not tell whether it was. */
export async function insist<T>(write: () => Promise<T>): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isConnectionLoss(error) || Date.now() > end) throw error;
      await sleep(250);
    }
  }
}
