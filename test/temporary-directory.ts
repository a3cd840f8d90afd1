/** The one directory below which a run of the tests puts all of its files: in memory, where the machine has room there. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
/** A whole run has a few hundred MiB at a time. */
const enough = 4 * 2 ** 30;

/**
 * Tests make and remove small files by the thousand. On a disk, finding a place for each of them and syncing what Git and
 * PostgreSQL want to have kept is a sixth of all their work. Who sets TMPDIR decides.
 */
export default function setup(): () => void {
  const directory = mkdtempSync(join(!process.env.TMPDIR && hasRoom() ? memory : tmpdir(), 'fh-'));
  // As /tmp is: tests run programs as other users, too.
  chmodSync(directory, 0o1777);
  process.env.TMPDIR = directory;
  process.env.FORGEHAND_TEST_DIRECTORY = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function hasRoom(): boolean {
  try {
    const mount = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .findLast(([, place]) => place === memory);
    const runsPrograms = mount?.[2] === 'tmpfs' && !mount[3]?.split(',').includes('noexec');
    const { bavail, bsize } = statfsSync(memory);
    return runsPrograms && Math.min(bavail * bsize, process.availableMemory()) >= enough;
  } catch {
    return false;
  }
}
