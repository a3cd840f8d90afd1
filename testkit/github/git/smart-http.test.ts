/** Git over HTTP as its users meet it: pushes large and small, forks, protected branches, workflow files, faults. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../main.ts';
import type { RepositoryView } from '../repository-view.ts';
import { gitEnvironment } from './command.ts';

let github: LocalGitHub;
let repository: RepositoryView;
let work: string;
let clone: string;
let count = 0;

beforeAll(async () => {
  github = await startGitHub();
  work = await mkdtemp(join(tmpdir(), 'local-github-work-'));
});
beforeEach(async () => {
  const collaborators = { ann: 'write', bob: 'read' } as const;
  repository = await github.createRepository({
    owner: 'o',
    name: `r${++count}`,
    private: true,
    collaborators,
  });
  clone = join(work, `clone${count}`);
  await git(work, 'clone', '-q', as('ann'), clone);
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
  await rm(work, { recursive: true, force: true });
});

const run = promisify(execFile);
const git = async (cwd: string, ...args: string[]) => {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t'];
  return (
    await run('git', [...identity, ...args], { cwd, env: { ...gitEnvironment, HOME: work } })
  ).stdout.trim();
};

/** Clone address with a token where git wants it. */
const addressWith = (token: string, of = repository) =>
  of.cloneUrl.replace('://', `://x-access-token:${token}@`);
const as = (login: string, of = repository) => addressWith(github.token({ login }), of);

async function commit(path: string, content: string | Buffer): Promise<void> {
  await mkdir(join(clone, path, '..'), { recursive: true });
  await writeFile(join(clone, path), content);
  await git(clone, 'add', '.');
  await git(clone, 'commit', '-q', '-m', `Write ${path}`);
}

test('without credentials a private repository cannot be cloned', async () => {
  await expect(git(work, 'clone', '-q', repository.cloneUrl, 'never')).rejects.toThrow(
    /could not read Username/,
  );
});

test('a large push arrives in chunks, and can be fetched again without its blobs', async () => {
  await commit('big.bin', randomBytes(300_000));
  await git(clone, '-c', 'http.postBuffer=1000', 'push', '-q', 'origin', 'HEAD:claude/big');
  expect((await repository.log('main..claude/big')).map((one) => one.message)).toEqual(['Write big.bin']);
  const partial = join(work, `partial${count}`);
  await git(
    work,
    'clone',
    '-q',
    '--filter=blob:none',
    '--depth=1',
    '-b',
    'claude/big',
    as('bob').replace(/\.git$/, ''),
    partial,
  );
  expect(await git(partial, 'rev-parse', 'HEAD')).toBe(repository.tip('claude/big'));
});

test('a reader and a token without contents:write are refused', async () => {
  await commit('a.txt', 'a');
  await expect(git(clone, 'push', as('bob'), 'HEAD:x')).rejects.toThrow(/403/);
  const token = github.token({
    login: 'claude[bot]',
    permissions: { contents: 'read' },
    repositories: [repository.fullName],
  });
  await git(clone, 'fetch', '-q', addressWith(token));
  await expect(git(clone, 'push', addressWith(token), 'HEAD:x')).rejects.toThrow(/403/);
  await expect(git(clone, 'fetch', addressWith('ghs_nonsense'))).rejects.toThrow(
    /Authentication failed|could not read/,
  );
});

test('an App does not push workflow files without the permission for it', async () => {
  await commit('.github/workflows/ci.yml', 'on: push');
  const push = (permissions: Record<string, string>) =>
    git(
      clone,
      'push',
      addressWith(github.token({ login: 'claude[bot]', permissions, repositories: [repository.fullName] })),
      'HEAD:ci',
    );
  await expect(push({ contents: 'write' })).rejects.toThrow(/without `workflows` permission/);
  await push({ contents: 'write', workflows: 'write' });
  expect(repository.tip('ci')).not.toBeNull();
});

test('a protected branch refuses', async () => {
  repository.protect('main');
  await commit('a.txt', 'a');
  await expect(git(clone, 'push', 'origin', 'HEAD:main')).rejects.toThrow(/GH006: Protected branch/);
});

test('the head of a fork is under refs/pull; a maintainer may push to it, and to nothing else there', async () => {
  const fork = await github.fork(repository, 'forker');
  await fork.addCommit({ branch: 'fix', message: 'Fix', files: { 'a.txt': 'a\n' } });
  const pull = await github.createPullRequest(repository, {
    title: 'Fix',
    head: 'forker:fix',
    author: 'forker',
  });
  await git(clone, 'fetch', '-q', 'origin', `refs/pull/${pull.number}/head:pr`);
  await git(clone, 'checkout', '-q', 'pr');
  await commit('b.txt', 'b\n');
  github.user('ann');
  fork.setPermission('ann', 'read');
  await git(clone, 'push', '-q', as('ann', fork), 'HEAD:fix');
  expect(pull.head.sha).toBe(await git(clone, 'rev-parse', 'HEAD'));
  await expect(git(clone, 'push', as('ann', fork), 'HEAD:other')).rejects.toThrow(/only push to: fix/);
  pull.maintainerCanModify = false;
  await commit('c.txt', 'c\n');
  await expect(git(clone, 'push', as('ann', fork), 'HEAD:fix')).rejects.toThrow(/403/);
});

test('faults strike git too, and its requests are logged', async () => {
  github.clearRequests();
  github.faults.add({ path: /git-upload-pack$|info\/refs$/, status: 503, times: 1 });
  await expect(git(clone, 'fetch', 'origin')).rejects.toThrow(/503/);
  await git(clone, 'fetch', '-q', 'origin');
  expect(github.requests.at(-1)).toMatchObject({ kind: 'git', login: 'ann', status: 200 });
});
