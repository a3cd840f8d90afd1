import { describe, expect, test } from 'vitest';
import { dollars } from '../words/dollars.ts';
import { hidden, type Marker, readMarker, stickyKey } from './marker.ts';
import {
  type CommentState,
  closeFence,
  compact,
  duration,
  longestComment,
  renderComment,
  splitMarkdown,
} from './render.ts';

test.each([
  [0, '0'],
  [999, '999'],
  [12_345, '12.3k'],
  [83_000, '83k'],
  [999_949, '999.9k'],
  [999_950, '1M'],
  [1_250_000, '1.3M'],
])('%d tokens are %s', (count, text) => {
  expect(compact(count)).toBe(text);
});

test.each([
  [0, '0s'],
  [4_499, '4s'],
  [59_600, '1m 0s'],
  [65_000, '1m 5s'],
  [3_599_000, '59m 59s'],
  [3_600_000, '1h 0m'],
  [9_000_000, '2h 30m'],
  [-5_000, '0s'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, '$0.00'],
  [0.01, '$0.01'],
  [0.4213, '$0.42'],
  [12.5, '$12.50'],
  [1234.567, '$1234.57'],
  [0.0042, '$0.0042'],
  [0.00041234, '$0.00041'],
  [0.00000003, '<$0.0001'],
])('%d dollars are %s', (amount, text) => {
  expect(dollars(amount)).toBe(text);
});

describe('the hidden marker', () => {
  const marker: Marker = { workflow: 'Claude', job: 'claude', run: '42', attempt: '1' };

  test.each<[string, Marker]>([
    ['plain', marker],
    [
      'with all that later runs need',
      { ...marker, session: '0b1c2d3e-0000-4000-8000-000000000000', head: 'a'.repeat(40) },
    ],
    ['of a continuation', { ...marker, part: 3 }],
    ['whose values would end the comment', { ...marker, workflow: 'a --> b', job: '<!-- forgehand {} -->' }],
    ['whose values look like its own', { ...marker, workflow: '","run":"1', job: 'x\ny"}' }],
    ['in other scripts', { ...marker, workflow: 'проверка 🚀 \u2028' }],
  ])('%s: comes back as it was', (_, given) => {
    const line = hidden(given);
    expect(line).toMatch(/^<!-- forgehand \{[^\n>]*\} -->$/);
    expect(line.slice(4, -3)).not.toContain('--');
    expect(readMarker(`Text.\n\n${line}`)).toEqual(given);
  });

  test.each([
    ['no marker', 'Hello.'],
    ['broken JSON', '<!-- forgehand {"workflow": -->'],
    ['not the fields of one', '<!-- forgehand {"workflow":"Claude"} -->'],
    ['not an object', '<!-- forgehand {} -->'],
    ['over several lines', '<!-- forgehand {"workflow":\n"Claude"} -->'],
  ])('%s: none', (_, body) => {
    expect(readMarker(body)).toBeNull();
  });

  test('of several the last one counts, as ours ends the comment', () => {
    const other = hidden({ ...marker, run: '1', session: 'stolen' });
    expect(readMarker(`${other}\n\n${hidden(marker)}`)).toEqual(marker);
  });

  test('all runs of one job of one workflow share its key, and nobody else does', () => {
    const key = stickyKey(marker);
    const holds = (other: Marker) => hidden(other).includes(key);
    expect(holds({ ...marker, run: '43', attempt: '2', session: 's' })).toBe(true);
    // The order in which somebody wrote the object down does not matter.
    expect(holds({ attempt: '9', run: '9', job: 'claude', workflow: 'Claude' })).toBe(true);
    expect(holds({ ...marker, workflow: 'Claude 2' })).toBe(false);
    expect(holds({ ...marker, workflow: 'My Claude' })).toBe(false);
    expect(holds({ ...marker, job: 'review' })).toBe(false);
    // The head of a long comment is used again, not what continues it.
    expect(holds({ ...marker, part: 2 })).toBe(false);
    expect(stickyKey({ ...marker, part: 2 })).toBe(key);
  });
});

