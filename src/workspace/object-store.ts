/** Bare repositories of the host's own making, and the copying of objects into them as plain files. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../words/errors.ts';
import { isRealDirectory, listDirectory, openPlain } from './plain-files.ts';

/** A repository without hooks whose configuration is two lines: there is nothing in it that could run. */
export async function makeRepository(directory: string, { borrowFrom = [] as string[] } = {}): Promise<void> {
  await mkdir(join(directory, 'objects/info'), { recursive: true, mode: 0o700 });
  await mkdir(join(directory, 'refs'));
  await mkdir(join(directory, 'info'));
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(join(directory, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n');
  if (borrowFrom.length)
    await writeFile(
      join(directory, 'objects/info/alternates'),
      borrowFrom.map((path) => `${path}\n`).join(''),
    );
}

/**
 * Copies every object of a checkout that nobody hostile has had yet. Copied, not linked: Claude could change a linked
 * file in place. @returns true when the store is that of a partial clone.
 */
export async function copyTrustedObjects(gitDirectory: string, repository: string): Promise<boolean> {
  const names = await objectFiles(gitDirectory, /\.(?:pack|idx|rev|promisor)$/);
  for (const name of names) {
    await mkdir(join(repository, name, '..'), { recursive: true });
    await copyFile(join(gitDirectory, name), join(repository, name), constants.COPYFILE_FICLONE);
  }
  const alternates = await readFile(join(gitDirectory, 'objects/info/alternates'), 'utf8').catch(() => '');
  const borrowed = alternates.split('\n').filter((line) => line && !line.startsWith('#'));
  if (borrowed.length) {
    // A store that the host's own clone borrows from (`git clone --reference`): outside the checkout, so it stays.
    const paths = borrowed.map((line) => `${resolve(gitDirectory, 'objects', line)}\n`);
    await writeFile(join(repository, 'objects/info/alternates'), paths.join(''));
  }
  return names.some((name) => name.endsWith('.promisor'));
}

/**
 * Copies what the gate does not have out of a hostile `.git`: loose objects and packs, plain files in real directories
 * only. Indexes, `info/alternates`, commit graphs and all else are left behind, as they could lie or lead elsewhere.
 * @returns the copied packs, still without index.
 * @throws AppError `gate_refused` when something is no plain file or there is more than `maxBytes`.
 */
export async function copyHostileObjects(
  gitDirectory: string,
  quarantine: string,
  { known, maxBytes }: { known: string; maxBytes: number },
): Promise<string[]> {
  let bytes = 0;
  const packs: string[] = [];
  const have = new Set(await objectFiles(known, /\.pack$/));
  for (const name of await objectFiles(gitDirectory, /\.pack$/)) {
    if (have.has(name)) continue;
    const file = await openPlain(gitDirectory, name);
    if (!file) continue;
    try {
      bytes += (await file.stat()).size;
      if (bytes > maxBytes) throw tooMuch(maxBytes);
      await mkdir(join(quarantine, name, '..'), { recursive: true });
      await writeFile(join(quarantine, name), file.createReadStream({ autoClose: false }), { flag: 'wx' });
    } finally {
      await file.close();
    }
    if (name.endsWith('.pack')) packs.push(join(quarantine, name));
  }
  return packs;
}

/** Object files of a store, as paths below its Git directory. @throws AppError `gate_refused` when a directory is a link. */
async function objectFiles(gitDirectory: string, inPack: RegExp): Promise<string[]> {
  if (!(await isRealDirectory(gitDirectory, 'objects'))) return [];
  const found: string[] = [];
  for (const name of await listDirectory(gitDirectory, 'objects')) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    const objects = await listDirectory(gitDirectory, `objects/${name}`);
    found.push(
      ...objects
        .filter((object) => /^[0-9a-f]{38}$/.test(object))
        .map((object) => `objects/${name}/${object}`),
    );
  }
  const packs = await listDirectory(gitDirectory, 'objects/pack');
  const wanted = packs.filter((name) => /^pack-[0-9a-f]{40}\.\w+$/.test(name) && inPack.test(name));
  return [...found, ...wanted.map((name) => `objects/pack/${name}`)];
}

function tooMuch(maxBytes: number): AppError {
  return new AppError(
    'gate_refused',
    `The repository has grown by more than ${Math.round(maxBytes / 2 ** 20)} MiB, too much to publish.`,
    {
      remedy: 'Take large files out of the commits (amend them) and run `git gc --prune=now`.',
    },
  );
}
