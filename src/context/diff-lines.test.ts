/** Which lines of a diff take a comment, and what is said of those that do not. */
import { describe, expect, test } from 'vitest';
import type { Place } from '../words/review.ts';
import { locate } from './diff-lines.ts';

const patch = [
  '@@ -1,4 +1,5 @@ import x',
  ' one',
  '-two',
  '+two, corrected',
  '+two and a half',
  ' three',
  ' four',
  '@@ -20,3 +21,2 @@',
  ' twenty',
  '-gone',
  ' last',
  '\\ No newline at end of file',
].join('\n');
const at = (line: number, startLine: number | null = null, side: Place['side'] = 'RIGHT') =>
  locate(patch, { path: 'a.txt', line, startLine, side });

describe('these lines take a comment, and are these', () => {
  test.each<[string, Parameters<typeof at>, string[]]>([
    ['an added one', [3], ['two and a half']],
    ['one that is shown unchanged', [1], ['one']],
    ['a deleted one, on the left', [2, null, 'LEFT'], ['two']],
    ['an unchanged one, on the left', [20, null, 'LEFT'], ['twenty']],
    ['several in one hunk', [4, 2], ['two, corrected', 'two and a half', 'three']],
    ['several on the left, without what was added between', [3, 1, 'LEFT'], ['one', 'two', 'three']],
    ['the last one', [22], ['last']],
  ])('%s', (_, [line, start, side], code) => {
    expect(at(line, start, side)).toEqual({ code });
  });
});

describe('these do not, and the nearest that do are named', () => {
  test.each<[string, Parameters<typeof at>, problem: string, remedy: string]>([
    [
      'one between the hunks',
      [9],
      'Line 9 of `a.txt` (side RIGHT) is not part',
      'nearest line that takes a comment is 5; on side RIGHT these do: 1-5, 21-22',
    ],
    ['one near the second', [18], 'Line 18', 'is 21; on side RIGHT these do: 21-22, 1-5'],
    ['one past the end', [900], 'Line 900', 'is 22'],
    ['a deleted one on the right', [23], 'Line 23', 'is 22'],
    ['a range over two hunks', [21, 4], 'Lines 4 to 21 of `a.txt` are not in one hunk', '1-5'],
    ['a range that begins outside', [21, 19], 'Line 19', 'is 21'],
  ])('%s', (_, [line, start, side], problem, remedy) => {
    const refused = at(line, start, side);
    expect(refused).toMatchObject({
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
    });
  });

  test('a line of a deleted file: the left side has it', () => {
    const deleted = '@@ -1,2 +0,0 @@\n-one\n-two';
    const place = { path: 'a.txt', line: 2, startLine: null };
    expect(locate(deleted, { ...place, side: 'LEFT' })).toEqual({ code: ['two'] });
    expect(locate(deleted, { ...place, side: 'RIGHT' })).toMatchObject({
      remedy: expect.stringMatching(/no lines on side RIGHT.*With `side` LEFT .* has line 2/),
    });
  });

  test('of many hunks the nearest six are named', () => {
    const many = Array.from({ length: 9 }, (_, i) => `@@ -${i}0 +${i}0 @@\n+x`).join('\n');
    const refused = locate(many, { path: 'a.txt', line: 41, startLine: null, side: 'RIGHT' });
    expect(refused).toMatchObject({ remedy: expect.stringContaining('40, 50, 30, 60, 20, 70, and others') });
  });
});
