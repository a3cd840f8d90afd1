/** Attacks that would publish what belongs to another repository on the machine. */
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { shellGit, write } from '../local-remote.test-support.ts';
import { type Attack, looseObject, taskRef } from './attack.test-support.ts';

export const foreignAttacks: Attack[] = [
  {
    name: 'foreign: .git is a file that names a sibling',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, '.git'), { recursive: true });
      write(directory, '.git', `gitdir: ${sibling}/.git\n`);
    },
  },
  {
    name: 'foreign: .git is a link to a sibling',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, '.git'), { recursive: true });
      symlinkSync(join(sibling, '.git'), join(directory, '.git'));
    },
  },
  {
    name: 'foreign: the workspace itself is a link to a sibling',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      renameSync(directory, `${directory}-moved`);
      symlinkSync(sibling, directory);
    },
  },
  {
    name: 'foreign: the branch is a link to a sibling’s, with alternates',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, taskRef));
      symlinkSync(join(sibling, '.git/refs/heads/main'), join(directory, taskRef));
      write(directory, '.git/objects/info/alternates', `${sibling}/.git/objects\n`);
    },
  },
  {
    name: 'foreign: HEAD is a link to a sibling’s branch',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, '.git/HEAD'));
      symlinkSync(join(sibling, '.git/refs/heads/main'), join(directory, '.git/HEAD'));
    },
  },
  {
    name: 'foreign: HEAD names a ref outside of the repository',
    ends: 'refused',
    plant: ({ directory }) =>
      write(directory, '.git/HEAD', 'ref: refs/heads/../../../sibling/.git/refs/heads/main\n'),
  },
  {
    name: 'foreign: packed-refs is a link',
    ends: 'refused',
    plant: ({ directory, sibling }) => {
      shellGit(sibling, 'pack-refs', '--all');
      rmSync(join(directory, taskRef));
      rmSync(join(directory, '.git/packed-refs'), { force: true });
      symlinkSync(join(sibling, '.git/packed-refs'), join(directory, '.git/packed-refs'));
    },
  },
  {
    name: 'foreign: alternates lead to a sibling, the branch names its commit',
    ends: 'refused',
    plant: ({ directory, sibling, privateSha }) => {
      write(directory, '.git/objects/info/alternates', `${sibling}/.git/objects\n`);
      write(directory, taskRef, `${privateSha}\n`);
    },
  },
  {
    name: 'foreign: objects is a link to a sibling’s',
    ends: 'refused',
    plant: ({ directory, sibling, privateSha }) => {
      rmSync(join(directory, '.git/objects'), { recursive: true });
      symlinkSync(join(sibling, '.git/objects'), join(directory, '.git/objects'));
      write(directory, taskRef, `${privateSha}\n`);
    },
  },
  {
    name: 'foreign: one directory of objects is a link',
    ends: 'refused',
    plant: ({ directory, sibling, privateSha }) => {
      const name = privateSha.slice(0, 2);
      rmSync(join(directory, '.git/objects', name), { recursive: true, force: true });
      symlinkSync(join(sibling, '.git/objects', name), join(directory, '.git/objects', name));
      write(directory, taskRef, `${privateSha}\n`);
    },
  },
  {
    name: 'foreign: one object is a link',
    ends: 'refused',
    plant: ({ directory, sibling, privateSha }) => {
      const path = looseObject(directory, privateSha);
      mkdirSync(join(path, '..'), { recursive: true });
      symlinkSync(looseObject(sibling, privateSha), path);
      write(directory, taskRef, `${privateSha}\n`);
    },
  },
  {
    name: 'foreign: a directory of the work tree is a link to a sibling’s',
    ends: 'published',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, 'lib'), { recursive: true });
      symlinkSync(join(sibling, 'private'), join(directory, 'lib'));
    },
  },
  {
    name: 'foreign: a file of the work tree is a link to a sibling’s',
    ends: 'published',
    plant: ({ directory, sibling }) => {
      rmSync(join(directory, 'lib/b.txt'));
      symlinkSync(join(sibling, 'private/b.txt'), join(directory, 'lib/b.txt'));
    },
  },
  {
    name: 'a pipe in place of HEAD',
    ends: 'refused',
    plant: ({ directory }) => {
      shellGit(directory, '-c', 'alias.pipe=!rm .git/HEAD && mkfifo .git/HEAD', 'pipe');
    },
  },
];
