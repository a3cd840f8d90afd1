import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  claimDataDirectory,
  keptSecret,
  placeName,
  prepareDataDirectory,
  runningServer,
} from './data-directory.ts';

const isRoot = process.getuid?.() === 0;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fh-data-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('it is made, for its user alone', () => {
  const dataDir = join(root, 'a/b');
  prepareDataDirectory(dataDir);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  prepareDataDirectory(dataDir);
});

test('where a file lies in the way, it says so', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => prepareDataDirectory(join(root, 'file/data'))).toThrow(/DATA_DIR .* cannot be made/);
});

/** To root nothing is forbidden. */
const asUser: (name: string, story: () => void) => void = isRoot ? () => {} : test;

asUser('where it cannot be written, it says so', () => {
  chmodSync(root, 0o500);
  expect(() => prepareDataDirectory(root)).toThrow(/cannot be written/);
});

test.skipIf(!isRoot)('where the disk is full, it says so', (context) => {
  const small = join(root, 'small');
  mkdirSync(small);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]).status === 0;
  if (!mounted) context.skip('nothing can be mounted here');
  try {
    expect(() => prepareDataDirectory(small)).toThrow(/cannot be written: ENOSPC/);
  } finally {
    spawnSync('umount', [small]);
  }
});

test('one server at a time; a killed one is no obstacle', () => {
  const release = claimDataDirectory(root);
  expect(runningServer(root)).toMatchObject({ pid: process.pid });
  expect(() => claimDataDirectory(root)).toThrow(
    new RegExp(`works on ${root} already \\(process ${process.pid}`),
  );
  release();
  expect(runningServer(root)).toBeNull();
  expect(existsSync(join(root, 'serve.json'))).toBe(false);
  // The number is another program's by now: this one's, but it started at another time.
  writeFileSync(
    join(root, 'serve.json'),
    JSON.stringify({ pid: process.pid, pidStarted: '1', startedAt: 'then' }),
  );
  claimDataDirectory(root)();
  writeFileSync(join(root, 'serve.json'), 'half a fil');
  claimDataDirectory(root)();
});

test('a secret is made once, for its user alone', () => {
  const made = keptSecret(root, 'webhook-secret');
  expect(statSync(made.path).mode & 0o777).toBe(0o600);
  expect(made.secret.reveal()).toMatch(/^[0-9a-f]{64}$/);
  expect(keptSecret(root, 'webhook-secret').secret.reveal()).toBe(made.secret.reveal());
  writeFileSync(made.path, 'my own words\n');
  expect(keptSecret(root, 'webhook-secret').secret.reveal()).toBe('my own words');
  writeFileSync(made.path, '');
  expect(() => keptSecret(root, 'webhook-secret')).toThrow(/is empty/);
  expect(readFileSync(made.path, 'utf8')).toBe('');
});

test('a place has one name for good, and no other place has it', () => {
  const name = placeName(root);
  expect(placeName(root)).toBe(name);
  const other = join(root, 'other');
  prepareDataDirectory(other);
  expect(placeName(other)).not.toBe(name);
});
