/** Which limit stops a session, what is left of it, and what /continue changes. */
import { expect, test } from 'vitest';
import { type Limits, left, reached, type Used } from './limits.ts';

const none: Limits = {
  maxBudgetUsd: null,
  maxTurns: null,
  sessionMinutes: 120,
  maxBudgetUsdPerRepositoryDay: null,
  maxBudgetUsdPerDay: null,
};
const nothing: Used = { spentUsd: 0, turns: 0, workedMs: 0, today: { repository: 0, all: 0 } };

test.each([
  ['nothing is limited', {}, { spentUsd: 900, turns: 900 }, {}, null],
  ['money is left', { maxBudgetUsd: 5 }, { spentUsd: 4.99 }, {}, null],
  ['the money is spent', { maxBudgetUsd: 5 }, { spentUsd: 5 }, {}, 'budget'],
  ['/continue $2 allows more money', { maxBudgetUsd: 5 }, { spentUsd: 5 }, { usd: 2 }, null],
  ['the turns are taken', { maxTurns: 10 }, { turns: 10 }, {}, 'turns'],
  ['/continue allows more turns', { maxTurns: 10 }, { turns: 10 }, { turns: 10 }, null],
  ['the time is over', { sessionMinutes: 1 }, { workedMs: 60_000 }, {}, 'timed_out'],
  ['/continue allows more time', { sessionMinutes: 1 }, { workedMs: 60_000 }, { minutes: 1 }, null],
  [
    'the day of the repository',
    { maxBudgetUsdPerRepositoryDay: 3 },
    { today: { repository: 3, all: 3 } },
    {},
    'budget',
  ],
  ['the day of all', { maxBudgetUsdPerDay: 9 }, { today: { repository: 0, all: 9.5 } }, {}, 'budget'],
])('%s', (_, limits, used, granted, reason) => {
  expect(reached({ ...none, ...limits }, granted, { ...nothing, ...used })?.reason ?? null).toBe(reason);
});

test('nobody but the operator lifts the cap of a day', () => {
  const limits = { ...none, maxBudgetUsdPerDay: 9 };
  const used = { ...nothing, today: { repository: 0, all: 9 } };
  expect(reached(limits, { usd: 100 }, used)).toMatchObject({ canContinue: false });
});

test('Claude is told the smallest of what is left', () => {
  const limits = {
    ...none,
    maxBudgetUsd: 5,
    maxBudgetUsdPerRepositoryDay: 3,
    maxTurns: 8,
    sessionMinutes: 2,
  };
  const used = { spentUsd: 1, turns: 3, workedMs: 30_000, today: { repository: 2, all: 2 } };
  expect(left(limits, { usd: 1, turns: 2, minutes: 1 }, used)).toEqual({ usd: 1, turns: 7, ms: 150_000 });
  expect(left(none, {}, nothing)).toEqual({ usd: null, turns: null, ms: 7_200_000 });
});
