import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, shellGit, testToken, write } from '../local-remote.test-support.ts';
import { claudeCommits, identity, limits, scene, target } from './gate.test-support.ts';
import { createGate, openGate } from './gate.ts';

const leftovers = { message: 'Save uncommitted work', identity };

test('publishes commits of a depth-1 checkout to the task’s branch', async () => {
  const { directory, publish, onServer } = await scene();
  claudeCommits(directory, { 'a.txt': 'changed\n' });
  const sha = claudeCommits(directory, { 'new/c.txt': 'three\n' });
  expect(await publish()).toEqual({ outcome: 'pushed', sha, commits: 2, target, left: [] });
  expect(onServer()).toBe(sha);
});

test('says that nothing is new', async () => {
  const { base, publish, onServer } = await scene();
  expect(await publish()).toEqual({ outcome: 'nothing', sha: base, commits: 0, target, left: [] });
  expect(onServer()).toBeNull();
});

test('publishes again on top of what it published, and says when nothing was added', async () => {
  const { directory, publish, onServer } = await scene();
  claudeCommits(directory, { 'a.txt': 'changed\n' });
  await publish();
  const sha = claudeCommits(directory, { 'b.txt': 'more\n' });
  expect(await publish()).toMatchObject({ outcome: 'pushed', sha, commits: 1 });
  expect(await publish()).toMatchObject({ outcome: 'nothing', sha });
  expect(onServer()).toBe(sha);
});

test('survives that Claude packed and pruned the repository', async () => {
  const { directory, publish, onServer } = await scene({ depth: 0 });
  claudeCommits(directory, { 'a.txt': 'changed\n' });
  shellGit(directory, 'gc', '-q', '--prune=now');
  await publish();
  const sha = claudeCommits(directory, { 'a.txt': 'again\n' });
  shellGit(directory, 'repack', '-adq');
  expect(await publish()).toMatchObject({ outcome: 'pushed', sha });
  expect(onServer()).toBe(sha);
});

test.each<[string, (directory: string) => string]>([
  [
    'commits on a detached HEAD',
    (directory) => {
      shellGit(directory, 'checkout', '-q', '--detach');
      return claudeCommits(directory, { 'a.txt': 'detached\n' });
    },
  ],
  [
    'commits on a branch of Claude’s own',
    (directory) => {
      shellGit(directory, 'checkout', '-q', '-b', 'other');
      return claudeCommits(directory, { 'a.txt': 'other\n' });
    },
  ],
  [
    'a task branch that was deleted',
    (directory) => {
      shellGit(directory, 'checkout', '-q', '-b', 'other');
      shellGit(directory, 'branch', '-q', '-D', target.branch);
      return claudeCommits(directory, { 'a.txt': 'other\n' });
    },
  ],
  [
    'a look at an older commit',
    (directory) => {
      const sha = claudeCommits(directory, { 'a.txt': 'work\n' });
      shellGit(directory, 'checkout', '-q', '--detach', 'HEAD~1');
      return sha;
    },
  ],
])('takes the right tip: %s', async (_, work) => {
  const { directory, gate } = await scene();
  const sha = work(directory);
  expect(await gate.take()).toEqual({ sha, isNew: true });
});

test('refuses rewritten history and says how to repair it', async () => {
  const { directory, publish, gate, base } = await scene({ depth: 0 });
  const first = claudeCommits(directory, { 'a.txt': 'one\n' });
  await publish();
  shellGit(directory, 'commit', '-q', '--amend', '--allow-empty', '-m', 'Other words');
  await expect(gate.take()).rejects.toMatchObject({
    reason: 'gate_refused',
    remedy: expect.stringContaining(`git rebase ${first}`),
  });
  shellGit(directory, 'checkout', '-q', '--orphan', 'new');
  claudeCommits(directory, { 'a.txt': 'new root\n' });
  shellGit(directory, 'branch', '-q', '-D', target.branch);
  await expect(gate.take()).rejects.toMatchObject({
    reason: 'gate_refused',
    message: expect.stringContaining('history was rewritten'),
  });
  expect(base).not.toBe(first);
});

test('a branch that moved is said, and another name can be published', async () => {
  const fallback = { repository: 'owner/repo', branch: 'claude/issue-1-2' };
  const { directory, project, publish, onServer } = await scene({ change: { targets: [target, fallback] } });
  shellGit(project.source, 'checkout', '-q', '-b', 'theirs');
  const theirs = commit(project.source, { 'theirs.txt': 'x' });
  shellGit(project.source, 'push', '-q', 'origin', `theirs:${target.branch}`);
  const sha = claudeCommits(directory, { 'a.txt': 'ours\n' });
  expect(await publish()).toMatchObject({ outcome: 'moved', sha, commits: 0 });
  expect(onServer()).toBe(theirs);
  expect(await publish({ target: fallback })).toMatchObject({ outcome: 'pushed', sha, commits: 1 });
  expect(onServer(fallback.branch)).toBe(sha);
});

test.each([
  [
    'the default branch',
    'is the base or default branch',
    { target: { repository: 'owner/repo', branch: 'main' } },
  ],
  [
    'another name',
    'is not the branch of this task',
    { target: { repository: 'owner/repo', branch: 'release' } },
  ],
  [
    'another repository',
    'is not where this URL leads',
    { target: { repository: 'other/repo', branch: target.branch } },
  ],
])('never pushes to %s', async (_, words, change) => {
  const { directory, publish, project } = await scene();
  const before = shellGit(project.bare, 'for-each-ref');
  claudeCommits(directory, { 'a.txt': 'x\n' });
  await expect(publish(change)).rejects.toMatchObject({
    reason: 'gate_refused',
    message: expect.stringContaining(words),
  });
  expect(shellGit(project.bare, 'for-each-ref')).toBe(before);
});

