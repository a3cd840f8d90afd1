/** A posted review: what Claude wrote arrives as it is, with a link of ours below and nothing of anybody else's in it. */
import { describe, expect, test } from 'vitest';
import type { Finding } from '../words/review.ts';
import { readMarker } from './marker.ts';
import { longestComment } from './render.ts';
import { findingBody, type ReviewView, reviewBody } from './review.ts';

const marker = {
  workflow: 'Review',
  job: 'review',
  run: '7',
  attempt: '1',
  head: 'c'.repeat(40),
  review: 'r1',
};
const view: ReviewView = {
  ...{ repository: 'octo-org/hello', number: 3, fixLinks: true, marker },
  redact: (text) => text.replaceAll('s3cret', '[redacted]'),
};
const finding = (more: Partial<Finding> = {}): Finding => ({
  ...{ path: 'src/a.ts', line: 12, startLine: null, side: 'RIGHT', code: ['x'] },
  ...{ body: 'The name is not escaped.', ...more },
});
const linkIn = (body: string) => /\[Fix this →\]\((\S*)\)\n\n<!-- forgehand [^\n]*-->$/.exec(body)?.[1];

test.each([
  '```suggestion\n  <a title="x" alt=\'y\'>&#39;&nbsp;\t</a>  \n```',
  'Why.\n\n~~~~suggestion\n```\nnested ‮ \u200b\n```\n~~~~\nAnd more.',
  'Ends in blanks  \n',
])('byte for byte: %j', (body) => {
  const posted = findingBody(finding({ body }), view);
  expect(posted.startsWith(`${body}\n\n[Fix this →](`)).toBe(true);
  expect(readMarker(posted)).toEqual(marker);
});

test('secrets do not arrive, nor does a marker that is not ours', () => {
  const forged = '<!-- forgehand {"workflow":"x","job":"x","run":"1","attempt":"1"} -->';
  const posted = findingBody(finding({ body: `s3cret ${forged}` }), view);
  expect(posted).not.toContain('s3cret');
  expect(posted.match(/<!-- forgehand /g)).toHaveLength(1);
  expect(readMarker(posted)).toEqual(marker);
});

describe('the fix link', () => {
  test('asks for this fix in this repository, without the suggestion', () => {
    const body = 'Not escaped.\n```suggestion\nconst code = 1;\n```\nSee above.';
    const link = new URL(linkIn(findingBody(finding({ body, startLine: 10 }), view))!);
    expect(link.origin + link.pathname).toBe('https://claude.ai/code');
    expect(Object.fromEntries(link.searchParams)).toEqual({
      q: 'Fix this finding of the review of pull request #3. `src/a.ts`, lines 10 to 12: Not escaped. See above.',
      repo: 'octo-org/hello',
    });
  });

  test.each<[string, Partial<Finding>]>([
    ['what ends a link', { body: 'x) [y](javascript:alert(1)) (' }],
    ['what begins another parameter', { body: 'x&repo=mallory/evil#' }],
    ['a name of a file', { path: 'a`](https://evil.example)\n`b' }],
    ['half a character', { body: `${'x'.repeat(600)}${'😀'.repeat(100)}` }],
    ['too much of it', { body: 'ä '.repeat(30_000) }],
  ])('%s stays in the question', (_, more) => {
    const link = linkIn(findingBody(finding(more), view))!;
    expect(link).toMatch(/^https:\/\/claude\.ai\/code\?q=[\w.%-]+&repo=octo-org\/hello$/);
    expect(link.length).toBeLessThan(5_000);
  });

  test('is in no suggestion, also when that is left open', () => {
    const posted = findingBody(finding({ body: '```suggestion\nx' }), view);
    expect(posted).toContain('```suggestion\nx\n```\n\n[Fix this →]');
  });

  test('is left out with `include_fix_links: false`', () => {
    expect(findingBody(finding(), { ...view, fixLinks: false })).not.toContain('claude.ai');
  });
});

describe('the body', () => {
  test('has the conclusion, what takes no comment in its place, and the marker', () => {
    const conclusion = { event: 'COMMENT' as const, body: 'One finding.' };
    const unplaced = [finding({ path: 'logo.svg', line: 2, side: 'LEFT' })];
    const { body, continued } = reviewBody({ conclusion }, { unplaced, notes: ['A note.'] }, view);
    expect(body).toContain(
      'One finding.\n\n### Findings outside of the diff\n\n**`logo.svg`, line 2 before the change**\n\nThe name is not escaped.\n\n[Fix this →]',
    );
    expect(body).toContain('*A note.*');
    expect(readMarker(body)).toEqual(marker);
    expect(continued).toEqual([]);
  });

  test('is continued when GitHub takes no more', () => {
    const unplaced = Array.from({ length: 9 }, (_, line) =>
      finding({ line: line + 1, body: 'x\n'.repeat(10_000) }),
    );
    const { body, continued } = reviewBody({ conclusion: null }, { unplaced, notes: [] }, view);
    expect(continued.length).toBeGreaterThan(1);
    for (const part of [body, ...continued]) expect(part.length).toBeLessThanOrEqual(longestComment);
    expect(continued.map((part) => readMarker(part)!.part)).toEqual(continued.map((_, index) => index + 2));
    expect([body, ...continued].join('').match(/x\n/g)!.length).toBeGreaterThanOrEqual(90_000);
  });
});
