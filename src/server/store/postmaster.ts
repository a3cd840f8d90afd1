/** The embedded PostgreSQL's processes: making the cluster, starting, finding what runs already, ending. */
import { execFile, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { AppError } from '../../words/errors.ts';
import type { Account } from './postgres-account.ts';
import type { Binaries } from './postgres-binaries.ts';

export const superuser = 'forgehand';

export interface Postmaster {
  pid: number;
  /** The directory of its socket. */
  socket: string;
}

export interface Cluster {
  data: string;
  log: string;
  /** Where its socket is to be. */
  socket: string;
  account: Account | null;
  binaries: Binaries;
}

/** Makes the cluster beside its place and moves it there, so that a half-made one is never taken for one. */
export async function makeCluster({ data, account, binaries }: Cluster): Promise<void> {
  const making = `${data}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o700 });
  if (account) chownSync(making, account.uid, account.gid);
  const args = ['-D', making, '-U', superuser, '--auth=trust', '--encoding=UTF8', '--no-locale'];
  try {
    await promisify(execFile)(binaries.initdb, [...args, '--no-instructions'], {
      ...as(account),
      cwd: making,
      timeout: 120_000,
    });
    renameSync(making, data);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process was faster.
    if (existsSync(`${data}/PG_VERSION`)) return;
    const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new AppError('internal', `The embedded PostgreSQL's data cannot be made in ${data}: ${said}`, {
      cause: error,
      remedy: 'Check that the disk of DATA_DIR has room and can be written, or set DATABASE_URL.',
    });
  }
}

/** Starts a postmaster that outlives this process. `ended` says that it gave up, for example as another one runs. */
export function startPostmaster(
  cluster: Cluster,
  settings: Record<string, string>,
): { ended: Promise<void> } {
  const { data, log, socket, account, binaries } = cluster;
  const all = { listen_addresses: '', unix_socket_permissions: '0700', ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  if (existsSync(log) && statSync(log).size > 5_000_000) renameSync(log, `${log}.1`);
  const output = openSync(log, 'a', 0o600);
  const child = spawn(binaries.postgres, ['-D', data, '-k', socket, ...options], {
    ...as(account),
    cwd: data,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  return {
    ended: new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    }),
  };
}

/** The postmaster of `data` as its own file tells it, when that process is alive and is one. */
export function runningPostmaster(data: string): Postmaster | null {
  let lines: string[];
  try {
    lines = readFileSync(`${data}/postmaster.pid`, 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  const socket = lines[4]?.trim();
  if (!(pid > 1) || !socket || !isAlive(pid)) return null;
  return worksIn(data, pid) === false ? null : { pid, socket };
}

/**
 * Clears the way for a new postmaster, which PostgreSQL refuses beside what a killed one left: its children are ended, and
 * a lock file is removed that is empty or names another program. Answers false while another process's postmaster is
 * coming up, which must be left alone: several of ours watch over one cluster, and all see its end at once.
 */
export function clearLeftovers(data: string, socket: string | null): boolean {
  if (runningPostmaster(data)) return false;
  const found = processesIn(data);
  if (!found) return true;
  const orphans = found.filter(({ isChild, parent }) => isChild && !found.some(({ pid }) => pid === parent));
  for (const { pid } of orphans) signal(pid, 'SIGKILL');
  if (found.some(({ isChild }) => !isChild)) return false;
  if (found.length === 0) {
    removeStale(`${data}/postmaster.pid`, data);
    if (socket) removeStale(`${socket}/.s.PGSQL.5432.lock`, data);
  }
  return true;
}

/** A file this young may be a postmaster's that came up since its processes were looked for. */
const youngMs = 1_000;

function removeStale(file: string, data: string): void {
  const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
  if (age < youngMs) return;
  const pid = Number(readLine(file));
  const isAnothers = pid > 1 && isAlive(pid) && worksIn(data, pid) === false;
  // Empty: its postmaster was killed between making it and writing its number there.
  if (!(pid > 1) || isAnothers) rmSync(file, { force: true });
}

export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

/** Each of PostgreSQL's processes works in the data directory. Null where the system does not tell. */
function worksIn(data: string, pid: number): boolean | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === data;
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT' && existsSync('/proc/self/cwd') ? false : null;
  }
}

interface Process {
  pid: number;
  parent: number;
  /** A postmaster's command line begins with its program; those of its children with `postgres: `. */
  isChild: boolean;
}

function processesIn(data: string): Process[] | null {
  if (!existsSync('/proc/self/cwd')) return null;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => pid !== process.pid && worksIn(data, pid) && /postgres/.test(readLine(`/proc/${pid}/comm`)),
    )
    .map((pid) => ({
      pid,
      parent: Number(/\) \S (\d+)/.exec(readLine(`/proc/${pid}/stat`))?.[1] ?? 0),
      isChild: readLine(`/proc/${pid}/cmdline`).startsWith('postgres: '),
    }));
}

function readLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n')[0] ?? '';
  } catch {
    return '';
  }
}

/** PostgreSQL gets nothing of our environment: it holds credentials. */
function as(account: Account | null) {
  return {
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
    env: { PATH: '/usr/bin:/bin', TZ: 'UTC' },
  };
}
