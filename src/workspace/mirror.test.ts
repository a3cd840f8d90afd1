import { spawn } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { Secret } from '../words/secret.ts';
import { shellGit, temporary, testToken } from './local-remote.test-support.ts';
import { mirrored, oneAtATime } from './mirror.test-support.ts';
import { mirrorTip, reportDamage, updateMirror } from './mirror.ts';

const branches = (mirror: string) =>
  shellGit(mirror, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/').split('\n');

test('follows the remote: new commits, new branches, force-pushes, deleted branches', async () => {
  const project = await mirrored();
  const first = shellGit(project.source, 'rev-parse', 'HEAD');
  project.push('feature', { 'f.txt': 'one' });
  await project.update();
  expect(await mirrorTip(project.mirror, 'refs/heads/main')).toBe(first);
  expect(branches(project.mirror)).toEqual(['feature', 'main']);

  shellGit(project.source, 'checkout', '-q', 'main');
  shellGit(project.source, 'branch', '-q', '-D', 'feature');
  const rewritten = project.push('feature', { 'f.txt': 'two' });
  const second = project.push('main', { 'a.txt': 'two' });
  await project.update();
  expect(await mirrorTip(project.mirror, 'refs/heads/main')).toBe(second);
  expect(await mirrorTip(project.mirror, 'refs/heads/feature')).toBe(rewritten);

  shellGit(project.source, 'push', '-q', 'origin', '--delete', 'feature');
  shellGit(project.source, 'branch', '-q', '-D', 'feature');
  // What was a branch is a folder of branches now.
  project.push('feature/one');
  await project.update();
  expect(branches(project.mirror)).toEqual(['feature/one', 'main']);
  expect(await mirrorTip(project.mirror, 'refs/heads/feature')).toBeNull();
});

test('holds the credential nowhere, and nothing that could run', async () => {
  const project = await mirrored();
  await project.update();
  expect(project.server.authorizations.length).toBeGreaterThan(0);
  expect(shellGit(project.mirror, 'config', '--local', '--list').split('\n')).toEqual([
    'core.repositoryformatversion=0',
    'core.bare=true',
  ]);
  const names = readdirSync(project.mirror, { recursive: true, withFileTypes: true });
  expect(names.filter(({ name }) => name === 'hooks' || name === 'FETCH_HEAD')).toEqual([]);
  for (const { parentPath, name } of names.filter((entry) => entry.isFile()))
    expect(readFileSync(join(parentPath, name), 'latin1')).not.toContain(testToken);
});

test('two at once make one mirror', async () => {
  const project = await mirrored();
  await Promise.all([project.update(), project.update(), project.update()]);
  expect(readdirSync(dirname(project.mirror))).toEqual(['repo.git']);
  expect(branches(project.mirror)).toEqual(['main']);
});

test("a pull request's head is fetched on demand", async () => {
  const project = await mirrored();
  const sha = project.push('theirs', { 'x.txt': 'x' });
  shellGit(project.bare, 'update-ref', 'refs/pull/7/head', sha);
  shellGit(project.bare, 'update-ref', '-d', 'refs/heads/theirs');
  await project.update();
  expect(await mirrorTip(project.mirror, 'refs/pull/7/head')).toBeNull();
  await project.update({ pulls: [7] });
  expect(await mirrorTip(project.mirror, 'refs/pull/7/head')).toBe(sha);
  await expect(project.update({ pulls: [8] })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('#8'),
  });
});

test('a commit that was pinned is fetched also when no branch has it any more', async () => {
  const project = await mirrored();
  const pinned = project.push('main', { 'a.txt': 'rewritten later' });
  shellGit(project.source, 'reset', '-q', '--hard', 'HEAD^');
  project.push('main', { 'a.txt': 'other' });
  shellGit(project.bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  await project.update({ commits: [pinned] });
  shellGit(project.mirror, 'log', '-p', pinned);
  await expect(project.update({ commits: ['a'.repeat(40)] })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('is not on GitHub any more'),
  });
  await expect(project.update({ commits: ['--all'] })).rejects.toMatchObject({ reason: 'internal' });
});

test('names of branches are data', async () => {
  const project = await mirrored();
  const hostile = [
    '-x',
    '--upload-pack=touch',
    'HEAD',
    '$(pwned)',
    '`id`',
    'a;b',
    'ünïcode',
    "it's",
    '@',
    'none',
  ];
  const sha = shellGit(project.source, 'rev-parse', 'HEAD');
  for (const name of hostile) shellGit(project.bare, 'update-ref', `refs/heads/${name}`, sha);
  await project.update();
  await project.update();
  expect(branches(project.mirror).sort()).toEqual([...hostile, 'main'].sort());
  expect(await mirrorTip(project.mirror, 'refs/heads/--upload-pack=touch')).toBe(sha);
});

test('many small fetches are put together, and nothing is lost', async () => {
  const project = await mirrored();
  await project.update();
  const shas: string[] = [];
  for (let n = 0; n < 42; n += 1) {
    shas.push(project.push('main', { 'n.txt': `${n}` }));
    await project.update();
  }
  const packs = readdirSync(join(project.mirror, 'objects/pack')).filter((name) => name.endsWith('.pack'));
  expect(packs.length).toBeLessThan(42);
  expect(shellGit(project.mirror, 'rev-list', 'main').split('\n')).toEqual(expect.arrayContaining(shas));
  shellGit(project.mirror, 'fsck', '--full', '--strict');
});

