import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { commit, makeProject, shellGit, write } from '../local-remote.test-support.ts';
import {
  claudeCommits,
  type Scene,
  type SceneOptions,
  scene,
  target,
  whyNoFence,
} from './gate.test-support.ts';

const scenes: Scene[] = [];
afterEach(async () => {
  for (const { fence } of scenes.splice(0)) await fence?.close();
});

async function opened(options: SceneOptions): Promise<Scene> {
  const made = await scene(options);
  scenes.push(made);
  return made;
}

describe.each([
  ['without a fence', false],
  ['through a fence', true],
] as const)('leftovers %s', (_, fenced) => {
  describe.skipIf(fenced && whyNoFence)('of a run', () => {
    test('commits leftovers: changed, new, deleted, executable, linked; not what is ignored', async () => {
      const { directory, publish, project, base } = await opened({
        fenced,
        files: { 'a.txt': '1', 'gone.txt': '2', 'dir/file': '3', '.gitignore': 'out/\n' },
      });
      write(directory, 'a.txt', 'changed');
      write(directory, 'new/deep/file ü "x".txt', 'new');
      write(directory, 'out/build.js', 'ignored');
      write(directory, 'run.sh', '#!/bin/sh\n');
      chmodSync(join(directory, 'run.sh'), 0o755);
      rmSync(join(directory, 'gone.txt'));
      rmSync(join(directory, 'dir'), { recursive: true });
      symlinkSync('a.txt', join(directory, 'dir'));
      const published = await publish();
      expect(published).toMatchObject({ outcome: 'pushed', commits: 1, left: [] });
      const raw = shellGit(
        project.bare,
        '-c',
        'core.quotePath=false',
        'diff-tree',
        '-r',
        '--no-renames',
        base,
        published.sha,
      );
      expect(raw.split('\n').map((line) => `${line.split(' ')[1]} ${line.split('\t')[1]}`)).toEqual([
        '100644 a.txt',
        '120000 dir',
        '000000 dir/file',
        '000000 gone.txt',
        '100644 "new/deep/file ü \\"x\\".txt"',
        '100755 run.sh',
      ]);
      expect(shellGit(project.bare, 'log', '-1', '--format=%an %cn %s', published.sha)).toBe(
        'claude[bot] claude[bot] Save uncommitted work',
      );
    });

    test('leaves alone what was uncommitted before Claude came', async () => {
      const { directory, publish } = await opened({
        fenced,
        files: { 'a.txt': '1', 'b.txt': '2', 'c.txt': '3' },
        beforeRun: (checkout) => {
          write(checkout, 'gha-creds-123.json', '{}');
          write(checkout, 'a.txt', 'built');
          write(checkout, 'b.txt', 'built');
          rmSync(join(checkout, 'c.txt'));
        },
      });
      write(directory, 'b.txt', 'Claude’s');
      const published = await publish();
      expect(published.outcome).toBe('pushed');
      // Only through a fence is the commit in the checkout as well.
      expect(shellGit(directory, 'rev-parse', 'HEAD') === published.sha).toBe(fenced);
      const bare = join(directory, '../server/owner/repo.git');
      expect(shellGit(bare, 'diff-tree', '-r', '--name-only', `${published.sha}~1`, published.sha)).toBe(
        'b.txt',
      );
    });

    test('leaves alone what an earlier step had put into the index', async () => {
      const { directory, publish, onServer } = await opened({
        fenced,
        files: { 'a.txt': '1', 'b.txt': '2' },
        beforeRun: (checkout) => {
          write(checkout, 'built.js', 'built');
          write(checkout, 'a.txt', 'built');
          shellGit(checkout, 'rm', '-q', 'b.txt');
          shellGit(checkout, 'add', '-A');
        },
      });
      expect(await publish()).toMatchObject({ outcome: 'nothing', left: [] });
      expect(onServer()).toBeNull();
      expect(shellGit(directory, 'status', '--porcelain')).toBe('M  a.txt\nD  b.txt\nA  built.js');
    });

    test.each(['initialised', 'left alone'])('submodules stay what they are: %s', async (how) => {
      const sub = makeProject({ 'sub.txt': 'sub' });
      const { directory, publish, project, base } = await opened({
        fenced,
        before: ({ source }) => {
          shellGit(source, 'submodule', '--quiet', 'add', `file://${sub.bare}`, 'deps/sub');
          commit(source, {}, 'Submodule');
          shellGit(source, 'push', '-q', 'origin', 'main');
        },
        beforeRun: (checkout) => {
          if (how === 'initialised') shellGit(checkout, 'submodule', '--quiet', 'update', '--init');
        },
      });
      if (how === 'initialised') commit(join(directory, 'deps/sub'), { 'sub.txt': 'Claude’s' });
      write(directory, 'a.txt', 'Claude’s');
      const { sha, outcome } = await publish();
      expect(outcome).toBe('pushed');
      expect(shellGit(project.bare, 'diff-tree', '-r', '--name-only', base, sha)).toBe('a.txt');
    });

    test('line ends of Windows stay in the checkout', async () => {
      const { directory, publish, project, base } = await opened({
        fenced,
        files: { 'a.txt': '1\n', 'b.txt': '2\n', 'c.sh': '3\n', '.gitattributes': '*.sh eol=lf\n' },
        beforeRun: (checkout) => {
          shellGit(checkout, 'config', 'core.autocrlf', 'true');
          for (const name of ['a.txt', 'b.txt', 'c.sh']) rmSync(join(checkout, name));
          shellGit(checkout, 'checkout', '-q', '.');
        },
      });
      expect(readFileSync(join(directory, 'b.txt'), 'utf8')).toBe('2\r\n');
      write(directory, 'a.txt', '1\r\nmore\r\n');
      const { sha, left } = await publish();
      expect(left).toEqual([]);
      expect(shellGit(project.bare, 'diff-tree', '-r', '--name-only', base, sha)).toBe('a.txt');
      expect(shellGit(project.bare, 'cat-file', 'blob', `${sha}:a.txt`)).toBe('1\nmore');
    });

    test('a sparse checkout does not look like deleted files', async () => {
      const { directory, publish } = await opened({
        fenced,
        files: { 'a.txt': '1', 'left/b.txt': '2', 'right/c.txt': '3' },
        beforeRun: (checkout) => shellGit(checkout, 'sparse-checkout', 'set', 'left'),
      });
      expect(existsSync(join(directory, 'right'))).toBe(false);
      expect((await publish()).outcome).toBe('nothing');
      write(directory, 'left/b.txt', 'changed');
      const { sha } = await publish();
      const bare = join(directory, '../server/owner/repo.git');
      expect(shellGit(bare, 'ls-tree', '-r', '--name-only', sha).split('\n')).toEqual([
        'a.txt',
        'left/b.txt',
        'right/c.txt',
      ]);
    });

    test('leaves out, one by one, what must not be published, and keeps it in the patch except for secrets', async () => {
      const { directory, gate, publish, project } = await opened({ fenced });
      write(directory, 'good.txt', 'good');
      write(directory, 'token.txt', `ghp_${'x'.repeat(36)}`);
      write(directory, 'run.bin', 'a\0hunter2-of-this-run\0b');
      write(directory, '.github/workflows/evil.yml', 'on: push');
      write(directory, 'large.bin', 'x'.repeat(70_000));
      symlinkSync('/etc/passwd', join(directory, 'absolute'));
      write(directory, '.gitattributes', '*.psd filter=lfs\n');
      write(directory, 'art.psd', 'pixels');
      shellGit(directory, 'init', '-q', 'nested');
      write(directory, 'nested/inner.txt', 'inner');
      const published = await publish();
      const left = Object.fromEntries(published.left.map(({ path, why }) => [path, why]));
      expect(left).toEqual({
        'token.txt': 'it contains a secret (GitHub token)',
        'run.bin': 'it contains a secret (secret of this run)',
        '.github/workflows/evil.yml': 'it is protected by `protected_paths`',
        'large.bin': 'it is larger than `max_file_kib` (64)',
        absolute: 'is a symbolic link to an absolute path',
        'art.psd': 'it has a `filter` attribute (such as Git LFS)',
        'nested/': 'it is a repository of its own',
      });
      expect(
        shellGit(project.bare, 'diff-tree', '-r', '--name-only', `${published.sha}~1`, published.sha),
      ).toBe('.gitattributes\ngood.txt');
      const file = join(project.root, 'work.patch');
      const patch = await gate.patch(file);
      expect(patch?.left.map(({ path }) => path).sort()).toEqual(['run.bin', 'token.txt']);
      const text = readFileSync(file, 'utf8');
      for (const name of ['evil.yml', 'large.bin', 'absolute', 'art.psd', 'nested/inner.txt'])
        expect(text.includes(`${name}\nnew file mode`), name).toBe(true);
      expect(/ghp_x|hunter2-of/.test(text)).toBe(false);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    });

    test('unchanged LFS files are not reported', async () => {
      const pointer =
        'version https://git-lfs.github.com/spec/v1\noid sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\nsize 3\n';
      const { directory, publish } = await opened({
        fenced,
        files: { '.gitattributes': '*.psd filter=lfs\n', 'art.psd': pointer },
      });
      write(directory, 'art.psd', 'foo');
      expect(await publish()).toMatchObject({ outcome: 'nothing', left: [] });
      write(directory, 'art.psd', 'bar');
      expect(await publish()).toMatchObject({ outcome: 'nothing', left: [{ path: 'art.psd' }] });
    });

    test('too many new files are left, the changed ones go', async () => {
      const { directory, publish } = await opened({ fenced });
      write(directory, 'a.txt', 'changed');
      for (let count = 0; count < 30; count++) write(directory, `out/${count}.js`, 'x');
      const published = await publish();
      expect(published).toMatchObject({ outcome: 'pushed', commits: 1 });
      expect(published.left).toHaveLength(30);
    });

    test('an unfinished merge is not committed but kept', async () => {
      const { directory, gate, publish, project } = await opened({ fenced });
      shellGit(directory, 'checkout', '-q', '-b', 'side');
      claudeCommits(directory, { 'a.txt': 'side\n' });
      shellGit(directory, 'checkout', '-q', target.branch);
      const sha = claudeCommits(directory, { 'a.txt': 'task\n' });
      expect(() => shellGit(directory, 'merge', 'side')).toThrow();
      const published = await publish();
      expect(published).toMatchObject({
        outcome: 'pushed',
        sha,
        left: [{ path: 'a.txt', why: expect.stringContaining('not finished') }],
      });
      await gate.patch(join(project.root, 'work.patch'));
      expect(readFileSync(join(project.root, 'work.patch'), 'utf8')).toContain('<<<<<<< HEAD');
    });

    test('when pushing is impossible the patch has commits and uncommitted work', async () => {
      const { directory, gate, publish, project, server, base } = await opened({ fenced });
      claudeCommits(directory, { 'a.txt': 'committed\n' });
      write(directory, 'b.bin', 'un\0committed');
      server.failures.push(500);
      await expect(publish()).rejects.toMatchObject({ reason: 'github_unavailable' });
      const file = join(project.root, 'work.patch');
      expect(await gate.patch(file)).toEqual({ file, base, left: [] });
      shellGit(project.source, 'apply', '--index', file);
      expect(readFileSync(join(project.source, 'a.txt'), 'utf8')).toBe('committed\n');
      expect(readFileSync(join(project.source, 'b.bin'), 'utf8')).toBe('un\0committed');
    });

    test('the patch is kept even when .git was destroyed', async () => {
      const { directory, gate, project } = await opened({ fenced });
      claudeCommits(directory, { 'a.txt': 'committed\n' });
      renameSync(join(directory, '.git'), join(project.root, 'moved'));
      const patch = await gate.patch(join(project.root, 'work.patch'));
      expect(patch).not.toBeNull();
      expect(readFileSync(patch!.file, 'utf8')).toContain('+committed');
    });

    test('nothing to keep is no patch', async () => {
      const { gate, project } = await opened({ fenced });
      expect(await gate.patch(join(project.root, 'work.patch'))).toBeNull();
    });

    test('a pipe in the work tree does not make anybody wait', async () => {
      const { directory, publish } = await opened({ fenced });
      rmSync(join(directory, 'a.txt'));
      shellGit(directory, '-c', 'alias.pipe=!mkfifo a.txt', 'pipe');
      mkdirSync(join(directory, 'empty'));
      writeFileSync(join(directory, 'b.txt'), 'x');
      expect(await publish()).toMatchObject({ outcome: 'pushed' });
    });

    const only = (when: boolean) => (when ? test : () => undefined);
    only(!fenced)('are not in the checkout, which stays as Claude left it', async () => {
      const { directory, publish } = await opened({ fenced });
      const sha = claudeCommits(directory, { 'a.txt': 'one\n' });
      write(directory, 'b.txt', 'two\n');
      await publish();
      expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(sha);
    });

    only(fenced)('are what the next turn builds on', async () => {
      const { directory, publish, onServer } = await opened({ fenced });
      claudeCommits(directory, { 'a.txt': 'one\n' });
      write(directory, 'b.txt', 'two\n');
      write(directory, '.env.production', 'TOKEN=hunter2-of-this-run\n');
      const first = await publish();
      expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(first.sha);
      expect(shellGit(directory, 'status', '--porcelain')).toBe('?? .env.production');
      rmSync(join(directory, '.env.production'));
      claudeCommits(directory, { 'c.txt': 'three\n' });
      expect(await publish()).toMatchObject({ outcome: 'pushed', commits: 1 });
      expect(shellGit(directory, 'rev-parse', 'HEAD')).toBe(onServer());
    });
  });
});
