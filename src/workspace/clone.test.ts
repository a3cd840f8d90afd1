import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type CloneRequest, cloneWorkspace } from './clone.ts';
import { createGate } from './gate/gate.ts';
import { commit, shellGit, testToken, write } from './local-remote.test-support.ts';
import { type MirroredProject, mirrored } from './mirror.test-support.ts';
import { removeWorkspace, workspaceDirectory } from './places.ts';

const identity = { name: 'claude[bot]', email: '41898282+claude[bot]@users.noreply.github.com' };

/** A workspace for issue 42 at the tip of main. */
async function cloned(project: MirroredProject, more: Partial<CloneRequest> = {}) {
  const sha = shellGit(project.bare, 'rev-parse', 'main');
  const request: CloneRequest = {
    mirror: project.mirror,
    directory: workspaceDirectory(join(project.root, 'workspaces'), 'owner/repo#42'),
    branch: 'issue-42',
    sha,
    base: { ref: 'main', sha },
    originUrl: 'https://github.com/owner/repo.git',
    identity,
    ...more,
  };
  return { ...(await cloneWorkspace(request)), ...request };
}

test('is an ordinary clone: whole history, every branch, on the branch of the issue', async () => {
  const project = await mirrored();
  const other = project.push('other', { 'o.txt': 'o' });
  shellGit(project.source, 'checkout', '-q', 'main');
  const first = shellGit(project.source, 'rev-parse', 'main');
  project.push('main', { 'a.txt': 'second' });
  await project.update();
  const { directory, isNew } = await cloned(project);

  expect(isNew).toBe(true);
  expect(shellGit(directory, 'status', '--porcelain', '--branch')).toBe('## issue-42...origin/issue-42');
  expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('second');
  expect(shellGit(directory, 'rev-list', 'HEAD').split('\n')).toContain(first);
  expect(shellGit(directory, 'rev-parse', 'origin/other')).toBe(other);
  expect(shellGit(directory, 'symbolic-ref', 'refs/remotes/origin/HEAD')).toBe('refs/remotes/origin/main');
  commit(directory, { 'new.txt': 'n' });
  expect(shellGit(directory, 'diff', '--name-only', 'origin/main...HEAD')).toBe('new.txt');
  expect(shellGit(directory, 'log', '-1', '--format=%an <%ae>', 'origin/main')).toContain('Person');
  shellGit(directory, 'fsck', '--full', '--strict');
  expect(readdirSync(dirname(directory))).toEqual(['issue-42']);
});

test('shares nothing with the mirror, and holds nothing that runs or authenticates', async () => {
  const project = await mirrored();
  await project.update();
  const { directory } = await cloned(project);
  const git = join(directory, '.git');
  expect(existsSync(join(git, 'objects/info/alternates'))).toBe(false);
  expect(existsSync(join(git, 'hooks'))).toBe(false);
  for (const name of readdirSync(join(git, 'objects/pack')))
    expect([name, statSync(join(git, 'objects/pack', name)).nlink]).toEqual([name, 1]);
  const config = readFileSync(join(git, 'config'), 'utf8');
  expect(config).not.toContain(testToken);
  expect(shellGit(directory, 'config', '--local', '--list', '--name-only').split('\n').sort()).toEqual(
    [
      ...['core.bare', 'core.filemode', 'core.logallrefupdates', 'core.repositoryformatversion'],
      ...['branch.issue-42.merge', 'branch.issue-42.remote', 'remote.origin.fetch', 'remote.origin.url'],
      ...['user.email', 'user.name'],
    ].sort(),
  );
  await removeWorkspace(project.mirror);
  shellGit(directory, 'fsck', '--full');
});

test('a credential in the address is refused', async () => {
  const project = await mirrored();
  await project.update();
  const originUrl = `https://x-access-token:${testToken}@github.com/owner/repo.git`;
  await expect(cloned(project, { originUrl })).rejects.toMatchObject({ reason: 'internal' });
});

test('what is pinned stays pinned: commits that came later are not in base and branch', async () => {
  const project = await mirrored();
  const sha = shellGit(project.source, 'rev-parse', 'main');
  project.push('main', { 'late.txt': 'late' });
  await project.update();
  const { directory } = await cloned(project, { sha, base: { ref: 'main', sha } });
  expect(shellGit(directory, 'rev-parse', 'HEAD', 'origin/main').split('\n')).toEqual([sha, sha]);
  expect(existsSync(join(directory, 'late.txt'))).toBe(false);
});

