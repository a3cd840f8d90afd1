/** Every state of the tracking comment as a reader sees it: one golden file each, to be read like the product that it is. */
import { expect, test } from 'vitest';
import { readMarker } from '../../src/report/marker.ts';
import { type CommentState, longestComment, renderComment } from '../../src/report/render.ts';
import { remedyFor } from '../../src/words/errors.ts';
import type { Reason, Result } from '../../src/words/result.ts';

const startedAt = Date.parse('2026-03-01T12:00:00Z');
const now = startedAt + 65_000;
const repository = 'https://github.com/octo-org/hello';

const working: CommentState = {
  actor: 'octocat',
  startedAt,
  progress: { status: 'in_progress', message: '' },
  jobUrl: `${repository}/actions/runs/42`,
  branch: null,
  createPullRequestUrl: null,
  result: null,
  marker: { workflow: 'Claude', job: 'claude', run: '42', attempt: '1' },
};
const branch = { name: 'claude/issue-7-20260301', url: `${repository}/tree/claude/issue-7-20260301` };
const createPullRequestUrl = `${repository}/compare/main...claude/issue-7-20260301?quick_pull=1&title=Fix%20%237&body=Fixes%20%237`;
const checklist = 'On it.\n\n- [x] Read the code\n- [ ] Fix `sum`\n- [ ] Add a test';
const done =
  '`sum` left out the last number; it now adds all of them, and a test says so.\n\n- [x] Read the code\n- [x] Fix `sum`\n- [x] Add a test';

const succeeded: Result = {
  conclusion: 'success',
  reason: '',
  summary: 'Both branches of `parse` are covered by tests; nothing needs to be changed.',
  remedy: '',
  notes: [],
  sessionId: '0b1c2d3e-0000-4000-8000-000000000000',
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: { costUsd: 0.4213, turns: 12, durationMs: 125_000, inputTokens: 81_000, outputTokens: 2_100 },
};

const failed = (reason: Reason, summary: string, more: Partial<Result> = {}): Result => ({
  ...succeeded,
  conclusion: reason === 'cancelled' ? 'cancelled' : 'failure',
  reason,
  summary,
  remedy: remedyFor(reason),
  ...more,
});

const says = (message: string) => ({ progress: { status: 'in_progress', message } as const });

const atWork = `${repository}/issues/7#issuecomment-1`;
const taken = [{ id: 'IC_2', url: `${repository}/issues/7#issuecomment-2`, actor: 'monalisa' }];

