/** Where workspaces and mirrors are: names that cannot lead elsewhere, made beside themselves, removed whole. */
import { randomUUID } from 'node:crypto';
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { absent } from './plain-files.ts';

/**
 * `{root}/{owner}/{repo}/issue-{N}`, by the names that a thread began with: a renamed repository moves no workspace, and
 * the next one of the old name gets none that is in use.
 * @param key of the thread: `owner/repo#42`, or `owner/repo#42~1f2e` for the second one of that name
 * @throws AppError `invalid_input` for what is no such key.
 */
export function workspaceDirectory(root: string, key: string): string {
  const [, repository = '', name] = /^([^#]*)#([1-9]\d{0,15}(?:~[0-9a-f]{4})?)$/.exec(key) ?? [];
  if (!name) throw new AppError('invalid_input', `${shown(key)} names no issue or pull request.`);
  return join(root, ...partsOf(repository), `issue-${name}`);
}

/** `{dataDir}/mirrors/{owner}/{repo}.git`. @throws AppError `invalid_input` for what is no repository's name. */
export function mirrorDirectory(dataDir: string, repository: string): string {
  const [owner, name] = partsOf(repository);
  return join(dataDir, 'mirrors', owner, `${name}.git`);
}

/** A name that nothing else has, in the same parent: what is made there is renamed to `directory` once it is whole. */
export function unfinished(directory: string): string {
  return `${directory}.new-${randomUUID()}`;
}

/** Removes what killed processes have left beside `directory`; no other process may be at work on the same one. */
export async function removeUnfinished(directory: string): Promise<void> {
  const names = await readdir(dirname(directory)).catch(absent);
  const own = `${basename(directory)}.`;
  for (const name of names ?? [])
    if (name.startsWith(`${own}new-`) || name.startsWith(`${own}old-`))
      await removeTree(join(dirname(directory), name));
}

/**
 * Removes a workspace. It is taken out of its place first, so that a half-removed one is never taken for whole.
 * Only once nothing runs in it any more: what changes the tree meanwhile could lead the removal elsewhere.
 */
export async function removeWorkspace(directory: string): Promise<void> {
  const gone = `${directory}.old-${randomUUID()}`;
  await rename(directory, gone).catch(absent);
  await removeUnfinished(directory);
}

/** GitHub's own rules for names, and nothing that a path would understand. */
function partsOf(repository: string): [owner: string, name: string] {
  const [owner = '', name = '', ...more] = repository.split('/');
  const isPlain =
    more.length === 0 &&
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(owner) &&
    /^[A-Za-z0-9._-]{1,100}$/.test(name) &&
    !/^\.{1,2}$/.test(name);
  if (isPlain) return [owner, name];
  throw new AppError(
    'invalid_input',
    `${shown(repository)} is not the name of a repository, \`owner/repo\`.`,
  );
}

async function removeTree(directory: string): Promise<void> {
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
    // Package caches and build tools make their directories read-only.
    await makeWritable(directory);
    await remove();
  });
}

async function makeWritable(directory: string): Promise<void> {
  // `lstat`: the mode of what a link leads to is not ours to change.
  if (!(await lstat(directory).catch(absent))?.isDirectory()) return;
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
}