test('a workspace that is there is left as it is: Claude may have had it', async () => {
  const project = await mirrored();
  await project.update();
  const { directory } = await cloned(project);
  writeFileSync(join(directory, '.git/config'), '[core]\n\tfsmonitor = "touch /tmp/never"\n');
  write(directory, 'a.txt', 'precious');
  expect((await cloned(project)).isNew).toBe(false);
  expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('precious');
});

test('what a killed process has left half done is not taken for a workspace', async () => {
  const project = await mirrored();
  await project.update();
  const directory = workspaceDirectory(join(project.root, 'workspaces'), 'owner/repo#42');
  mkdirSync(`${directory}.new-1/.git/objects`, { recursive: true });
  mkdirSync(`${directory}0`);
  expect((await cloned(project)).isNew).toBe(true);
  // The workspace of issue 420 is not that of issue 42.
  expect(readdirSync(dirname(directory)).sort()).toEqual(['issue-42', 'issue-420']);
});

test('packs that are put together while they are copied are looked for again', async () => {
  const project = await mirrored();
  await project.update();
  for (let n = 0; n < 6; n += 1) {
    project.push('main', { 'n.txt': `${n}` });
    await project.update();
  }
  const repack = async () => {
    for (let n = 0; n < 5; n += 1) {
      shellGit(project.mirror, 'commit-tree', 'main^{tree}', '-m', `${n}`);
      shellGit(project.mirror, 'repack', '-a', '-d', '-q', '--keep-unreachable');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [{ directory }] = await Promise.all([cloned(project), repack()]);
  shellGit(directory, 'fsck', '--full');
});

test('names of branches are data, and none of them poses as HEAD', async () => {
  const project = await mirrored();
  const main = shellGit(project.source, 'rev-parse', 'main');
  const other = project.push('other', { 'o.txt': 'o' });
  for (const name of ['HEAD', '--upload-pack=x', '$(id)', 'a/HEAD'])
    shellGit(project.bare, 'update-ref', `refs/heads/${name}`, other);
  await project.update();
  const { directory } = await cloned(project, { base: { ref: '$(id)', sha: main } });
  expect(shellGit(directory, 'rev-parse', 'origin')).toBe(main);
  expect(shellGit(directory, 'rev-parse', 'refs/remotes/origin/--upload-pack=x')).toBe(other);
});

test('a commit that the mirror lacks is named, and nothing is left behind', async () => {
  const project = await mirrored();
  await project.update();
  const sha = 'a'.repeat(40);
  await expect(cloned(project, { sha })).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining(sha),
  });
  expect(readdirSync(join(project.root, 'workspaces/owner/repo'))).toEqual([]);
});

test('the gate takes it as it is', async () => {
  const project = await mirrored();
  await project.update();
  const { directory, sha } = await cloned(project);
  const target = { repository: 'owner/repo', branch: 'issue-42' };
  const limits = { protectedPaths: [], allowProtectedPaths: false, maxChangedFiles: 10, maxFileKib: 100 };
  const gate = await createGate({
    workspace: directory,
    scratch: join(project.root, 'scratch'),
    branch: 'issue-42',
    base: sha,
    targets: [target],
    neverTo: [{ repository: 'owner/repo', branch: 'main' }],
    limits,
  });
  const work = commit(directory, { 'work.txt': 'done' });
  const published = await gate.publish({ target, remote: project.server.remote, leftovers: null });
  expect(published).toMatchObject({ outcome: 'pushed', sha: work, commits: 1 });
  expect(shellGit(project.bare, 'rev-parse', 'issue-42')).toBe(work);
});

test('removing: whatever is in it, nothing but it, and twice', async () => {
  const project = await mirrored();
  await project.update();
  const { directory } = await cloned(project);
  const outside = join(project.root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), 'kept');
  symlinkSync(outside, join(directory, 'link'));
  mkdirSync(join(directory, 'cache/deep'), { recursive: true });
  writeFileSync(join(directory, 'cache/deep/file'), '');
  for (const name of ['cache/deep', 'cache']) chmodSync(join(directory, name), 0o500);
  await removeWorkspace(directory);
  await removeWorkspace(directory);
  expect(readdirSync(dirname(directory))).toEqual([]);
  expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('kept');
  expect(lstatSync(outside).mode & 0o777).not.toBe(0);
});
