/** Pull requests from forks: the work goes to the fork where that is allowed, else beside it, and never onto the base. */
import { expect, test } from 'vitest';
import { expectSuccess, expectTidy } from './expectations.ts';
import { callOn, correction, lookAround, openForkPull } from './pulls.ts';
import { setStage } from './stage.ts';

test('where maintainers may edit and the token may push, the work goes to the fork', async () => {
  await using stage = await setStage();
  const { pull, fork } = await openForkPull(stage);
  const before = stage.repository.branches();
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull, {
    inputs: { ...lookAround, github_token: stage.github.token({ login: 'octocat' }) },
  });

  expectSuccess(run);
  expect(await fork.file('german', 'NOTES.md')).toBe('Spelt right.\n');
  expect(stage.repository.branches()).toEqual(before);
  expect(run.outputs.branch_name).toBe('german');
  expect(pull.comments[1]!.body).toContain(`${stage.github.serverUrl}/monalisa/hello/tree/german`);
  expectTidy(run, stage);
});

test('where the token may not push to the fork, the work goes to a branch here, with a link', async () => {
  await using stage = await setStage();
  const { pull, fork } = await openForkPull(stage);
  const before = fork.tip('german');
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull, { inputs: lookAround });

  expectSuccess(run);
  const branch = run.outputs.branch_name!;
  expect(branch).toMatch(/^claude\/pr-1-/);
  expect(fork.tip('german')).toBe(before);
  expect(await stage.repository.files(branch)).toEqual(
    expect.arrayContaining(['src/greet.de.js', 'NOTES.md']),
  );
  const answer = pull.comments[1]!.body;
  expect(answer).toContain(
    `The work is on \`${branch}\`, as \`german\` of monalisa/hello could not be used.`,
  );
  expect(answer).toContain('[Create pull request ➔]');
});

test.each([true, false])(
  'a fork’s branch called `main` is never the base’s `main` (maintainers may edit: %s)',
  async (maintainerCanModify) => {
    await using stage = await setStage();
    const { pull, fork } = await openForkPull(stage, { head: 'main', maintainerCanModify });
    const [here, there] = [stage.repository.tip('main'), fork.tip('main')];
    stage.model.script(correction(stage));
    const run = await callOn(stage, pull, {
      inputs: { ...lookAround, github_token: stage.github.token({ login: 'octocat' }) },
    });

    expectSuccess(run);
    expect(stage.model.toolResults()[0]!.text).toContain('## pr-1');
    expect(stage.repository.tip('main')).toBe(here);
    if (maintainerCanModify) {
      expect(await fork.file('main', 'NOTES.md')).toBe('Spelt right.\n');
    } else {
      expect(fork.tip('main')).toBe(there);
      expect(run.outputs.branch_name).toMatch(/^claude\/pr-1-/);
      expect(pull.comments[1]!.body).toContain('[Create pull request ➔]');
    }
  },
);

test.each([true, false])(
  'a fork’s own change of a workflow does not get in on a branch here (maintainers may edit: %s)',
  async (maintainerCanModify) => {
    await using stage = await setStage();
    const { pull } = await openForkPull(stage, {
      maintainerCanModify,
      files: { '.github/workflows/steal.yml': 'on: push\n' },
    });
    const before = stage.repository.branches();
    stage.model.script(correction(stage));
    const run = await callOn(stage, pull, { inputs: lookAround });

    expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'gate_refused' });
    expect(stage.repository.branches()).toEqual(before);
    expect(pull.comments[1]!.body).toContain('.github/workflows/steal.yml');
  },
);

test('a fork’s branch may be called anything: it is neither run nor read as markdown', async () => {
  await using stage = await setStage();
  const head = 'we`](/mallory/trap)$(touch$IFS"pwned");#ä';
  const { pull, fork } = await openForkPull(stage, { head });
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull, { inputs: lookAround });

  expectSuccess(run);
  expect(run.outputs.branch_name).toMatch(/^claude\/pr-1-/);
  const answer = pull.comments[1]!.body;
  expect(answer).toContain('as `we?](/mallory/trap)$(touch$IFS"pwned");#ä` of monalisa/hello could not');
  expect(answer.replaceAll(/`[^`\n]*`/g, '')).not.toContain('mallory');
  expect(await stage.repository.files(run.outputs.branch_name!)).not.toContain('pwned');
  expect(fork.tip(head)).toBe(pull.head.sha);
});
