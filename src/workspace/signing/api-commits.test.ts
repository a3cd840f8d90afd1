/** Commits that GitHub makes: exactly what Claude committed, verified, on top of nobody else's work. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LocalGitHub } from '../../../testkit/github/main.ts';
import { limits } from '../gate/gate.test-support.ts';
import { openGate } from '../gate/gate.ts';
import { commit, shellGit, write } from '../local-remote.test-support.ts';
import { setStage, target } from './api-stage.test-support.ts';

const mutations = ({ requests }: LocalGitHub) =>
  requests.filter(({ operation }) => operation === 'CommitOnBranch').length;

test('plain files become verified commits by one mutation each, on a branch that is made for them', async () => {
  await using stage = await setStage();
  const { directory, github, publish, repository, gate } = stage;
  commit(directory, { 'a.txt': 'changed\n', 'new/ü.txt': 'new' }, 'First\n\nBecause.');
  rmSync(join(directory, 'lib/b.txt'));
  writeFileSync(join(directory, 'logo.png'), Buffer.from([0, 255, 254, 13, 10]));
  const mine = commit(directory, {}, 'Second');
  const published = await publish();

  expect(published).toMatchObject({ outcome: 'pushed', commits: 2 });
  await stage.expectSame(mine, published);
  expect(stage.unverified(published.sha)).toEqual([]);
  expect(mutations(github)).toBe(2);
  expect((await repository.commit(published.sha))?.author.name).toBe('github-actions[bot]');
  expect(await publish()).toMatchObject({ outcome: 'nothing' });

  const more = commit(directory, { 'a.txt': 'again\n' }, 'Third');
  await stage.expectSame(more, await publish());
  expect(gate.state.base).toBe(stage.base);
});

test.each<[string, (directory: string) => string]>([
  [
    'an executable file',
    (directory) => {
      chmodSync(join(directory, 'run.sh'), 0o755);
      return commit(directory, { 'a.txt': 'x' });
    },
  ],
  [
    'a symbolic link',
    (directory) => {
      symlinkSync('../a.txt', join(directory, 'lib/link'));
      return commit(directory, {});
    },
  ],
  [
    'a binary executable that is also linked',
    (directory) => {
      writeFileSync(join(directory, 'tool'), Buffer.from([127, 69, 76, 70, 0, 255]), { mode: 0o755 });
      symlinkSync('tool', join(directory, 'alias'));
      return commit(directory, {});
    },
  ],
  [
    'a file in the place of a directory, and the other way round',
    (directory) => {
      rmSync(join(directory, 'dir'), { recursive: true });
      rmSync(join(directory, 'a.txt'));
      mkdirSync(join(directory, 'a.txt'));
      return commit(directory, { dir: 'now a file', 'a.txt/inside': 'now below' });
    },
  ],
  ['a commit without changes', (directory) => commit(directory, {}, 'Nothing')],
  [
    'a message whose first paragraph has two lines',
    (directory) => commit(directory, { 'a.txt': 'x' }, 'One\ntwo'),
  ],
  [
    'a merge',
    (directory) => {
      shellGit(directory, 'checkout', '-q', '-b', 'side');
      commit(directory, { 'side.txt': 'side' }, 'Beside');
      shellGit(directory, 'checkout', '-q', target.branch);
      commit(directory, { 'a.txt': 'ours' }, 'Ahead');
      shellGit(directory, 'merge', '-q', '--no-ff', '-m', 'Join', 'side');
      return shellGit(directory, 'rev-parse', 'HEAD');
    },
  ],
])('%s is published exactly, from objects that GitHub signs for an App', async (_, work) => {
  await using stage = await setStage();
  const mine = work(stage.directory);
  const published = await stage.publish();

  await stage.expectSame(mine, published);
  expect(stage.unverified(published.sha)).toEqual([]);
  expect(mutations(stage.github)).toBe(0);
  expect(published.unverified).toEqual([]);
});

test('with a person’s token GitHub signs files, and what it cannot sign is said', async () => {
  await using stage = await setStage({ token: 'pat' });
  commit(stage.directory, { 'a.txt': 'x\n' });
  expect((await stage.publish()).unverified).toEqual([]);
  chmodSync(join(stage.directory, 'run.sh'), 0o755);
  commit(stage.directory, {});
  const { sha, unverified } = await stage.publish();
  expect(unverified).toEqual([sha]);
});

test.each([
  ['a commit', { operation: 'CommitOnBranch' }],
  ['a new branch', { path: /\/git\/refs$/ }],
])('an answer that is lost makes nothing twice: %s', async (_, request) => {
  await using stage = await setStage();
  const mine = commit(stage.directory, { 'a.txt': 'x\n' });
  stage.github.faults.add({ ...request, after: true, reset: true, times: 1 });
  const published = await stage.publish();
  await stage.expectSame(mine, published);
  expect(published.commits).toBe(1);
});

test('post goes on where main was killed between a commit and its answer', async () => {
  await using stage = await setStage();
  const { directory, github, gate, signing, publish } = stage;
  commit(directory, { 'a.txt': 'first\n' }, 'First');
  commit(directory, { 'a.txt': 'second\n' }, 'Second');
  const operation = 'CommitOnBranch';
  github.faults.add({ operation, after: true, reset: true, skip: 1, times: 1 });
  github.faults.add({ operation, reset: true, skip: 1 });
  await expect(publish()).rejects.toMatchObject({ reason: 'github_unavailable' });
  github.faults.clear();
  const mine = commit(directory, { 'b.txt': 'three' }, 'Third');
  const reopened = openGate(JSON.parse(JSON.stringify(gate.state)), { signing });
  await stage.expectSame(mine, await publish({ through: reopened }));
});

test('what was left uncommitted is committed the same way', async () => {
  await using stage = await setStage();
  write(stage.directory, 'left.txt', 'left');
  chmodSync(join(stage.directory, 'run.sh'), 0o755);
  const published = await stage.publish({ leftovers: true });
  expect(published).toMatchObject({ outcome: 'pushed', commits: 1 });
  const listed = shellGit(stage.repository.directory, 'ls-tree', '-r', published.sha);
  expect(listed).toMatch(/100755 blob \w+\trun\.sh/);
  expect(listed).toMatch(/100644 blob \w+\tleft\.txt/);
  expect(stage.unverified(published.sha)).toEqual([]);
});

test('a rule of the repository is quoted, and no empty branch is left behind', async () => {
  await using stage = await setStage();
  const errors = [{ type: 'UNPROCESSABLE', message: 'Repository rule violations found' }];
  stage.github.faults.add({ operation: 'CommitOnBranch', status: 200, body: { data: null, errors } });
  commit(stage.directory, { 'a.txt': 'x\n' });
  await expect(stage.publish()).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining('Repository rule violations found'),
  });
  expect(stage.repository.tip(target.branch)).toBeNull();
});

test('a credential that may not write is said to be that', async () => {
  await using stage = await setStage();
  stage.github.faults.add({
    path: /\/git\/refs$/,
    status: 403,
    body: { message: 'Resource not accessible' },
  });
  commit(stage.directory, { 'a.txt': 'x\n' });
  await expect(stage.publish()).rejects.toMatchObject({ reason: 'github_auth' });
});

test('a workflow file that the credential may not write is said to be that', async () => {
  await using stage = await setStage({ limits: { ...limits, allowProtectedPaths: true } });
  commit(stage.directory, { '.github/workflows/ci.yml': 'on: push\n' });
  await expect(stage.publish()).rejects.toMatchObject({
    reason: 'github_auth',
    remedy: expect.stringContaining('`workflows` permission'),
  });
});

test('the gate checks first: what it refuses asks GitHub nothing', async () => {
  await using stage = await setStage();
  commit(stage.directory, { '.github/workflows/ci.yml': 'on: push\n' });
  stage.github.clearRequests();
  await expect(stage.publish()).rejects.toMatchObject({ reason: 'gate_refused' });
  expect(stage.github.requests).toEqual([]);
});

test('post knows a branch that main had made for its own, before it had a commit', async () => {
  await using stage = await setStage();
  const operation = 'CommitOnBranch';
  stage.github.faults.add({ operation, reset: true });
  // And main is killed before it could take the empty branch away.
  stage.github.faults.add({ method: 'DELETE', path: /\/git\/refs\//, status: 502 });
  const mine = commit(stage.directory, { 'a.txt': 'x\n' });
  await expect(stage.publish()).rejects.toMatchObject({ reason: 'github_unavailable' });
  expect(stage.repository.tip(target.branch)).toBe(stage.base);
  stage.github.faults.clear();
  const reopened = openGate(JSON.parse(JSON.stringify(stage.gate.state)), { signing: stage.signing });
  await stage.expectSame(mine, await stage.publish({ through: reopened }));
});

test('limits and failures that pass are waited out', async () => {
  await using stage = await setStage();
  chmodSync(join(stage.directory, 'run.sh'), 0o755);
  const mine = commit(stage.directory, { 'a.txt': 'x\n' });
  stage.github.faults.secondaryRateLimit({ path: /\/git\/trees$/, retryAfterSeconds: 0, times: 1 });
  stage.github.faults.add({ path: /\/git\/commits$/, status: 502, times: 1 });
  await stage.expectSame(mine, await stage.publish());
});

test('a file that the API does not take is named before anything is uploaded', async () => {
  await using stage = await setStage({ limits: { ...limits, maxFileKib: 40_960 } });
  writeFileSync(join(stage.directory, 'large.bin'), Buffer.alloc(26 * 2 ** 20));
  commit(stage.directory, {});
  stage.github.clearRequests();
  await expect(stage.publish()).rejects.toMatchObject({
    reason: 'gate_refused',
    message: "`large.bin` has 26 MiB; through GitHub's API a file may have 25.",
    remedy: expect.stringContaining('`ssh_signing_key`'),
  });
  expect(stage.github.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});
