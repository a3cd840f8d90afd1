/** What counts as said already: by whom, where, in which words. */
import { describe, expect, test } from 'vitest';
import type { InlineComment } from '../../github/reviews.ts';
import { hidden } from '../../report/marker.ts';
import type { Finding } from '../../words/review.ts';
import { collected, isOwn, ownFindings, repeated } from './own-findings.ts';

const marker = hidden({ workflow: 'Review', job: 'review', run: '7', attempt: '1', review: 'r' });
const said = 'The name is **not** escaped in line 12.';
const earlier = (more: Partial<InlineComment> = {}): InlineComment => ({
  id: 1,
  url: 'https://github.com/octo-org/hello/pull/1#discussion_r1',
  login: 'github-actions[bot]',
  body: `${said}\n\n[Fix this →](https://claude.ai/code?q=x&repo=octo-org/hello)\n\n${marker}`,
  ...{ path: 'src/a.ts', line: 12, startLine: null, side: 'RIGHT', replyTo: null },
  ...more,
});
const finding = (more: Partial<Finding> = {}): Finding => ({
  ...{ path: 'src/a.ts', line: 40, startLine: null, side: 'RIGHT', body: 'Something else.', code: ['x'] },
  ...more,
});

test.each<[string, string, string, boolean]>([
  ['our login and our marker', 'github-actions[bot]', `x ${marker}`, true],
  ['our login as GraphQL has it', 'github-actions', `x ${marker}`, true],
  ['our login, another program', 'github-actions[bot]', 'x', false],
  ['our marker, copied by somebody', 'mallory', `x ${marker}`, false],
])('own or not: %s', (_, login, body, own) => {
  expect(isOwn({ login, body }, 'github-actions[bot]')).toBe(own);
  expect(isOwn({ login, body }, '')).toBe(false);
});

test('replies of ours are no findings', () => {
  const all = [earlier(), earlier({ id: 2, replyTo: 1 }), earlier({ id: 3, login: 'mallory' })];
  expect(ownFindings(all, 'github-actions[bot]').map(({ id }) => id)).toEqual([1]);
});

describe('a new finding repeats an earlier one', () => {
  test.each<[string, Partial<Finding>, Partial<InlineComment>]>([
    ['on the same line, whatever it says', { line: 12 }, {}],
    ['on a line of its range', { line: 11 }, { startLine: 10 }],
    ['on lines around it', { startLine: 11, line: 14 }, {}],
    ['that GitHub has followed to another line', { line: 40 }, { line: 40 }],
    ['in the same words, elsewhere in the file', { body: 'the name is not escaped in line 40' }, {}],
    ['in the same words, with another suggestion', { body: `${said}\n~~~suggestion\nx\n~~~` }, {}],
    ['in the same words, where the line has changed since', { body: said }, { line: null }],
  ])('%s', (_, given, was) => {
    expect(repeated(finding(given), [earlier(was)])).toMatchObject({ id: 1 });
  });

  test.each<[string, Partial<Finding>, Partial<InlineComment>]>([
    ['on another line, in other words', {}, {}],
    ['in another file, in the same words', { path: 'src/b.ts', line: 12, body: said }, {}],
    ['on the other side', { line: 12, side: 'LEFT' }, {}],
    ['on a line that has changed since, in other words', { line: 12 }, { line: null }],
  ])('but not %s', (_, given, was) => {
    expect(repeated(finding(given), [earlier(was)])).toBeNull();
  });
});

test('within one run: the same words in the same place; one mistake may be made twice', () => {
  const first = finding({ body: said });
  expect(collected(finding({ body: 'The name is not escaped in line 13' }), [first])).toBe(first);
  expect(collected(finding({ body: said, line: 41 }), [first])).toBeNull();
  expect(collected(finding({ body: 'Two things are wrong here.' }), [first])).toBeNull();
});
