/** What must not stand on GitHub twice: posted again only when it is certain that the first time was in vain. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';

/** Times that it is tried, and the milliseconds between a lost answer and the look whether it arrived. */
const tries = 3;
const settleMs = 500;

/** @param find what has arrived although the answer was lost; null when nothing has. @throws what `post` throws last */
export async function postedOnce<T>(post: () => Promise<T>, find: () => Promise<T | null>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await post();
    } catch (error) {
      const isLost = error instanceof AppError && error.reason === 'github_unavailable';
      if (!isLost || attempt === tries) throw error;
      await sleep(settleMs * attempt);
      const arrived = await find();
      if (arrived !== null) return arrived;
    }
  }
}
