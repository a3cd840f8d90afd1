/** On an open pull request Claude works on its head branch, whatever the job has checked out. */
import { expect, test } from 'vitest';
import { bash, mcp } from '../../testkit/claude/tools.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { callOn, correction, lookAround, mergeRef, openPull } from './pulls.ts';
import { setStage } from './stage.ts';

test('from a shallow checkout of the merge ref Claude works on the head branch and pushes there', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const { main, german } = stage.repository.branches();
  const [look, change, commit, push, ...rest] = correction(stage);
  // The checks of what it has pushed, without any setting.
  const checks = { tools: [mcp('github_ci', 'get_ci_status')] };
  stage.model.script([look!, change!, commit!, push!, checks, ...rest]);
  const run = await callOn(stage, pull, {
    checkout: await mergeRef(stage, pull),
    inputs: lookAround,
  });

  expectSuccess(run);
  const [seen] = stage.model.toolResults();
  expect(seen!.text).toContain('## german');
  expect(seen!.text).toMatch(/greet\.de\.js \|/);
  expect(seen!.text).toContain('Greet in German');
  expect(seen!.text).not.toContain('Merge');
  expect(stage.model.firstText()).toContain('`mcp__github_ci__get_ci_status` shows its checks');
  const status = stage.model.toolResults().find(({ tool }) => tool.endsWith('get_ci_status'));
  expect(status!.text).toContain(
    `${stage.repository.tip('german')}, the head of pull request #${pull.number}: `,
  );
  const commits = await stage.repository.log(`${german}..german`);
  expect(commits.map(({ message, parents }) => [message.trim(), parents])).toEqual([
    ['Correct the spelling', [german]],
  ]);
  expect(Object.keys(stage.repository.branches())).toEqual(['german', 'main']);
  expect(stage.repository.tip('main')).toBe(main);
  expect(run.outputs.branch_name).toBe('german');
  expect(pull.comments[1]!.body).toContain('`german`');
  expect(pull.comments[1]!.body).not.toContain('Create pull request');
  expectTidy(run, stage);
});

test('more commits than any default depth, on a base that has gone on, still have their merge base', async () => {
  await using stage = await setStage();
  const { repository } = stage;
  const pull = await openPull(stage);
  for (let n = 0; n < 25; n += 1) {
    await repository.addCommit({ branch: 'german', message: `Step ${n}`, files: { 'steps.md': `${n}\n` } });
    await repository.addCommit({ branch: 'main', message: `Other ${n}`, files: { 'other.md': `${n}\n` } });
  }
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull, { inputs: lookAround });

  expectSuccess(run);
  const [seen] = stage.model.toolResults();
  expect(seen!.text.match(/^Step \d+$/gm)).toHaveLength(25);
  expect(seen!.text).toContain('2 files changed');
  expect(seen!.text).not.toContain('other.md');
  expect(await repository.file('german', 'NOTES.md')).toBe('Spelt right.\n');
});

test('a closed pull request gets a new branch, and its own branch stays as it is', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  stage.github.change(pull, { state: 'closed' });
  const before = stage.repository.tip('german');
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull);

  expectSuccess(run);
  expect(run.outputs.branch_name).toMatch(/^claude\/pr-1-/);
  expect(stage.repository.tip('german')).toBe(before);
  expect(await stage.repository.files(run.outputs.branch_name!)).not.toContain('src/greet.de.js');
  expect(pull.comments[1]!.body).toContain('[Create pull request ➔]');
});

test('a merged pull request gets a new branch that holds what was merged', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  await stage.github.merge(pull, 'octocat');
  stage.model.script(correction(stage));
  const run = await callOn(stage, pull);

  expectSuccess(run);
  const files = await stage.repository.files(run.outputs.branch_name!);
  expect(files).toEqual(expect.arrayContaining(['src/greet.de.js', 'NOTES.md']));
  expect(stage.model.firstText()).toContain('the pull request is merged');
});

test('commits that are pushed after the call are not taken in, and that is said', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  const pull = await openPull(stage);
  const called = await github.reviewComment(pull, {
    author: 'octocat',
    body: '@claude correct the spelling',
    path: 'src/greet.de.js',
    line: 1,
  });
  const event = await github.event.pullRequestReviewComment(called);
  const pinned = repository.tip('german');
  const later = await repository.addCommit({
    branch: 'german',
    message: 'Slip this in',
    files: { 'late.js': 'late();\n' },
  });
  stage.model.script(correction(stage));
  const run = await stage.run({ event, inputs: lookAround });

  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).not.toContain('Slip this in');
  expect(stage.model.firstText()).toContain('pushed after the trigger');
  expect(stage.model.firstText()).not.toContain('late.js');
  // The branch is somebody else's now: the work goes beside it, from the commit that Claude saw.
  expect(repository.tip('german')).toBe(later);
  const branch = run.outputs.branch_name!;
  expect(branch).toMatch(/^claude\/pr-1-/);
  expect((await repository.log(`${pinned}..${branch}`)).map(({ message }) => message.trim())).toEqual([
    'Correct the spelling',
  ]);
  const answer = pull.threads[0]!.comments[1]!.body;
  expect(answer).toContain('`german` has newer commits than the request');
  expect(answer).toContain(`The work is on \`${branch}\``);
  expect(answer).toContain('[Create pull request ➔]');
});

test('a head branch that was deleted is a clear error', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  await stage.repository.deleteBranch('german');
  const run = await callOn(stage, pull);

  expectFailure(run, 'invalid_input', /head branch `german` of pull request #1.*is not on GitHub any more/);
  expect(pull.comments[1]!.body).toContain('It was deleted or rewritten after the request');
  expect(stage.model.main).toEqual([]);
  expect(Object.keys(stage.repository.branches())).toEqual(['main']);
  expectTidy(run, stage);
});

test('a question about a pull request changes no branch', async () => {
  await using stage = await setStage();
  const pull = await openPull(stage);
  const before = stage.repository.branches();
  stage.model.script([{ tools: [bash('git log -1 --format=%s')] }, { text: 'It greets in German.' }]);
  const run = await callOn(stage, pull, { text: '@claude what does it do?', inputs: lookAround });

  expectSuccess(run);
  expect(stage.repository.branches()).toEqual(before);
  expect(run.outputs.branch_name).toBeUndefined();
  expect(pull.comments[1]!.body).toContain('It greets in German.');
});
