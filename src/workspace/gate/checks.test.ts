import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, shellGit, write } from '../local-remote.test-support.ts';
import { isProtected, linkProblem } from './checks.ts';
import { claudeCommits, limits, type Scene, type SceneOptions, scene } from './gate.test-support.ts';
import { createGate } from './gate.ts';
import { findSecrets } from './secret-scan.ts';

const token = `ghp_${'x'.repeat(36)}`;

interface Row extends SceneOptions {
  what: string;
  work: (scene: Scene) => void;
  says: RegExp;
}

const rows: Row[] = [
  {
    what: 'a protected file',
    work: ({ directory }) =>
      claudeCommits(directory, { '.github/workflows/ci.yml': 'on: push\n', 'a.txt': 'x' }),
    says: /`\.github\/workflows\/ci\.yml` \(commit \w{12}\) is protected by `protected_paths`/,
  },
  {
    what: 'a protected file that a later commit takes back',
    work: ({ directory }) => {
      claudeCommits(directory, { '.github/workflows/ci.yml': 'on: push\n' });
      shellGit(directory, 'rm', '-q', '.github/workflows/ci.yml');
      claudeCommits(directory, {});
    },
    says: /ci\.yml/,
  },
  {
    what: 'a protected file in other letter case',
    work: ({ directory }) => claudeCommits(directory, { '.GitHub/Workflows/ci.yml': 'on: push\n' }),
    says: /protected/,
  },
  {
    what: 'a deleted protected file',
    files: { '.github/workflows/ci.yml': 'on: push\n' },
    work: ({ directory }) => {
      shellGit(directory, 'rm', '-q', '.github/workflows/ci.yml');
      claudeCommits(directory, { 'a.txt': 'x' });
    },
    says: /ci\.yml.*protected/,
  },
  {
    what: 'a link above protected files',
    work: ({ directory }) => {
      write(directory, 'own/workflows/ci.yml', 'on: push\n');
      symlinkSync('own', join(directory, '.github'));
      claudeCommits(directory, {});
    },
    says: /`\.github` .*protected/,
  },
  {
    what: 'an old state by a merge',
    depth: 0,
    before: ({ source }) => {
      commit(source, { '.github/workflows/ci.yml': 'old\n' });
      commit(source, { '.github/workflows/ci.yml': 'new\n' });
      shellGit(source, 'push', '-q', 'origin', 'main');
    },
    work: ({ directory, base }) => {
      const tree = shellGit(directory, 'rev-parse', `${base}~1^{tree}`);
      const merge = shellGit(directory, 'commit-tree', tree, '-p', base, '-p', `${base}~1`, '-m', 'Merge');
      shellGit(directory, 'reset', '-q', '--hard', merge);
    },
    says: /ci\.yml.*protected/,
  },
  {
    what: 'a change that only a merge makes',
    depth: 0,
    work: ({ directory }) => {
      shellGit(directory, 'checkout', '-q', '-b', 'side');
      claudeCommits(directory, { 'side.txt': 'x' });
      shellGit(directory, 'checkout', '-q', '-');
      claudeCommits(directory, { 'task.txt': 'x' });
      shellGit(directory, 'merge', '-q', '--no-commit', 'side');
      claudeCommits(directory, { '.github/workflows/ci.yml': 'on: push\n' });
    },
    says: /ci\.yml.*protected/,
  },
  {
    what: 'too many files',
    work: ({ directory }) =>
      claudeCommits(
        directory,
        Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`${index}.txt`, 'x'])),
      ),
    says: /21 files are changed, more than `max_changed_files` \(20\)/,
  },
  {
    what: 'a large file, also when a later commit deletes it',
    work: ({ directory }) => {
      claudeCommits(directory, { 'large.bin': 'x'.repeat(65_537) });
      shellGit(directory, 'rm', '-q', 'large.bin');
      claudeCommits(directory, {});
    },
    says: /`large\.bin` \(commit \w{12}\) has 65 KiB, more than `max_file_kib` \(64\)/,
  },
  {
    what: 'a secret',
    work: ({ directory }) => claudeCommits(directory, { 'env.txt': `TOKEN=${token}\n` }),
    says: /`env\.txt` \(commit \w{12}\) contains a secret \(GitHub token\)/,
  },
  {
    what: 'a secret that a later commit takes back',
    work: ({ directory }) => {
      claudeCommits(directory, { 'env.txt': `TOKEN=${token}\n` });
      claudeCommits(directory, { 'env.txt': 'TOKEN=\n' });
    },
    says: /env\.txt.*a later commit leaves it in the history/,
  },
  {
    what: 'a known secret among bytes',
    work: ({ directory }) => claudeCommits(directory, { 'blob.bin': 'a\0\x01hunter2-of-this-run\0' }),
    says: /blob\.bin.*secret of this run/,
  },
  {
    what: 'a known secret as the target of a link',
    work: ({ directory }) => {
      symlinkSync('hunter2-of-this-run', join(directory, 'link'));
      claudeCommits(directory, {});
    },
    says: /`link`.*secret of this run/,
  },
  {
    what: 'a secret in a commit message',
    work: ({ directory }) => claudeCommits(directory, { 'a.txt': 'x' }, `Use ${token}`),
    says: /message of commit \w{12} contains a secret/,
  },
  {
    what: 'a link to an absolute path',
    work: ({ directory }) => {
      symlinkSync('/etc/passwd', join(directory, 'link'));
      claudeCommits(directory, {});
    },
    says: /`link`.*absolute path/,
  },
  {
    what: 'a submodule',
    work: ({ directory, base }) => {
      shellGit(directory, 'update-index', '--add', '--cacheinfo', `160000,${base},sub`);
      shellGit(directory, 'commit', '-q', '-m', 'Submodule');
    },
    says: /`sub`.*submodule/,
  },
];

