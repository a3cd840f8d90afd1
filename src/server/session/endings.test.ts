/** How several ends of turns become one, and which messages they end. */
import { expect, test } from 'vitest';
import { cutBy, passes, remedyFor, type Told, takenUpBy, together, withoutLateLimit } from './endings.ts';

const told = (more: Partial<Told> = {}): Told => ({
  reason: '',
  text: 'Done.',
  usage: null,
  answered: ['a'],
  ...more,
});
const open = [
  { id: 'a', state: 'delivered' as const },
  { id: 'b', state: 'delivered' as const },
  { id: 'c', state: 'queued' as const },
];
const ids = (messages: { id: string }[]) => messages.map(({ id }) => id).join('');

test('turns without a pause between them are one answer, each text once', () => {
  const all = together([
    told({ text: 'One.' }),
    told({ text: ' ' }),
    told({ text: 'Two.', answered: ['b'] }),
    told({ text: 'Two.' }),
  ]);
  expect(all.text).toBe('One.\n\n---\n\nTwo.');
  expect(all.answered).toEqual(['a', 'a', 'b', 'a']);
});

test.each([
  ['a whole turn ends what it has answered', told(), 'a'],
  ['a turn that nobody asked for ends nothing', told({ answered: [] }), ''],
  ['a turn that was stopped ends what Claude had heard', told({ reason: 'cancelled', answered: [] }), 'ab'],
])('%s', (_, turn, ended) => {
  expect(ids(takenUpBy(turn, open))).toBe(ended);
});

test.each([
  ['reached with the last word: an answer', told({ reason: 'budget', answered: ['a', 'b'] }), ''],
  ['reached before it: a limit', told({ reason: 'budget', answered: ['a'] }), 'budget'],
  ['no limit at all', told({ reason: 'claude_crashed', answered: ['a', 'b'] }), 'claude_crashed'],
])('a limit that is %s', (_, turn, reason) => {
  expect(withoutLateLimit(turn, open, 'The last word.')).toMatchObject({ reason });
});

const limit = { reason: 'turns', message: 'As many as it may.', canContinue: true } as const;

test('our limit says more than what Claude Code knows of it, and nothing of a turn that came to its end', () => {
  expect(cutBy(told({ reason: 'budget' }), limit)).toEqual({
    reason: 'turns',
    message: 'As many as it may.',
    remedy: remedyFor(limit),
  });
  expect(cutBy(told(), limit)).toBeNull();
  expect(cutBy(told({ reason: 'model_auth' }), limit)).toBeNull();
  expect(cutBy(told({ reason: 'budget' }), null)).toBeNull();
  expect(remedyFor({ ...limit, canContinue: false })).toMatch(/operator/);
});

test('only what is away comes back by itself', () => {
  expect(
    ['model_unavailable', 'github_unavailable', 'model_auth', ''].map((reason) => passes(reason as never)),
  ).toEqual([true, true, false, false]);
});
