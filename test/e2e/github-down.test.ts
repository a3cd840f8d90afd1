import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { write } from '../../testkit/claude/tools.ts';
import {
  answer,
  answers,
  expectLeftInOrder,
  expectReaction,
  expectSuccess,
  expectToldEverywhere,
  newBranches,
} from './endings.ts';
import { type Stage, setStage } from './stage.ts';

async function readyStage(): Promise<Stage> {
  const stage = await setStage();
  stage.model.script([
    () => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] }),
    { text: 'All done.' },
  ]);
  return stage;
}

const down = { status: 502, body: '<html>Bad gateway</html>' };

describe.concurrent('when GitHub is down for good', () => {
  test('for the permission check, the run ends without a word in the thread', async () => {
    await using stage = await readyStage();
    stage.github.faults.add({ path: /\/permission$/, ...down });
    const run = await stage.mention('@claude write it down');
    await expectToldEverywhere(stage, run, {
      reason: 'github_unavailable',
      cause: /answered 502 to `GET .*permission`: a web page instead of an answer/,
      remedy: /githubstatus\.com/,
      comment: false,
    });
    expect(answers(stage)).toEqual([]);
    expect(stage.model.main).toEqual([]);
  });

  test('for the thread, the comment says so', async () => {
    await using stage = await readyStage();
    stage.github.faults.add({ operation: 'issue', ...down });
    const run = await stage.mention('@claude write it down');
    await expectToldEverywhere(stage, run, {
      reason: 'github_unavailable',
      cause: /answered 502/,
      remedy: /githubstatus\.com/,
    });
    expect(stage.model.main).toEqual([]);
  });

  test('for new comments, the run goes on without one and the summary warns', async () => {
    await using stage = await readyStage();
    stage.github.faults.add({ method: 'POST', path: /\/issues\/1\/comments$/, ...down });
    const run = await stage.mention('@claude write it down');
    expect(run.main.exitCode, run.log).toBe(0);
    expect(run.outputs).toMatchObject({
      conclusion: 'success',
      reason: '',
      branch_name: newBranches(stage)[0],
    });
    expect(run.summary).toMatch(/⚠️ The tracking comment could not show that the task (started|ended): .*502/);
    expect(answers(stage)).toEqual([]);
    expectReaction(stage, '+1');
    await expectLeftInOrder(stage, run);
  });

  test('for pushes, the work is kept as a patch that the comment names', async () => {
    await using stage = await readyStage();
    stage.github.faults.add({ method: 'POST', path: /git-receive-pack$/, ...down });
    const run = await stage.mention('@claude write it down', { keep: true });
    await expectToldEverywhere(stage, run, {
      reason: 'github_unavailable',
      cause: /`git push` failed .*502/,
      remedy: /githubstatus\.com/,
    });
    expect(newBranches(stage)).toEqual([]);
    expect(answer(stage)).toContain('All done.');
    const file = /kept as a patch on the machine of this run: `([^`]+)`/.exec(answer(stage))![1]!;
    expect(run.summary).toContain(file);
    expect(await readFile(file, 'utf8')).toContain('+Written down.');
  });

  test('for the last word only, post says it', async () => {
    await using stage = await readyStage();
    const attemptsOfMain = 4;
    stage.github.faults.add({
      method: 'PATCH',
      path: /\/issues\/comments\//,
      times: attemptsOfMain,
      ...down,
    });
    const run = await stage.mention('@claude write it down');
    await expectSuccess(stage, run);
    expect(answer(stage)).toContain('All done.');
    expect(run.summary).toMatch(/⚠️ The tracking comment could not show that the task ended/);
  });

  test('for the last word and for post too, the job succeeds all the same and warns', async () => {
    await using stage = await readyStage();
    stage.github.faults.add({ method: 'PATCH', path: /\/issues\/comments\//, ...down });
    const run = await stage.mention('@claude write it down');
    expect(run.main.exitCode, run.log).toBe(0);
    expect(run.status).toBe('success');
    expect(answer(stage)).toMatch(/^⏳/);
    expect(run.log).toMatch(/What GitHub did not take from main could not be finished: .*502/);
    await expectLeftInOrder(stage, run);
  });

  test('and asks for a longer wait than a job can afford, the run says how long', async () => {
    await using stage = await readyStage();
    stage.github.faults.secondaryRateLimit({ path: /\/permission$/, retryAfterSeconds: 3600 });
    const run = await stage.mention('@claude write it down');
    await expectToldEverywhere(stage, run, {
      reason: 'github_unavailable',
      cause: /secondary rate limit.*in 60 minutes/s,
      remedy: /Run again/,
      comment: false,
    });
    expect(stage.github.requests).toHaveLength(1);
  });
});
