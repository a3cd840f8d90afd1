/** What stories expect of a run again and again, each expectation under its name. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import type { Stage } from './stage.ts';

/** Nobody was asked anything: not GitHub, not its token issuers, not the model. */
export function expectNoRequests({ github, model }: Stage): void {
  expect(github.requests).toEqual([]);
  expect(model.requests).toEqual([]);
}

/** Green, skipped for this reason, and no token is left behind. */
export function expectSkipped(run: ActionRun, reason: string): void {
  expect(run.status, run.log).toBe('success');
  expect(run.outputs).toEqual({ conclusion: 'skipped', reason });
  expect(run.summary).toContain(`Forgehand: skipped (${reason})`);
}

/** Red, with the cause and the remedy where people look: annotation and step summary. */
export function expectFailure(run: ActionRun, reason: string, says: RegExp | string): void {
  expect(run.main.exitCode, run.log).toBe(1);
  expect(run.outputs).toMatchObject({ conclusion: 'failure', reason });
  const [error] = run.annotations.filter(({ level, source }) => level === 'error' && source === 'main');
  expect(error?.title).toBe(`Forgehand: ${reason}`);
  expect(error?.message).toMatch(says);
  expect(run.summary).toMatch(says);
  expect(run.summary).toContain('**What to do:**');
}

export function expectSuccess(run: ActionRun): void {
  expect(run.main.exitCode, run.log).toBe(0);
  expect(run.outputs).toMatchObject({ conclusion: 'success', reason: '' });
}

/** The end of every run: no process, a GitHub that would recognise all that was sent, the checkout's settings back. */
export function expectTidy(run: ActionRun, stage: Stage): void {
  expect(run.leftovers).toEqual([]);
  expect(stage.github.violations).toEqual([]);
  if (stage.givenConfig) expect(readFileSync(stage.path('.git/config'), 'utf8')).toBe(stage.givenConfig);
}

/** None of the secrets is in any of the texts. @param texts by what they are, for the message. */
export function expectNoSecret(texts: Record<string, string>, secrets: string[]): void {
  for (const [name, text] of Object.entries(texts)) {
    for (const secret of secrets) {
      for (const form of spellings(secret)) {
        const at = text.indexOf(form);
        const around = at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 50);
        expect(around, `a secret in ${name}`).toBe('');
      }
    }
  }
}

/** A secret as it is, and as Git sends it. */
function spellings(secret: string): string[] {
  const basic = Buffer.from(`x-access-token:${secret}`).toString('base64');
  return [secret, basic, Buffer.from(secret).toString('base64')];
}
