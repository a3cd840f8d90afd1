/** Attacks on the commit of uncommitted work. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellGit, write } from '../local-remote.test-support.ts';
import { type Attack, filterConfig, plantHooks, set } from './attack.test-support.ts';
import { claudeCommits } from './gate.test-support.ts';

/** A repository with a configuration that would run a command as soon as git looks into it, and a file that is dirty. */
function hostileRepository(path: string, script: string): void {
  shellGit('/', 'init', '-q', path);
  claudeCommits(path, { 'inner.txt': 'inner\n', '.gitattributes': '* filter=x diff=x\n' });
  set(
    path,
    'core.fsmonitor',
    script,
    'core.sshCommand',
    script,
    ...filterConfig(script),
    'diff.x.textconv',
    script,
  );
  plantHooks(join(path, '.git/hooks'), script);
  writeFileSync(join(path, 'inner.txt'), 'dirty\n');
}

export const leftoverAttacks: Attack[] = [
  {
    name: 'a gitlink whose own configuration runs commands',
    ends: 'refused',
    plant: ({ directory, script }) => {
      hostileRepository(join(directory, 'sub'), script);
      const sub = shellGit(join(directory, 'sub'), '-c', 'core.fsmonitor=false', 'rev-parse', 'HEAD');
      shellGit(directory, 'update-index', '--add', '--cacheinfo', `160000,${sub},sub`);
      shellGit(directory, 'commit', '-q', '-m', 'Submodule');
      set(
        directory,
        'push.recurseSubmodules',
        'on-demand',
        'diff.ignoreSubmodules',
        'none',
        'submodule.recurse',
        'true',
      );
    },
  },
  {
    name: 'a repository of its own among the new files',
    ends: 'published',
    plant: ({ directory, script }) => hostileRepository(join(directory, 'nested'), script),
  },
  {
    name: 'a repository of its own around tracked files',
    ends: 'published',
    plant: ({ directory, script }) => hostileRepository(join(directory, 'lib'), script),
  },
  {
    name: 'a file that names a hostile repository as its own',
    ends: 'published',
    plant: ({ directory, script }) => {
      hostileRepository(join(directory, '.git/hostile'), script);
      write(directory, 'nested/.git', `gitdir: ${directory}/.git/hostile/.git\n`);
      write(directory, 'nested/inner.txt', 'inner\n');
    },
  },
  {
    name: 'Git LFS attributes with a filter of one’s own',
    ends: 'published',
    plant: ({ directory, script }) => {
      set(directory, ...filterConfig(script), 'filter.lfs.required', 'true');
      write(directory, '.git/info/attributes', '*.txt filter=lfs\n');
      write(directory, 'art.psd', 'pixels');
      write(directory, '.gitattributes', '*.psd filter=lfs diff=lfs merge=lfs\n');
    },
  },
  {
    name: 'attributes that ask for an encoding which no file has',
    ends: 'published',
    leaves: true,
    plant: ({ directory }) => write(directory, '.gitattributes', '* working-tree-encoding=UTF-16\n'),
  },
  {
    name: 'attributes and ignore files that are links',
    ends: 'published',
    plant: ({ directory, sibling }) => {
      symlinkSync(join(sibling, 'private/b.txt'), join(directory, '.gitattributes'));
      symlinkSync(join(sibling, 'private/b.txt'), join(directory, '.gitignore'));
    },
  },
  {
    name: 'an index that names a monitor and marks files',
    ends: 'published',
    plant: ({ directory, script }) => {
      shellGit(directory, 'update-index', '--assume-unchanged', 'a.txt');
      set(directory, 'core.fsmonitor', script, 'core.untrackedCache', 'true', 'core.splitIndex', 'true');
    },
  },
  {
    name: 'excludes that hide the work',
    ends: 'published',
    plant: ({ directory }) => write(directory, '.git/info/exclude', '*\n'),
  },
];
