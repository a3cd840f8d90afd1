/** A checkout or repository that cannot be worked in is named with its remedy, and left as it is. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { callOn, openPull } from './pulls.ts';
import { setStage } from './stage.ts';

const run = promisify(execFile);

describe('a workspace that Claude cannot work in:', () => {
  const git = (cwd: string, ...args: string[]) =>
    run('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd });
  const cases: [string, (workspace: string) => Promise<unknown>, RegExp][] = [
    ['no checkout', async () => {}, /is not a Git repository/],
    ['files without Git', (at) => writeFile(join(at, 'a.txt'), 'a'), /is not a Git repository/],
    ['a bare repository', (at) => git(at, 'init', '--bare', '-q'), /is a bare repository/],
    ['a repository without commits', (at) => git(at, 'init', '-q'), /has no commit yet/],
    [
      'a linked worktree',
      async (at) => {
        await mkdir(`${at}-main`);
        await git(`${at}-main`, 'init', '-q');
        await git(`${at}-main`, 'commit', '-q', '--allow-empty', '-m', 'x');
        await rm(at, { recursive: true });
        await git(`${at}-main`, 'worktree', 'add', '-q', at);
      },
      /is a linked worktree or a submodule/,
    ],
    [
      'a `.git` that is no configuration',
      async (at) => {
        await git(at, 'init', '-q');
        await git(at, 'commit', '-q', '--allow-empty', '-m', 'x');
        await appendFile(join(at, '.git/config'), '[broken\n');
      },
      /Git cannot read `\.git\/config` of the checkout \(line 6\)/,
    ],
  ];

  test.each(cases)('%s', async (_, before, says) => {
    await using stage = await setStage();
    const ended = await stage.mention('@claude hello', { checkout: false, before });

    expectFailure(ended, 'invalid_input', says);
    expect(stage.repository.issue(1).comments[1]!.body).toMatch(says);
    expect(stage.model.main).toEqual([]);
    expectTidy(ended, stage);
  });

  test('a repository that is empty on GitHub', async () => {
    await using stage = await setStage();
    const { github } = stage;
    const empty = await github.createRepository({ owner: 'octo-org', name: 'empty', files: {} });
    empty.setPermission('octocat', 'write');
    const issue = github.createIssue(empty, { title: 'Begin', author: 'octocat' });
    const comment = github.comment(issue, { author: 'octocat', body: '@claude begin' });
    const ended = await stage.run({
      event: await github.event.issueComment(comment),
      repository: empty.fullName,
      checkout: false,
      before: (at) => git(at, 'init', '-q'),
      inputs: { github_token: github.token({ kind: 'actions', repositories: ['octo-org/empty'] }) },
    });

    expectFailure(ended, 'invalid_input', /has no commits? yet/);
    expect(issue.comments[1]!.body).toMatch(/has no commits? yet/);
  });

  test('files of an earlier step in the way are named, and stay as they are', async () => {
    await using stage = await setStage();
    const pull = await openPull(stage);
    const ended = await callOn(stage, pull, {
      before: async (at) => writeFile(join(at, 'src/greet.de.js'), 'built by an earlier step\n'),
    });

    expectFailure(ended, 'invalid_input', /The checkout could not be put on `german`/);
    expect(ended.summary).toContain('Earlier steps of the job changed files');
    expectTidy(ended, stage);
  });
});

test('a base branch that was deleted meanwhile does not keep Claude from the pull request', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  await repository.addCommit({ branch: 'next', message: 'Next', files: { 'next.md': 'n' } });
  await repository.addCommit({ branch: 'work', from: 'next', message: 'Work', files: { 'work.md': 'w' } });
  const pull = await github.createPullRequest(repository, {
    title: 'W',
    head: 'work',
    base: 'next',
    author: 'octocat',
  });
  await repository.deleteBranch('next');
  stage.model.script([
    () => ({ tools: [write(stage.path('NEW.md'), 'New.\n')] }),
    { tools: [bash('git add -A && git commit -q -m "Add a file"')] },
    { tools: [mcp('github_file_ops', 'push_changes')] },
  ]);
  const ended = await callOn(stage, pull);

  expectSuccess(ended);
  expect(await repository.file('work', 'NEW.md')).toBe('New.\n');
});
