/** `commit_files` and `delete_files`: what Claude names is committed, all of it or nothing, and its checkout goes along. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { shellGit, write } from '../local-remote.test-support.ts';
import { claudeCommits, type Scene, scene, whyNoFence } from './gate.test-support.ts';
import type { NamedFiles } from './named-files.ts';

const scenes: Scene[] = [];
afterEach(async () => {
  for (const { fence } of scenes.splice(0)) await fence?.close();
});

const files = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'dir/c.txt': 'c\n', 'dir/deep/d.txt': 'd\n' };
const identity = { name: 'claude[bot]', email: 'claude@example.com' };

async function opened(fenced = false) {
  const made = await scene({ files, fenced });
  scenes.push(made);
  const call = (named: NamedFiles) => made.publish({ leftovers: { message: 'By name\n', identity, named } });
  return {
    ...made,
    commitFiles: (...paths: string[]) => call({ paths, remove: false }),
    deleteFiles: (...paths: string[]) => call({ paths, remove: true }),
    /** Of the published branch: what its newest commit changed. */
    changed: () => shellGit(made.project.bare, 'show', '--format=', '--name-status', made.onServer()!),
    status: () => shellGit(made.directory, 'status', '--short'),
  };
}

describe.each([
  ['without a fence', false],
  ['through a fence', true],
])('%s', (_, fenced) => {
  test.skipIf(fenced && whyNoFence)(
    'the named files are published, and the checkout is at that commit',
    async () => {
      const { directory, commitFiles, deleteFiles, changed, status, onServer } = await opened(fenced);
      write(directory, 'a.txt', 'changed\n');
      write(directory, 'new/e.txt', 'new\n');
      write(directory, 'other.txt', 'not named\n');
      rmSync(join(directory, 'dir/deep'), { recursive: true });
      const first = await commitFiles('a.txt', join(directory, 'new'), 'dir/deep/d.txt');
      expect(changed()).toBe('M\ta.txt\nD\tdir/deep/d.txt\nA\tnew/e.txt');
      expect(status()).toBe('?? other.txt');
      expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(first.sha);

      // Claude's own commit builds on it, and so does the next by name.
      claudeCommits(directory, { 'by-hand.txt': 'x' }, 'By hand');
      const second = await deleteFiles('dir', 'b.txt');
      expect(second).toMatchObject({ outcome: 'pushed', commits: 2, sha: onServer() });
      expect(changed()).toBe('D\tb.txt\nD\tdir/c.txt');
      expect(existsSync(join(directory, 'dir/c.txt'))).toBe(false);
      expect(shellGit(directory, 'log', '--format=%s', '-3')).toBe('By name\nBy hand\nBy name');
      expect(status()).toBe('');
      expect(shellGit(directory, 'fsck')).toBe('');
      expect(await commitFiles('a.txt')).toMatchObject({ outcome: 'nothing' });
    },
  );
});

test('of a directory to delete, files that git does not have are neither deleted nor committed', async () => {
  const { directory, deleteFiles, changed } = await opened();
  write(directory, 'dir/untracked.txt', 'mine\n');
  await deleteFiles('dir');
  expect(changed()).toBe('D\tdir/c.txt\nD\tdir/deep/d.txt');
  expect(readFileSync(join(directory, 'dir/untracked.txt'), 'utf8')).toBe('mine\n');
});

test.each<[string, string[], RegExp, ((directory: string) => void)?]>([
  ['a file outside of the checkout', ['/etc/passwd'], /`\/etc\/passwd` is not a file of the checkout/],
  ['a way out of the checkout', ['../outside.txt'], /is not a file of the checkout/],
  ['the whole checkout', ['.'], /is not a file of the checkout/],
  ['the repository itself', ['.git/config'], /is not a file of the checkout/],
  ['the same in other letters', ['dir/.GIT/hooks/x'], /is not a file of the checkout/],
  ['what is not there', ['nowhere.txt'], /`nowhere\.txt` is not there/],
  [
    'what is ignored',
    ['build/out.js'],
    /is not there, or `\.gitignore` names it/,
    (directory) => {
      write(directory, '.gitignore', 'build/\n');
      write(directory, 'build/out.js', 'built');
    },
  ],
  [
    'a file behind a link that leads out',
    ['out/passwd'],
    /`out\/passwd` is not there/,
    (directory) => symlinkSync('/etc', join(directory, 'out')),
  ],
  [
    'the link itself',
    ['out'],
    /`out`: is a symbolic link to an absolute path/,
    (directory) => symlinkSync('/etc', join(directory, 'out')),
  ],
  [
    'a protected file',
    ['.github/workflows/ci.yml'],
    /`\.github\/workflows\/ci\.yml`: it is protected by `protected_paths`/,
    (directory) => write(directory, '.github/workflows/ci.yml', 'on: push\n'),
  ],
  [
    'a secret',
    ['key.txt'],
    /`key\.txt`: it contains a secret \(GitHub token\)/,
    (directory) => write(directory, 'key.txt', `ghp_${'a1B2'.repeat(9)}`),
  ],
  [
    'a large file',
    ['large.bin'],
    /`large\.bin`: it is larger than `max_file_kib` \(64\)/,
    (directory) => writeFileSync(join(directory, 'large.bin'), Buffer.alloc(65 * 1024)),
  ],
  [
    'too many files',
    ['many'],
    /it is more than `max_changed_files` \(20\)/,
    (directory) => {
      for (let at = 0; at < 21; at++) write(directory, `many/${at}.txt`, 'x');
    },
  ],
])('%s is refused with its name, and nothing is committed', async (_, paths, says, before) => {
  const { directory, commitFiles, onServer, base } = await opened();
  before?.(directory);
  write(directory, 'a.txt', 'changed\n');
  await expect(commitFiles('a.txt', ...paths)).rejects.toMatchObject({
    reason: 'gate_refused',
    message: expect.stringMatching(says),
  });
  expect(onServer()).toBeNull();
  expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(base);
  // Without it the others are published.
  expect(await commitFiles('a.txt')).toMatchObject({ outcome: 'pushed', commits: 1 });
});

test.each([
  ['without a fence', false],
  ['through a fence', true],
])('deleting follows no link: %s', async (_, fenced) => {
  if (fenced && whyNoFence) return;
  const { directory, deleteFiles, project } = await opened(fenced);
  const outside = join(project.root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'c.txt'), 'precious\n');
  rmSync(join(directory, 'dir'), { recursive: true });
  symlinkSync(outside, join(directory, 'dir'));
  await deleteFiles('dir/c.txt');
  expect(readFileSync(join(outside, 'c.txt'), 'utf8')).toBe('precious\n');
  await expect(deleteFiles('../outside/c.txt')).rejects.toMatchObject({ reason: 'gate_refused' });
});

test('a checkout that does not stand where the commit began stays as it is', async () => {
  const { directory, commitFiles, base, onServer } = await opened();
  write(directory, 'a.txt', 'changed\n');
  // Another git is at work there.
  writeFileSync(join(directory, '.git/index.lock'), '');
  const { sha } = await commitFiles('a.txt');
  expect(onServer()).toBe(sha);
  expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(base);
  rmSync(join(directory, '.git/index.lock'));
  write(directory, 'b.txt', 'changed\n');
  expect(await commitFiles('b.txt')).toMatchObject({ outcome: 'pushed', commits: 1 });
});
