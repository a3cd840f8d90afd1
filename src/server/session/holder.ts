/** Names a process so that others on its machine can tell whether it still lives, and never take another for it. */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Holder } from '../store/leases.ts';

/**
 * Machine, boot, process table and data directory: leases of one such name can be judged by process id. A container
 * that was started again has another process table, and with it another name.
 */
export function hostName(dataDir: string): string {
  const boot = read('/proc/sys/kernel/random/boot_id') ?? hostname();
  let table = '';
  try {
    table = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux: one process table for each machine.
  }
  return [hostname(), boot, table, dataDir].filter(Boolean).join(' ');
}

/**
 * A process of this machine, this one unless told, as the holder of a lease.
 * @param mark of every process of the session; a new one unless told
 */
export function ourselves(host: string, mark: string = randomUUID(), pid: number = process.pid): Holder {
  return { host, pid, pidStarted: startOf(pid), mark };
}

/** Whether the process that a lease names is still there. */
export function isAlive({ pid, pidStarted }: { pid: number; pidStarted: string | null }): boolean {
  // 0 and below are whole groups of processes, our own among them.
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process is there all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const started = startOf(pid);
  // Where the kernel tells, a holder without a start was gone when it was named: the number is another's by now.
  return started !== 'zombie' && (started === null || started === pidStarted);
}

/** Clock ticks since boot at which the process started; null where the kernel does not tell. */
function startOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  if (!stat) return null;
  // The name in parentheses may hold anything, spaces and parentheses too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? null);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
