/** Who follows which correlation id: one ear at the database wakes them all. */
import type { Database } from '../store/database.ts';

export interface Followers {
  /** Calls `wake` when something may have been accepted for the correlation id, until the answered function is called. */
  follow(correlationId: string, wake: () => void): Promise<() => void>;
}

export function createFollowers(database: Database): Followers {
  const followers = new Set<{ correlationId: string; wake: () => void }>();
  let listening: Promise<unknown> | null = null;
  const heard = (correlationId: string) => {
    // An empty one: the connection was away, and anything may have happened.
    for (const one of followers) if (!correlationId || one.correlationId === correlationId) one.wake();
  };
  return {
    follow: async (correlationId, wake) => {
      const follower = { correlationId, wake };
      followers.add(follower);
      try {
        listening ??= database.listen('progress', heard);
        await listening;
      } catch (error) {
        listening = null;
        followers.delete(follower);
        throw error;
      }
      return () => void followers.delete(follower);
    },
  };
}