test('what a killed process left behind is in nobody’s way', async () => {
  const project = await mirrored();
  const leftover = `${project.mirror}.new-1234`;
  mkdirSync(join(leftover, 'objects/pack'), { recursive: true });
  writeFileSync(join(leftover, 'objects/pack/tmp_pack_x'), 'half');
  await project.update();
  expect(readdirSync(dirname(project.mirror))).toEqual(['repo.git']);

  const sha = project.push('main', { 'a.txt': 'two' });
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const name of ['packed-refs.lock', 'refs/heads/main.lock', 'HEAD.lock']) {
    mkdirSync(dirname(join(project.mirror, name)), { recursive: true });
    writeFileSync(join(project.mirror, name), '');
    utimesSync(join(project.mirror, name), longAgo, longAgo);
  }
  await project.update();
  expect(await mirrorTip(project.mirror, 'refs/heads/main')).toBe(sha);
});

test('kill -9 in the middle of the first fetch: the next process makes the mirror', async () => {
  const project = await mirrored();
  const silent = await silentServer();
  const program = `
    const { updateMirror } = await import(${JSON.stringify(new URL('./mirror.ts', import.meta.url).href)});
    await updateMirror({ directory: ${JSON.stringify(project.mirror)},
      remote: { url: '${silent.origin}/owner/repo.git', token: null }, exclusive: (work) => work() });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await silent.asked;
  child.kill('SIGKILL');
  await ended;
  expect(readdirSync(dirname(project.mirror))).toEqual([expect.stringMatching(/^repo\.git\.new-/)]);
  await project.update();
  expect(readdirSync(dirname(project.mirror))).toEqual(['repo.git']);
});

test('a cancelled fetch leaves nothing, and the next one works', async () => {
  const project = await mirrored();
  const silent = await silentServer();
  const controller = new AbortController();
  const remote = { url: `${silent.origin}/owner/repo.git`, token: null };
  const updating = project.update({ remote, signal: controller.signal });
  await silent.asked;
  controller.abort();
  await expect(updating).rejects.toMatchObject({ reason: 'cancelled' });
  expect(readdirSync(dirname(project.mirror))).toEqual([]);
  await project.update();
  expect(branches(project.mirror)).toEqual(['main']);
});

test.each<[string, (mirror: string) => void]>([
  [
    'a pack cut short',
    (mirror) => {
      const directory = join(mirror, 'objects/pack');
      for (const name of readdirSync(directory)) truncateSync(join(directory, name), 5);
    },
  ],
  [
    'refs without a value',
    (mirror) => {
      mkdirSync(join(mirror, 'refs/heads'), { recursive: true });
      writeFileSync(join(mirror, 'refs/heads/main'), '');
    },
  ],
  ['no HEAD', (mirror) => rmSync(join(mirror, 'HEAD'))],
  ['no objects', (mirror) => renameSync(join(mirror, 'objects'), join(mirror, 'gone'))],
])('a mirror that a crash of the machine has damaged is made anew: %s', async (_, damage) => {
  const project = await mirrored();
  await project.update();
  damage(project.mirror);
  const sha = project.push('main', { 'a.txt': 'two' });
  await project.update();
  expect(await mirrorTip(project.mirror, 'refs/heads/main')).toBe(sha);
  shellGit(project.mirror, 'log', '-p', 'main');
  expect(readdirSync(dirname(project.mirror))).toEqual(['repo.git']);
});

test('a mirror that somebody found to be damaged is made anew', async () => {
  const project = await mirrored();
  await project.update();
  await reportDamage(project.mirror, new AppError('git_failed', 'fatal: loose object 12 is corrupt'));
  await project.update();
  expect(readdirSync(project.mirror)).not.toContain('damaged');
  expect(branches(project.mirror)).toEqual(['main']);
});

test.each<[string, number | 'gone' | 'renamed', string, string]>([
  ['deleted, or not to be read', 'gone', 'github_auth', 'still exists'],
  ['renamed', 301, 'git_failed', 'renamed'],
])('a repository that was %s', async (_, failure, reason, remedy) => {
  const project = await mirrored();
  if (failure === 'gone') renameSync(project.bare, `${project.bare}.away`);
  else project.server.failures.push(Number(failure));
  await expect(project.update()).rejects.toMatchObject({ reason, remedy: expect.stringContaining(remedy) });
  expect(readdirSync(dirname(project.mirror))).toEqual([]);
});

test('the wrong token is told as such, and not shown', async () => {
  const project = await mirrored();
  const token = new Secret(`ghs_${'w'.repeat(36)}`);
  const refused = project.update({ remote: { ...project.server.remote, token } });
  await expect(refused).rejects.toMatchObject({
    reason: 'github_auth',
    message: expect.not.stringContaining('www'),
    remedy: expect.stringContaining('`owner/repo`'),
  });
});

test('an empty repository has nothing to work on', async () => {
  const directory = join(temporary(), 'mirrors/owner/repo.git');
  const bare = join(temporary(), 'empty.git');
  mkdirSync(bare);
  shellGit(bare, 'init', '-q', '--bare');
  const remote = { url: `file://${bare}`, token: null };
  await expect(updateMirror({ directory, remote, exclusive: oneAtATime() })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('no commits yet'),
  });
  expect(readdirSync(dirname(directory))).toEqual([]);
});

/** Takes the question and never answers it. */
async function silentServer(): Promise<{ origin: string; asked: Promise<void> }> {
  let told = () => {};
  const asked = new Promise<void>((resolve) => {
    told = resolve;
  });
  const server = createServer(() => told());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