describe('splitting', () => {
  const longest = 400;
  const split = (text: string) => {
    const parts = splitMarkdown(text, longest);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(longest);
    return parts;
  };
  const lines = (count: number, line: string) => `${line}\n`.repeat(count);

  test('a text that fits is left alone', () => {
    expect(split('a\n\nb')).toEqual(['a\n\nb']);
    expect(split('')).toEqual(['']);
  });

  test('at line ends, and nothing is lost', () => {
    const text = lines(100, 'nine char');
    const parts = split(text);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part.endsWith('\n')).toBe(true);
    expect(parts.join('')).toBe(text);
  });

  test('in a line that is too long, but never in the middle of a character', () => {
    const text = `a${'😀'.repeat(500)}`;
    const parts = split(text);
    expect(parts.join('')).toBe(text);
    for (const part of parts) expect(part.isWellFormed()).toBe(true);
  });

  test.each<[string, string, string, string]>([
    ['backticks', '```ts', 'const a = 1;', '```'],
    ['tildes', '~~~', 'text', '~~~'],
    ['a longer fence, around a shorter one', '````md', '```', '````'],
    ['indented', '  ```sh', 'ls', '```'],
  ])('a code fence is closed and opened again: %s', (_, open, line, close) => {
    const [first, ...rest] = split(`Look:\n\n${open}\n${lines(120, line)}${close}\nEnd.`);
    expect(first).toMatch(new RegExp(`^Look:\\n\\n${open}\\n(${line}\\n)+${close}$`));
    for (const part of rest) expect(part.startsWith(`${open}\n${line}\n`)).toBe(true);
    expect(rest.at(-1)).toMatch(new RegExp(`\\n${close}\\nEnd\\.$`));
  });

  test.each<[string, string]>([
    ['a fence line without an end', `\`\`\`${'x'.repeat(5_000)}`],
    ['a fence of thousands of backticks', `${'`'.repeat(3_000)}\n${lines(100, 'text')}`],
    ['thousands of fences', lines(1_000, '```')],
    ['a fence behind text that fills a part', `${'x'.repeat(290)}\n~~~~${'y'.repeat(2_000)}`],
  ])('an odd text comes to an end: %s', (_, text) => {
    const parts = split(text);
    expect(parts.length).toBeLessThan(text.length / 50);
    expect(parts.join('').replace(/\s/g, '').length).toBeGreaterThanOrEqual(text.replace(/\s/g, '').length);
  });
});

test.each([
  ['nothing open', 'a\n```\nb\n```\n', 'a\n```\nb\n```\n'],
  ['open', 'a\n```js\nb', 'a\n```js\nb\n```'],
  ['open at a line end', '```\nb\n', '```\nb\n```'],
  ['inline code is no fence', '```not a fence```\nb', '```not a fence```\nb'],
  ['the other mark does not close it', '```\n~~~', '```\n~~~\n```'],
  ['a shorter mark does not close it', '`````\n```', '`````\n```\n`````'],
  ['a mark with words does not close it', '```\n```js', '```\n```js\n```'],
])('closing a fence: %s', (_, text, closed) => {
  expect(closeFence(text)).toBe(closed);
});

describe('whatever a state holds, the comment fits and stays ours', () => {
  const state: CommentState = {
    actor: 'octocat',
    startedAt: 0,
    progress: { status: 'in_progress', message: '' },
    jobUrl: null,
    branch: null,
    createPullRequestUrl: null,
    result: null,
    marker: { workflow: 'Claude', job: 'claude', run: '42', attempt: '1' },
  };
  const failed: NonNullable<CommentState['result']> = {
    conclusion: 'failure',
    reason: 'internal',
    summary: 'It failed.',
    remedy: 'Try again.',
    notes: [],
    sessionId: null,
    branch: null,
    pullRequestUrl: null,
    commentUrl: null,
    usage: null,
  };
  const huge = 'words of an error\n'.repeat(20_000);

  test.each<[string, Partial<CommentState>]>([
    ['a huge error', { result: { ...failed, summary: huge } }],
    ['a huge remedy', { result: { ...failed, remedy: huge } }],
    ['many huge notes', { result: { ...failed, notes: Array.from({ length: 500 }, () => huge) } }],
    [
      'all of it, and a huge text',
      {
        result: { ...failed, summary: huge, notes: [huge, huge] },
        progress: { status: 'in_progress', message: huge },
      },
    ],
    [
      'a text of nothing but markers',
      { progress: { status: 'in_progress', message: '<!-- forgehand {} -->'.repeat(5_000) } },
    ],
  ])('%s', (_, change) => {
    const given = { ...state, ...change };
    const { body, continued } = renderComment(given, 1_000);
    for (const part of [body, ...continued]) {
      expect(part.length).toBeLessThanOrEqual(longestComment);
      expect(readMarker(part)).toMatchObject(given.marker);
      expect(part.match(/<!-- forgehand /g)).toHaveLength(1);
    }
    expect(continued.map((part) => readMarker(part)!.part)).toEqual(continued.map((_, index) => index + 2));
  });
});
