/** What a session has used, however often Claude Code starts to count anew. */
import { expect, test } from 'vitest';
import { Account } from './account.ts';

const limits = {
  maxBudgetUsd: 1,
  maxTurns: 10,
  sessionMinutes: 60,
  maxBudgetUsdPerRepositoryDay: null,
  maxBudgetUsdPerDay: 2,
};
const usage = (costUsd: number, turns: number) => ({
  costUsd,
  turns,
  durationMs: turns * 1000,
  inputTokens: turns * 10,
  outputTokens: turns,
});

test('each turn is counted once, though Claude Code counts from the start of its process', () => {
  const account = new Account(limits, {
    spentUsd: 0.25,
    turns: 2,
    workedMs: 0,
    today: { repository: 0.25, all: 0.5 },
  });
  expect(account.add(usage(0.25, 1))).toEqual(usage(0.25, 1));
  expect(account.add(usage(0.5, 4))).toEqual({ ...usage(0.25, 3), inputTokens: 30, outputTokens: 3 });
  expect(account.add(null)).toBeNull();
  expect(account.left({})).toMatchObject({ usd: 0.25, turns: 4 });
  expect(account.reached({})).toBeNull();
  account.add(usage(0.75, 4));
  expect(account.reached({})).toMatchObject({ reason: 'budget', canContinue: true });
  expect(account.reached({ usd: 1 })).toBeNull();
});
