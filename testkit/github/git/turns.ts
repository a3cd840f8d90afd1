/** Lets work on one thing happen one at a time, in the order of asking. */

const queues = new Map<string, Promise<unknown>>();

/** Runs `work` after everything that was asked for under the same key. */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(key) ?? Promise.resolve();
  const mine = before.then(work, work);
  queues.set(key, mine);
  try {
    return await mine;
  } finally {
    if (queues.get(key) === mine) queues.delete(key);
  }
}
