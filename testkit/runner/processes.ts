/** Reads the processes of this machine from /proc; on a system without it there are none to see. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessEntry {
  pid: number;
  parent: number;
  session: number;
  /** Clock ticks after boot; with the pid it names a process for good, as pids are used again. */
  startTime: string;
}

/** The live ones of these processes, every one unless told; zombies are dead and left out. */
export function listProcesses(pids = processIds()): ProcessEntry[] {
  return pids.flatMap((pid) => {
    const stat = readProcessFile(pid, 'stat');
    // The name in parentheses may contain anything, also parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent, , session] = fields;
    const startTime = fields[19];
    if (!state || !startTime || state === 'Z' || state === 'X') return [];
    return [{ pid, parent: Number(parent), session: Number(session), startTime }];
  });
}

/** Whether the environment that the process was started with has `NAME=value`; false when it may not be read. */
export function hasVariable(pid: number, variable: string): boolean {
  return readProcessFile(pid, 'environ').split('\0').includes(variable);
}

/** The command line with spaces between the arguments; '' when the process is gone. */
export function commandOf(pid: number): string {
  return readProcessFile(pid, 'cmdline').split('\0').filter(Boolean).join(' ');
}

/** Bytes of memory that the process answers for: its own, and its share of what it shares. 0 when it is gone. */
export function memoryOf(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readProcessFile(pid, 'smaps_rollup'))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Those of every process. */
export function processIds(): number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function readProcessFile(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // Gone in the meantime, or not ours to read.
    return '';
  }
}
