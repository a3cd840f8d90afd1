import { describe, expect, test } from 'vitest';
import type { Result } from '../words/result.ts';
import { renderSummary, type SummaryInput } from './step-summary.ts';

const succeeded: Result = {
  conclusion: 'success',
  reason: '',
  summary: 'The sum is right now.',
  remedy: '',
  notes: [],
  sessionId: '0b1c2d3e',
  branch: {
    name: 'claude/issue-7',
    base: 'main',
    sha: 'a'.repeat(40),
    commits: 1,
    repository: 'octo-org/hello',
  },
  pullRequestUrl: 'https://github.com/octo-org/hello/pull/8',
  commentUrl: 'https://github.com/octo-org/hello/issues/7#issuecomment-1',
  usage: { costUsd: 0.4213, turns: 12, durationMs: 125_000, inputTokens: 81_000, outputTokens: 2_100 },
};
const failed: Result = {
  ...succeeded,
  conclusion: 'failure',
  reason: 'timed_out',
  summary: 'Claude worked longer than 30 minutes.',
  remedy: 'Raise `timeout_minutes`.',
  notes: ['The work is kept\nas a patch.'],
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: { ...succeeded.usage!, turns: 1 },
};

const summary = (changes: Partial<SummaryInput> = {}) =>
  renderSummary({
    decision: 'Runs: octocat mentioned @claude in octo-org/hello#7.',
    facts: [{ name: 'permission', value: 'write' }],
    result: succeeded,
    delivery: '',
    warnings: [],
    report: '',
    ...changes,
  });

test('success: what was decided, what Claude said, and where the work is', () => {
  expect(summary()).toBe(`## ✅ Forgehand: success

Runs: octocat mentioned @claude in octo-org/hello#7.

### What Claude said

The sum is right now.

| | |
|---|---|
| Comment | https://github.com/octo-org/hello/issues/7#issuecomment-1 |
| Branch | \`claude/issue-7\`, 1 new commit |
| Pull request | https://github.com/octo-org/hello/pull/8 |
| Cost | $0.42 (81000 tokens in, 2100 out) |
| Time | 2m 5s in 12 turns |
| Session | \`0b1c2d3e\` |

<details><summary>Facts of the decision</summary>

| | |
|---|---|
| permission | \`write\` |

</details>`);
});

test('failure: why, what to do, what was kept, and what else to know', () => {
  expect(
    summary({ result: failed, warnings: ['Input `model` is unknown.\nIt has no effect.'], facts: [] }),
  ).toBe(`## ❌ Forgehand: failure (timed_out)

Runs: octocat mentioned @claude in octo-org/hello#7.

**What happened:** Claude worked longer than 30 minutes.

**What to do:** Raise \`timeout_minutes\`.

> The work is kept
> as a patch.

> ⚠️ Input \`model\` is unknown.
> It has no effect.

| | |
|---|---|
| Cost | $0.42 (81000 tokens in, 2100 out) |
| Time | 2m 5s in 1 turn |
| Session | \`0b1c2d3e\` |`);
});

test('skipped: the decision says it all', () => {
  const result: Result = {
    ...failed,
    conclusion: 'skipped',
    reason: 'not_permitted',
    summary: 'mallory may not call Claude.',
    remedy: 'Ask someone with write access.',
    notes: [],
    usage: null,
    sessionId: null,
  };
  expect(summary({ decision: 'mallory may not call Claude.', result })).toMatch(
    /^## ⏭️ Forgehand: skipped \(not_permitted\)\n\nmallory may not call Claude\.\n\n\*\*What to do:\*\* Ask someone with write access\.\n\n<details><summary>Facts/,
  );
});

test.each([
  ['a column', 'a | b', 'a \\| b'],
  ['code', 'a `b` c', "a 'b' c"],
  ['lines', 'a\n| x | y |\r\n# b', 'a \\| x \\| y \\| # b'],
  ['length', 'x'.repeat(1_000), 'x'.repeat(300)],
])('a fact cannot break out of its table: %s', (_, value, shown) => {
  expect(summary({ facts: [{ name: 'title', value }] })).toContain(`| title | \`${shown}\` |`);
});

test('a code fence that Claude leaves open does not swallow what follows', () => {
  expect(summary({ result: { ...succeeded, summary: 'Look:\n```js\nopen' } })).toContain(
    '```js\nopen\n```\n\n| | |',
  );
});

describe('the turns', () => {
  test('are folded away at the end', () => {
    expect(summary({ report: '🔧 **Read**' })).toMatch(
      /<details><summary>Turns<\/summary>\n\n🔧 \*\*Read\*\*\n\n<\/details>$/,
    );
  });

  test('are not there unless they were asked for', () => {
    expect(summary()).not.toContain('Turns');
  });
});

describe("GitHub's limit of a megabyte", () => {
  const megabyte = 1_048_576;
  const bytes = (text: string) => Buffer.byteLength(text);

  test('cuts the turns at a line end, says how much is missing, and closes what is open', () => {
    const report = `\`\`\`\n${'ééé 🚀\n'.repeat(200_000)}\`\`\``;
    const text = summary({ report });
    expect(bytes(text)).toBeLessThan(megabyte);
    expect(bytes(text)).toBeGreaterThan(megabyte * 0.9);
    const end = /ééé 🚀\n```\n\n\*(\d+) bytes more are not shown: GitHub's limit\.\*\n\n<\/details>$/.exec(
      text,
    );
    expect(end).not.toBeNull();
    const shown = text.slice(text.indexOf('```\n'), end!.index + 'ééé 🚀\n'.length);
    expect(bytes(shown) + Number(end![1])).toBe(bytes(report));
    expect(text).toContain('| Cost |');
  });

  test('cuts everything else too, without breaking a character, and then has no room for turns', () => {
    const text = summary({ result: { ...failed, summary: '🚀'.repeat(400_000) }, report: 'turns' });
    expect(bytes(text)).toBeLessThan(megabyte);
    expect(text).not.toContain('\ufffd');
    expect(text).toMatch(/bytes more are not shown/);
  });
});

test('what only Claude Code could have said is not made up', () => {
  const usage = { ...succeeded.usage!, costUsd: null, outputTokens: null };
  expect(summary({ result: { ...failed, usage } })).toContain(
    '| Cost | not known, as Claude Code ended before it could say (81000 tokens in) |',
  );
});