test.each(rows)('refuses $what', async ({ work, says, ...options }) => {
  const made = await scene(options);
  work(made);
  const refused = made.publish({ leftovers: null });
  await expect(refused).rejects.toMatchObject({
    reason: 'gate_refused',
    message: expect.stringMatching(says),
  });
  await expect(refused).rejects.not.toThrow(token);
  expect(made.onServer()).toBeNull();
});

test('lists everything that is wrong at once', async () => {
  const { directory, publish } = await scene();
  symlinkSync('/etc/passwd', join(directory, 'link'));
  claudeCommits(directory, { '.gitmodules': '', 'large.bin': 'x'.repeat(65_537) });
  await expect(publish()).rejects.toThrow(/\.gitmodules[\s\S]*`link`[\s\S]*large\.bin/);
});

test('refused work can be repaired and published', async () => {
  const { directory, publish, base } = await scene();
  claudeCommits(directory, { 'env.txt': token, 'a.txt': 'good\n' });
  await expect(publish()).rejects.toMatchObject({ reason: 'gate_refused' });
  shellGit(directory, 'reset', '-q', '--soft', base);
  const sha = claudeCommits(directory, { 'env.txt': 'TOKEN=\n' });
  expect(await publish()).toMatchObject({ outcome: 'pushed', sha, commits: 1 });
});

test('protected paths may change when that is allowed', async () => {
  const { directory, publish } = await scene({
    change: { limits: { ...limits, allowProtectedPaths: true } },
  });
  claudeCommits(directory, { '.github/workflows/ci.yml': 'on: push\n' });
  expect(await publish()).toMatchObject({ outcome: 'pushed' });
});

test('an example key that was there before is not a secret', async () => {
  const { directory, publish } = await scene({ files: { 'fixture.txt': `example ${token}\n` } });
  shellGit(directory, 'mv', 'fixture.txt', 'moved.txt');
  claudeCommits(directory, { 'moved.txt': `example ${token}\nand more\n` });
  write(directory, 'moved.txt', `example ${token}\nand even more\n`);
  expect(await publish()).toMatchObject({ outcome: 'pushed', commits: 2, left: [] });
});

test('merging what the target has already is not a change of its files', async () => {
  const { directory, project, base } = await scene({
    depth: 0,
    before: ({ source }) => {
      shellGit(source, 'checkout', '-q', '-b', 'next');
      commit(source, { '.github/workflows/ci.yml': 'on: push\n' });
      shellGit(source, 'push', '-q', 'origin', 'next');
    },
  });
  const next = shellGit(directory, 'rev-parse', 'origin/next');
  const branch = shellGit(directory, 'symbolic-ref', '--short', 'HEAD');
  const made = {
    workspace: directory,
    scratch: join(project.root, 'scratch2'),
    branch,
    base,
    limits,
    targets: [],
    neverTo: [],
  };
  const gate = await createGate({ ...made, trusted: [next] });
  claudeCommits(directory, { 'task.txt': 'x' });
  shellGit(directory, 'merge', '-q', '--no-edit', next);
  const { sha } = await gate.take();
  await gate.check(sha);
  await expect(gate.check(sha, [base])).rejects.toThrow(/ci\.yml/);
});

test.each([
  ['file', 'target', null],
  ['a/b/c', '../../x', null],
  ['a/b/c', './x/y', null],
  ['a/b/c', '../../../x', 'leaves'],
  ['link', '..', 'leaves'],
  ['link', '.', null],
  ['link', '/etc', 'absolute'],
  ['link', 'C:\\x', 'absolute'],
  ['a/link', '..\\..\\x', 'leaves'],
  ['p/q/l', 'deep/link/../../..', 'after a name'],
  ['link', '.GIT/config', 'into `.git`'],
])('a link %s -> %s: %s', (path, to, problem) => {
  const found = linkProblem(path, to);
  if (problem) expect(found).toContain(problem);
  else expect(found).toBeNull();
});

test.each([
  ['.github/workflows/x.yml', '100644', true],
  ['.github/workflows', '120000', true],
  ['.github', '120000', true],
  ['.github', '040000', false],
  ['.github/dependabot.yml', '100644', false],
  ['sub/.github/workflows/x.yml', '100644', false],
  ['.gitmodules', '100644', true],
])('%s (%s) is protected: %s', (path, mode, expected) => {
  expect(isProtected({ path, mode }, limits)).toBe(expected);
});

test.each([
  ['UTF-16', Buffer.from(token, 'utf16le'), 'GitHub token'],
  [
    'the header of actions/checkout',
    Buffer.from(Buffer.from('x-access-token:known-value').toString('base64')),
    'secret of this run',
  ],
  [
    'a key',
    Buffer.from('-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----'),
    'private key',
  ],
])('finds a secret in %s', (_, bytes, name) => {
  expect(findSecrets(bytes, ['known-value']).map((found) => found.name)).toContain(name);
});
