/** Files that only the server's own user may read, written whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { AppError } from '../words/errors.ts';

/** @throws AppError `internal` when the disk is full or the directory cannot be written. */
export function writePrivately(path: string, text: string): void {
  const making = `${path}.${process.pid}`;
  try {
    rmSync(making, { force: true });
    // 'wx': never through a link that somebody has put there.
    const file = openSync(making, 'wx', 0o600);
    try {
      // Not writeSync: on a full disk it writes a part and says nothing.
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(making, path);
  } catch (error) {
    rmSync(making, { force: true });
    throw new AppError('internal', `${path} cannot be written: ${(error as Error).message}.`, {
      cause: error,
      remedy: 'Make room on the disk of DATA_DIR, or set DATA_DIR to a directory that this user can write.',
    });
  }
}