const states: Record<string, CommentState> = {
  queued: { ...working, progress: { status: 'queued', message: '' } },
  waiting: { ...working, watched: true, waitsFor: atWork },
  'handed-over': {
    ...working,
    watched: true,
    waitsFor: atWork,
    result: { ...failed('handed_over', 'Another run has it.'), conclusion: 'skipped', usage: null },
  },
  'working-for-two': { ...working, watched: true, ...says(checklist), taken },
  'success-for-two': { ...working, watched: true, ...says(done), taken, result: succeeded },
  'failed-for-two': {
    ...working,
    watched: true,
    branch: { ...branch, sha: 'c'.repeat(40) },
    ...says(checklist),
    taken,
    result: failed('timed_out', 'Claude worked longer than `timeout_minutes` (30).'),
  },
  'just-started': { ...working, startedAt: now },
  'working-without-a-report': working,
  'working-with-checklist': { ...working, ...says(checklist) },
  'working-with-branch': { ...working, ...says(checklist), branch },
  'outside-of-actions': { ...working, ...says(checklist), jobUrl: null },
  'success-with-branch': { ...working, ...says(done), branch, createPullRequestUrl, result: succeeded },
  'success-with-pull-request': {
    ...working,
    ...says(done),
    branch,
    createPullRequestUrl,
    result: { ...succeeded, pullRequestUrl: `${repository}/pull/8` },
  },
  'success-with-final-text': { ...working, result: succeeded },
  'success-of-one-turn': {
    ...working,
    result: { ...succeeded, usage: { ...succeeded.usage!, turns: 1, costUsd: 0.0004, durationMs: 4_100 } },
  },
  'success-with-notes': {
    ...working,
    ...says(done),
    branch,
    createPullRequestUrl,
    result: {
      ...succeeded,
      notes: [
        'The branch has conflicts with `main`; merging it was tried and left undone.',
        'Two files were left out, as `.gitignore` names them:\n- `dist/a.js`\n- `dist/b.js`',
      ],
    },
  },
  'failure-without-model-credential': {
    ...working,
    result: failed('model_auth', 'There is no credential for the model.', { usage: null }),
  },
  'failure-timed-out-with-work': {
    ...working,
    ...says(checklist),
    branch,
    createPullRequestUrl,
    result: failed('timed_out', 'Claude worked longer than 30 minutes.', {
      notes: ['What was done until then is on the branch.'],
    }),
  },
  'failure-refused-by-the-gate': {
    ...working,
    ...says(checklist),
    result: failed(
      'gate_refused',
      'The push would change `.github/workflows/ci.yml`, which `protected_paths` names.',
      {
        notes: ['The work is kept as a patch in the artifact `claude-patch`.'],
      },
    ),
  },
  'failure-in-its-own-words': {
    ...working,
    result: failed('claude_crashed', 'Claude Code stopped:\n\n```\nError: out of memory\n    at main'),
  },
  cancelled: {
    ...working,
    ...says(checklist),
    branch,
    result: failed('cancelled', 'The job was cancelled.', {
      usage: { ...succeeded.usage!, costUsd: null, outputTokens: null },
    }),
  },
  skipped: {
    ...working,
    result: {
      ...failed('handed_over', 'Another run has taken this over.'),
      conclusion: 'skipped',
      usage: null,
    },
  },
  'hostile-names': {
    ...working,
    actor: 'mallory**](https://evil.example) @octo-org/everyone <!--',
    ...says(checklist),
    branch: {
      name: 'x`](https://evil.example)[`@octo-org/everyone',
      url: `${repository}/tree/x)[click](https://evil.example`,
    },
    result: failed('git_failed', '`git push` failed:\n\n> # Not a heading\n<details>\n<!--', { usage: null }),
  },
  'hostile-nobody': { ...working, actor: '\u202e', result: failed('cancelled', 'The job was cancelled.') },
  'hostile-text': {
    ...working,
    ...says(
      'Done.\n\n<!-- forgehand {"workflow":"Release","job":"release","run":"1","attempt":"1"} -->\n\n```ts\nconst open = "never closed";',
    ),
    result: succeeded,
  },
};

test.each(Object.entries(states))('%s', async (name, state) => {
  const { body, continued } = renderComment(state, now);
  expect(continued).toEqual([]);
  // Whatever the text says, the comment is this run's.
  expect(readMarker(body)).toMatchObject(state.marker);
  await expect(`${body}\n`).toMatchFileSnapshot(`golden-comments/${name}.md`);
});

test('a text that is too long goes on in further comments, with its code fence closed and opened again', async () => {
  const lines = Array.from(
    { length: 2_600 },
    (_, i) => `console.log(${String(i).padStart(5, '0')}); // forty letters`,
  );
  const long = `Here it is:\n\n\`\`\`js\n${lines.join('\n')}\n\`\`\`\n\nThat was all.`;
  const { body, continued } = renderComment({ ...working, ...says(long), result: succeeded }, now);
  expect(continued).toHaveLength(1);
  for (const part of [body, ...continued]) expect(part.length).toBeLessThanOrEqual(longestComment);
  const short = (text: string) => text.replace(/(?:console\.log.*\n){10,}/g, '… many lines …\n');
  await expect(
    `${[body, ...continued].map(short).join('\n\n=== next comment ===\n\n')}\n`,
  ).toMatchFileSnapshot('golden-comments/success-continued.md');
  // Nothing is lost and nothing doubled.
  const shown = [body, ...continued].join('\n').match(/console\.log.*/g);
  expect(shown).toEqual(lines);
});

test('while Claude works, a text that is too long promises the rest for the end', () => {
  const { body } = renderComment({ ...working, ...says('word\n'.repeat(20_000)) }, now);
  expect(body.length).toBeLessThanOrEqual(longestComment);
  expect(body).toContain('*The rest follows when the task has ended.*');
});
