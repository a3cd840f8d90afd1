/** Commits that GitHub makes: exactly what Claude committed, verified, on top of nobody else's work. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { createClient } from '../github/client.ts';
import { Secret } from '../words/secret.ts';
import { limits } from './gate.test-support.ts';
import { createGate, type Gate, openGate } from './gate.ts';
import { commit, shellGit, shellGitBeside, temporary, write } from './local-remote.test-support.ts';
import type { Published } from './publish.ts';

const files = { 'a.txt': 'one\n', 'lib/b.txt': 'two\n', 'run.sh': '#!/bin/sh\n', 'dir/c.txt': 'three\n' };
const target = { repository: 'octo-org/hello', branch: 'claude/issue-1' };
const identity = { name: 'claude[bot]', email: 'claude@example.com' };
const second = { ...target, branch: 'claude/issue-1-2' };

async function setStage(token: 'actions' | 'pat' = 'actions') {
  const github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files });
  repository.setPermission('octocat', 'write');
  const value = github.token(token === 'pat' ? {} : { kind: 'actions', repositories: ['octo-org/hello'] });
  const root = temporary();
  const directory = join(root, 'checkout');
  await shellGitBeside(root, 'clone', '-q', '--depth=1', `file://${repository.directory}`, directory);
  const base = shellGit(directory, 'rev-parse', 'HEAD');
  shellGit(directory, 'checkout', '-q', '-b', target.branch);
  const { apiUrl, graphqlUrl, serverUrl } = github;
  const policy = { attempts: 3, firstDelayMs: 1, longestWaitMs: 1000, timeoutMs: 10_000 };
  const client = createClient({ apiUrl, graphqlUrl, serverUrl }, async () => value, policy);
  const signing = { by: 'github', client } as const;
  const gate = await createGate({
    ...{ workspace: directory, scratch: join(root, 'scratch'), branch: target.branch, base, limits, signing },
    ...{ targets: [target, second], neverTo: [{ ...target, branch: 'main' }] },
  });
  const publish = (change: { through?: Gate; to?: typeof target; leftovers?: boolean } = {}) => {
    const to = change.to ?? target;
    const remote = { url: `${serverUrl}/${to.repository}.git`, token: new Secret(value) };
    const leftovers = change.leftovers ? { message: 'Save uncommitted work', identity } : null;
    return (change.through ?? gate).publish({ target: to, remote, leftovers });
  };
  return {
    ...{ github, repository, directory, base, gate, publish, signing },
    /** Trees, messages and shapes of both sides: ids apart they must be equal. */
    expectSame: async (mine: string, { sha }: Published) => {
      const shape = (place: string, tip: string) =>
        shellGit(place, 'log', '--topo-order', '--format=%T %B', tip, `^${base}`).replace(/\n+/g, '\n');
      expect(shape(repository.directory, sha)).toBe(shape(directory, mine));
      expect(repository.tip(target.branch)).toBe(sha);
    },
    unverified: (tip: string) =>
      shellGit(repository.directory, 'rev-list', tip, `^${base}`)
        .split('\n')
        .filter((sha) => !repository.verified(sha)),
    [Symbol.asyncDispose]: github.close,
  };
}

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
  await using stage = await setStage('pat');
  commit(stage.directory, { 'a.txt': 'x\n' });
  expect((await stage.publish()).unverified).toEqual([]);
  chmodSync(join(stage.directory, 'run.sh'), 0o755);
  commit(stage.directory, {});
  const { sha, unverified } = await stage.publish();
  expect(unverified).toEqual([sha]);
});

test('commits of somebody else on the branch stay, and the work goes to the next name', async () => {
  await using stage = await setStage();
  const { directory, repository, publish } = stage;
  commit(directory, { 'a.txt': 'one\n' });
  const first = await publish();
  const theirs = await repository.addCommit({
    branch: target.branch,
    message: 'Theirs',
    files: { 'x.md': 'x' },
  });
  commit(directory, { 'a.txt': 'two\n' });
  expect(await publish()).toMatchObject({ outcome: 'moved' });
  expect(repository.tip(target.branch)).toBe(theirs);

  const other = await publish({ to: second });
  expect(other).toMatchObject({ outcome: 'pushed' });
  expect((await repository.commit(other.sha))?.parents).toEqual([first.sha]);
  expect(await repository.file(second.branch, 'a.txt')).toBe('two\n');
});

test.each([
  ['a file, in the moment before its commit', (_: string) => {}, 'CommitOnBranch'],
  [
    'an executable, in the moment before the branch moves',
    (directory: string) => chmodSync(join(directory, 'run.sh'), 0o755),
    /\/git\/refs\/heads/,
  ],
])('a push that comes between is never overwritten: %s', async (_, change, moment) => {
  await using stage = await setStage();
  const { directory, github, repository, publish } = stage;
  commit(directory, { 'b.txt': 'first' });
  await publish();
  change(directory);
  commit(directory, { 'a.txt': 'ours\n' });
  let theirs = '';
  github.onRequest(async ({ request, phase }) => {
    const isIt = typeof moment === 'string' ? request.operation === moment : moment.test(request.path);
    if (phase !== 'before' || !isIt || theirs) return;
    theirs = await repository.addCommit({ branch: target.branch, message: 'Theirs', files: { 'x.md': 'x' } });
  });

  expect(await publish()).toMatchObject({ outcome: 'moved' });
  expect(repository.tip(target.branch)).toBe(theirs);
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
  commit(directory, { 'a.txt': 'one\n' }, 'First');
  commit(directory, { 'a.txt': 'two\n' }, 'Second');
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

test('the gate checks first: what it refuses asks GitHub nothing', async () => {
  await using stage = await setStage();
  commit(stage.directory, { '.github/workflows/ci.yml': 'on: push\n' });
  stage.github.clearRequests();
  await expect(stage.publish()).rejects.toMatchObject({ reason: 'gate_refused' });
  expect(stage.github.requests).toEqual([]);
});
