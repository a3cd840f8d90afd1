/** What every failed run must show, wherever people, workflows and later steps look. */
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Reason } from '../../src/words/result.ts';
import type { Step, StepFunction, ToolCall } from '../../testkit/claude/step.ts';
import { bash, edit, mcp, read } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import type { Stage } from './stage.ts';

export interface Told {
  conclusion?: 'failure' | 'cancelled';
  reason: Reason;
  /** What happened, in words; looked for in comment, annotation and summary. */
  cause: RegExp;
  /** What to do about it; looked for in the same places. */
  remedy: RegExp;
  /** False for a run that could not comment. */
  comment?: false;
}

/** The comments that are not people's, on the issue or pull request 1; none before there is one. */
export function answers(stage: Stage) {
  const subject = stage.repository.record.subjects.get(1);
  return (subject?.comments ?? []).filter(({ author }) => author?.login.endsWith('[bot]'));
}

/** The one tracking comment. */
export function answer(stage: Stage): string {
  const found = answers(stage);
  expect(found.map(({ body }) => body)).toHaveLength(1);
  return found[0]!.body;
}

/** A failed run says why and what to do in comment, annotation and summary, fails the job, and leaves nothing behind. */
export async function expectToldEverywhere(stage: Stage, run: ActionRun, told: Told): Promise<void> {
  const { conclusion = 'failure', reason, cause, remedy } = told;
  expect(run.main.exitCode, run.log).toBe(1);
  expect(run.outputs, run.log).toMatchObject({ conclusion, reason });
  const annotation = run.annotations.find(({ level, source }) => level === 'error' && source === 'main');
  expect(annotation?.title).toBe(`Forgehand: ${reason}`);
  const places = [annotation!.message, run.summary, ...(told.comment === false ? [] : [answer(stage)])];
  for (const place of places) {
    expect(place).toMatch(cause);
    expect(place).toMatch(remedy);
  }
  expect(run.summary).toContain(`Forgehand: ${conclusion} (${reason})`);
  if (told.comment !== false) {
    expect(answer(stage)).toMatch(conclusion === 'failure' ? /^❌/ : /^⏹️/);
    expect(answer(stage)).toContain(`(\`${reason}\`)`);
    expectReaction(stage, 'confused');
  }
  await expectLeftInOrder(stage, run);
}

/** No process, no credential of ours, no answer that GitHub would not give; the checkout's configuration is back. */
export async function expectLeftInOrder(stage: Stage, run: ActionRun): Promise<void> {
  expect(run.leftovers, run.log).toEqual([]);
  expect(await readFile(stage.path('.git/config'), 'utf8')).toBe(stage.givenConfig);
  expect(stage.github.violations).toEqual([]);
  expect(stage.github.tokens().find(({ value }) => value === stage.token)?.revoked).toBe(false);
}

export async function expectSuccess(stage: Stage, run: ActionRun): Promise<void> {
  expect(run.main.exitCode, run.log).toBe(0);
  expect(run.outputs).toMatchObject({ conclusion: 'success', reason: '' });
  expect(answer(stage)).toMatch(/^✅/);
  expectReaction(stage, '+1');
  await expectLeftInOrder(stage, run);
}

/** The reaction on the comment that asked, the only one. */
export function expectReaction(stage: Stage, content: string): void {
  const asked = stage.repository.subject(1).comments.find(({ author }) => author?.login === 'octocat')!;
  expect(stage.github.reactions(asked).map((reaction) => reaction.content)).toEqual([content]);
}

/** Branches besides the project's own. */
export function newBranches(stage: Stage, own: string[] = ['main']): string[] {
  return Object.keys(stage.repository.branches()).filter((branch) => !own.includes(branch));
}

/** The steps in which Claude corrects the greeting; a function each, as the checkout's path is known only then. */
export function correction(stage: Stage): StepFunction[] {
  return [
    () => ({ tools: [read(stage.path('src/greet.js'))] }),
    () => ({ tools: [edit(stage.path('src/greet.js'), 'Helo', 'Hello')] }),
  ];
}

export const commit: ToolCall = bash('git add -A && git commit -qm "Spell the greeting right"');
export const push: ToolCall = mcp('github_file_ops', 'push_changes');

/** Claude says nothing more: for what must happen in mid-turn. */
export const silence: Step = { hang: true };

export function report(body: string): ToolCall {
  return mcp('github_comment', 'update_claude_comment', { body });
}

/** Polls until `condition` holds. @throws after 30 seconds, so that a story that goes wrong says where. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (await condition()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`It never came to this: ${what}.`);
}