test('a target that is also the default branch stays forbidden', async () => {
  const main = { repository: 'Owner/Repo', branch: 'main' };
  const { directory, publish } = await scene({ change: { targets: [main] } });
  claudeCommits(directory, { 'a.txt': 'x\n' });
  await expect(publish({ target: main })).rejects.toMatchObject({ reason: 'gate_refused' });
});

test('the server’s rules are quoted', async () => {
  const { directory, publish, project } = await scene();
  write(
    project.bare,
    'hooks/pre-receive',
    '#!/bin/sh\necho "GH013: Repository rule violations found" >&2; exit 1\n',
  );
  chmodSync(join(project.bare, 'hooks/pre-receive'), 0o755);
  claudeCommits(directory, { 'a.txt': 'x\n' });
  await expect(publish()).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining('GH013'),
  });
});

test('post opens the gate of a killed main from JSON and publishes the rest', async () => {
  const { directory, gate, publish, server, onServer } = await scene();
  claudeCommits(directory, { 'a.txt': 'before the kill\n' });
  await publish({ leftovers: null });
  const state = JSON.stringify(gate.state);
  expect(state).not.toContain(testToken);
  write(directory, 'b.txt', 'uncommitted');
  const reopened = openGate(JSON.parse(state));
  const published = await reopened.publish({ target, remote: server.remote, leftovers });
  expect(published).toMatchObject({ outcome: 'pushed', commits: 1 });
  expect(onServer()).toBe(published.sha);
});

test('a push whose answer was lost is known again, and the rest goes on top of it', async () => {
  const made = { ...target, isNew: true };
  const { directory, project, publish, onServer } = await scene({ change: { targets: [made] } });
  const hook = join(project.bare, 'hooks/post-receive');
  write(project.bare, 'hooks/post-receive', '#!/bin/sh\nkill -9 $PPID\n');
  chmodSync(hook, 0o755);
  const sha = claudeCommits(directory, { 'a.txt': 'pushed\n' });
  await expect(publish({ target: made })).rejects.toThrow();
  expect(onServer()).toBe(sha);
  rmSync(hook);
  claudeCommits(directory, { 'b.txt': 'the rest\n' });
  const published = await publish({ target: made });
  expect(published).toMatchObject({ outcome: 'pushed', commits: 2 });
  expect(onServer()).toBe(published.sha);
});

test('stops processes first', async () => {
  const { directory, publish } = await scene();
  const stop = async () => {
    claudeCommits(directory, { 'a.txt': 'the last moment\n' });
  };
  expect(await publish({ stop })).toMatchObject({ outcome: 'pushed', commits: 1 });
});

test('two calls at once publish one after the other', async () => {
  const { directory, publish } = await scene();
  claudeCommits(directory, { 'a.txt': 'x\n' });
  const both = await Promise.all([publish(), publish()]);
  expect(both.map(({ outcome }) => outcome)).toEqual(['pushed', 'nothing']);
});

test('a partial clone publishes although unchanged files are missing', async () => {
  const { directory, publish, onServer } = await scene({
    files: { 'a.txt': '1', 'big/b.txt': '2' },
    before: ({ bare }) => shellGit(bare, 'config', 'uploadpack.allowFilter', 'true'),
    beforeRun: (checkout) => {
      const url = shellGit(checkout, 'config', 'remote.origin.url');
      rmSync(checkout, { recursive: true });
      shellGit('/', 'clone', '-q', '--filter=blob:none', '--sparse', url, checkout);
    },
  });
  expect(shellGit(directory, 'rev-list', '--objects', '--missing=print', 'HEAD')).toContain('?');
  const sha = claudeCommits(directory, { 'a.txt': 'changed\n' });
  write(directory, 'c.txt', 'new');
  const published = await publish();
  expect(published).toMatchObject({ outcome: 'pushed', commits: 2 });
  expect(onServer()).toBe(published.sha);
  expect(sha).not.toBe(published.sha);
});

test('the gate is private and copies instead of linking', async () => {
  const { gate, directory } = await scene();
  expect(statSync(gate.state.directory).mode & 0o777).toBe(0o700);
  const pack = shellGit(directory, 'rev-parse', 'HEAD:a.txt');
  const loose = join(gate.state.directory, 'repository.git/objects', pack.slice(0, 2), pack.slice(2));
  if (existsSync(loose)) expect(statSync(loose).nlink).toBe(1);
  expect(existsSync(join(gate.state.directory, 'repository.git/hooks'))).toBe(false);
});

test('a fork’s head is checked as new when it goes to the base repository', async () => {
  const { directory, project, server, base } = await scene({ depth: 0 });
  const workflow = { '.github/workflows/ci.yml': 'on: push\n' };
  const head = claudeCommits(directory, workflow, 'The fork’s own commit');
  const gate = await createGate({
    ...{
      workspace: directory,
      scratch: join(project.root, 'scratch2'),
      branch: target.branch,
      base: head,
      limits,
    },
    ...{ trusted: [base], baseIsTrusted: false, targets: [target], neverTo: [] },
  });
  claudeCommits(directory, { 'a.txt': 'Claude’s\n' });
  const request = { target, remote: server.remote, leftovers: null };
  await expect(gate.publish(request)).rejects.toMatchObject({
    message: expect.stringContaining('.github/workflows/ci.yml'),
  });
  expect(await gate.publish({ ...request, trusted: [base, head] })).toMatchObject({
    outcome: 'pushed',
    commits: 1,
  });
});

test('an unusual base that is not in the workspace is refused at once', async () => {
  await expect(scene({ change: { trusted: ['1'.repeat(40)] } })).rejects.toMatchObject({
    reason: 'git_failed',
  });
});
