/** Reads what Claude could have planted: only real directories and plain files, never through a symbolic link. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';

/**
 * True when every part of `relative` below `root`, and `root` itself, is a real directory; false when one is missing.
 * @throws AppError `gate_refused` when one is a link or a file: a `.git` or `objects` that leads to another
 * repository would publish that repository's commits (gate.attacks.test.ts, "foreign").
 */
export async function isRealDirectory(root: string, relative = ''): Promise<boolean> {
  let path = root;
  for (const part of ['', ...relative.split('/').filter(Boolean)]) {
    path = join(path, part);
    const found = await lstat(path).catch(absent);
    if (!found) return false;
    if (!found.isDirectory()) throw notPlain(path, 'is not a real directory');
  }
  return true;
}

/** The names in a real directory, [] when it is missing. */
export async function listDirectory(root: string, relative: string): Promise<string[]> {
  return (await isRealDirectory(root, relative)) ? readdir(join(root, relative)) : [];
}

/**
 * Opens a plain file for reading, null when it is missing; the caller closes it.
 * @throws AppError `gate_refused` when it or a directory above it is a link, a device, a pipe.
 */
export async function openPlain(root: string, relative: string): Promise<FileHandle | null> {
  const parent = relative.split('/').slice(0, -1).join('/');
  if (!(await isRealDirectory(root, parent))) return null;
  const path = join(root, relative);
  // O_NONBLOCK: a pipe planted as a file must not make us wait for a writer.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw notPlain(path, `cannot be read as a plain file (${error.code})`, error);
  });
  if (file && !(await file.stat()).isFile()) {
    await file.close();
    throw notPlain(path, 'is not a plain file');
  }
  return file;
}

/** The bytes of a plain file of at most `maxBytes`, null when it is missing. */
export async function readPlain(root: string, relative: string, maxBytes: number): Promise<Buffer | null> {
  const file = await openPlain(root, relative);
  if (!file) return null;
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw notPlain(join(root, relative), `is larger than ${maxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** For `.catch`: undefined when the path does not exist, any other error goes on. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

function notPlain(path: string, what: string, cause?: unknown): AppError {
  return new AppError('gate_refused', `\`${path}\` ${what}, so nothing was read through it.`, {
    cause,
    remedy:
      'Work in the repository as it was checked out: `.git` and what is in it must be plain directories and files.',
  });
}
