/** Texts put together at random: what a page does not show of them does not arrive. */
import { expect, test } from 'vitest';
import { sanitise } from '../../src/prompt/sanitise.ts';
import { mixer, wordsOf } from './hostile/mixed.ts';
import { rendered } from './hostile/rendered.ts';

/** Addresses stay: a reader sees them by pointing at the link. */
const inAddress = (text: string, word: string) =>
  new RegExp(`(?:\\]\\(<?|\\]:\\s*<?|(?:href|src)\\s*=\\s*)[^\\n]*${word}`).test(text);

function compared(seed: number) {
  const mixed = mixer(seed);
  const result = { leaked: [] as string[], hidden: 0, seen: 0, lost: 0 };
  for (let left = 1_000; left > 0; left -= 1) {
    const text = mixed();
    const page = rendered(text);
    const arrived = sanitise(text);
    for (const word of wordsOf(text)) {
      const isSeen = page.includes(word);
      result[isSeen ? 'seen' : 'hidden'] += 1;
      if (isSeen && !arrived.includes(word)) result.lost += 1;
      if (!isSeen && arrived.includes(word) && !inAddress(arrived, word)) result.leaked.push(text);
    }
  }
  return result;
}

test.each([1, 2, 3])('mixture %i', (seed) => {
  const { leaked, hidden, seen, lost } = compared(seed);
  expect(leaked).toEqual([]);
  expect(hidden).toBeGreaterThan(500);
  // What is around hidden words may go with them; what is seen hardly ever does.
  expect(lost / seen).toBeLessThan(0.01);
});
