import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout, commit, makeProject, type Project, shellGit, write } from './local-remote.test-support.ts';
import { openWorkspace } from './workspace.ts';

function open(project: Project, directory: string) {
  return openWorkspace({ directory, scratch: join(project.root, 'scratch') });
}

test('starts a branch offline when the base is checked out, and leaves changed files alone', async () => {
  const project = makeProject();
  const directory = checkout(project);
  const workspace = await open(project, directory);
  write(directory, 'a.txt', 'changed by a step before\n');
  const remote = { url: 'http://127.0.0.1:1/owner/repo.git', token: null };
  await workspace.startBranch({
    branch: 'claude/issue-1',
    baseRef: 'main',
    baseSha: workspace.headSha,
    remote,
  });
  expect(shellGit(directory, 'symbolic-ref', 'HEAD')).toBe('refs/heads/claude/issue-1');
  expect(shellGit(directory, 'rev-parse', 'HEAD', 'origin/main').split('\n')).toEqual([
    workspace.headSha,
    workspace.headSha,
  ]);
  expect(shellGit(directory, 'status', '--porcelain')).toBe('M a.txt');
});

test('fetches the base when it is not checked out', async () => {
  const project = makeProject();
  const directory = checkout(project);
  const baseSha = commit(project.source, { 'c.txt': 'three\n' });
  shellGit(project.source, 'push', '-q', 'origin', 'main');
  const workspace = await open(project, directory);
  write(directory, 'untracked.txt', 'kept');
  await workspace.startBranch({ branch: 'claude/x', baseRef: 'main', baseSha, remote: project.fileRemote });
  expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(baseSha);
  expect(shellGit(directory, 'rev-parse', '--is-shallow-repository')).toBe('true');
  expect(readFileSync(join(directory, 'untracked.txt'), 'utf8')).toBe('kept');
});

test('refuses to lose what a step before changed', async () => {
  const project = makeProject();
  const directory = checkout(project);
  const baseSha = commit(project.source, { 'a.txt': 'new\n' });
  shellGit(project.source, 'push', '-q', 'origin', 'main');
  const workspace = await open(project, directory);
  write(directory, 'a.txt', 'precious\n');
  const starting = workspace.startBranch({
    branch: 'claude/x',
    baseRef: 'main',
    baseSha,
    remote: project.fileRemote,
  });
  await expect(starting).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('a.txt'),
  });
  expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('precious\n');
});

/** A pull request whose head and base went apart `commits` commits ago, in a checkout of depth 1. */
function diverged(commits: number, headRef = 'feature') {
  const project = makeProject();
  const fork = shellGit(project.source, 'rev-parse', 'HEAD');
  shellGit(project.source, 'checkout', '-q', '-b', 'topic');
  let sha = fork;
  for (let count = 0; count < commits; count++)
    sha = commit(project.source, { [`topic-${count}.txt`]: `${count}\n` });
  shellGit(project.source, 'push', '-q', 'origin', `topic:refs/heads/${headRef}`, `topic:refs/pull/7/head`);
  shellGit(project.source, 'checkout', '-q', 'main');
  const baseSha = commit(project.source, { 'main.txt': 'on main\n' });
  shellGit(project.source, 'push', '-q', 'origin', 'main');
  const request = {
    ref: headRef,
    sha,
    pullNumber: 7,
    fork: false,
    baseRef: 'main',
    baseSha,
    remote: project.fileRemote,
  };
  return { project, fork, request };
}

test.each([
  ['near', 3],
  ['behind the first fetch', 45],
])('deepens a depth-1 checkout until the merge base is there: %s', async (_, commits) => {
  const { project, fork, request } = diverged(commits);
  const directory = checkout(project);
  const workspace = await open(project, directory);
  const head = await workspace.checkoutHead(request);
  expect(head).toEqual({ branch: 'feature', sha: request.sha, mergeBase: fork, moved: false });
  expect(shellGit(directory, 'diff', '--name-only', 'origin/main...HEAD').split('\n')).toHaveLength(commits);
  expect(shellGit(directory, 'symbolic-ref', 'HEAD')).toBe('refs/heads/feature');
});

test('a full clone stays full', async () => {
  const { project, request } = diverged(2);
  const directory = checkout(project, { depth: 0 });
  const workspace = await open(project, directory);
  await workspace.checkoutHead(request);
  expect(shellGit(directory, 'rev-parse', '--is-shallow-repository')).toBe('false');
});

test('a fork whose branch is called main never becomes the local main', async () => {
  const { project, request } = diverged(2);
  const directory = checkout(project);
  const workspace = await open(project, directory);
  const main = shellGit(directory, 'rev-parse', 'refs/heads/main');
  const head = await workspace.checkoutHead({ ...request, ref: 'main', fork: true });
  expect(head).toMatchObject({ branch: 'pr-7', sha: request.sha });
  expect(shellGit(directory, 'rev-parse', 'refs/heads/main')).toBe(main);
  expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(request.sha);
});

test('commits pushed after the trigger are not taken in', async () => {
  const { project, request } = diverged(2);
  shellGit(project.source, 'checkout', '-q', 'topic');
  const later = commit(project.source, { 'later.txt': 'swapped\n' });
  shellGit(project.source, 'push', '-q', 'origin', 'topic:feature');
  const directory = checkout(project);
  const workspace = await open(project, directory);
  expect(await workspace.checkoutHead(request)).toMatchObject({ sha: request.sha, moved: true });
  expect(existsSync(join(directory, 'later.txt'))).toBe(false);
  expect(shellGit(directory, 'for-each-ref')).not.toContain(later);
});

test('a head branch that was deleted is said clearly', async () => {
  const { project, request } = diverged(1);
  shellGit(project.bare, 'branch', '-D', 'feature');
  const workspace = await open(project, checkout(project));
  await expect(workspace.checkoutHead(request)).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('`feature` of pull request #7'),
  });
});
