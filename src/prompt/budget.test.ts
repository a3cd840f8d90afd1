import { expect, test } from 'vitest';
import { choose, type Piece, whole } from './budget.ts';

const piece = (name: string, rank: Piece['rank'], minute: number): Piece => ({
  section: 'conversation',
  what: rank === 'unresolved' ? 'review threads' : 'comments',
  at: `2026-03-0${(minute % 9) + 1}T10:00:00Z`,
  rank,
  render: whole(name.padEnd(100)),
});
const names = (texts: string[] | undefined) => (texts ?? []).map((text) => text.trim());

test('nearest first, then newest, shown in the order of time', () => {
  const pieces = [
    piece('old', 'recent', 1),
    piece('thread', 'unresolved', 0),
    piece('new', 'recent', 5),
    piece('newest', 'rest', 6),
  ];
  expect(names(choose(pieces, 300).sections.get('conversation'))).toEqual(['thread', 'old', 'new']);
  expect(names(choose(pieces, 250).sections.get('conversation'))).toEqual(['thread', 'new']);
  expect(choose(pieces, 250).leftOut).toEqual([
    { what: 'comments', count: 2, why: 'over the size limit of the prompt, from 2026-03-02 to 2026-03-07' },
  ]);
});

test('a long one that does not fit leaves the room to shorter ones', () => {
  const long: Piece = { ...piece('', 'recent', 7), render: whole('x'.repeat(1_000)) };
  expect(names(choose([long, piece('short', 'recent', 1)], 200).sections.get('conversation'))).toEqual([
    'short',
  ]);
});

test('everything is shown or counted, whatever the room', () => {
  const pieces = Array.from({ length: 20 }, (_, i) => piece(`${i}`, i % 2 ? 'recent' : 'unresolved', i));
  for (let room = -100; room < 2_200; room += 50) {
    const { sections, leftOut } = choose(pieces, room);
    const shown = sections.get('conversation')?.length ?? 0;
    expect(shown * 100).toBeLessThanOrEqual(Math.max(room, 0));
    expect(shown + leftOut.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  }
});
