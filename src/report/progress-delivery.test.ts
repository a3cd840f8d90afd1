import { expect, test } from 'vitest';
import { waitMs } from './progress-delivery.ts';

/** The shortest and the longest of many waits. */
const range = (attempt: number, retryAfterMs: number | null = null) => {
  const waits = Array.from({ length: 2_000 }, () => waitMs(attempt, 1_000, retryAfterMs));
  return [Math.min(...waits), Math.max(...waits)] as const;
};

test.each([
  [1, 2_000],
  [2, 4_000],
  [4, 16_000],
  [5, 30_000],
  [1_000_000, 30_000],
])('after attempt %i a wait is spread between one second and %i ms', (attempt, most) => {
  const [shortest, longest] = range(attempt);
  expect(shortest).toBeGreaterThanOrEqual(1_000);
  expect(longest).toBeLessThanOrEqual(most);
  expect(longest - shortest).toBeGreaterThan((most - 1_000) / 2);
});

test('what the endpoint asks for is waited, within the same bounds', () => {
  expect(range(1, 20_000)).toEqual([20_000, 20_000]);
  expect(range(1, 86_400_000)).toEqual([30_000, 30_000]);
  expect(range(1, 0)[0]).toBeGreaterThanOrEqual(1_000);
});
