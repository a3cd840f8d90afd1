/** Who can be killed in a chaos story, how each is found on this machine, and its death by SIGKILL. */
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const victims = ['server', 'session', 'claude', 'database'] as const;
export type Victim = (typeof victims)[number];

export interface Place {
  dataDir: string;
  /** `owner/repo#42` */
  key: string;
}

/** The victim's processes that are alive now. */
export function find(victim: Victim, { dataDir, key }: Place): number[] {
  if (victim === 'server') return serverOf(dataDir);
  if (victim === 'session') return sessionsOf(dataDir, key);
  if (victim === 'claude') return claudesOf(sessionsOf(dataDir, key));
  return postgresOf(dataDir);
}

/** Kills all of them at once, and waits until they are gone. Answers how many there were. */
export async function kill(victim: Victim, place: Place): Promise<number> {
  const found = find(victim, place);
  for (const pid of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended just now.
    }
  }
  while (found.some(isAlive)) await sleep(5);
  return found.length;
}

/** Session processes of one thread: Node with our program, not the tmux that was asked to start it. */
export function sessionsOf(dataDir: string, key: string): number[] {
  return sessionProcesses(dataDir).flatMap(({ pid, key: its }) => (its === key ? [pid] : []));
}

/** All session processes of a data directory with the key of each one's thread. */
export function sessionProcesses(dataDir: string): { pid: number; key: string }[] {
  const found = processes().flatMap((pid) => {
    const parent = Number(statOf(pid)[1]);
    const args = argumentsOf(pid);
    const at = args.indexOf('session');
    const configuration = args[args.indexOf('--configuration') + 1] ?? '';
    const isOne = /(^|\/)node$/.test(args[0]!) && /forgehand\.mjs$/.test(args[at - 1] ?? '');
    return isOne && configuration.startsWith(`${dataDir}/`) ? [{ pid, parent, key: args[at + 1]! }] : [];
  });
  // A process that is just becoming another program still looks like the one that started it.
  return found.filter(({ parent }) => !found.some(({ pid }) => pid === parent));
}

function serverOf(dataDir: string): number[] {
  try {
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'serve.json'), 'utf8')) as { pid: number };
    return isAlive(pid) ? [pid] : [];
  } catch {
    return [];
  }
}

/** Claude Code itself, deep below the session's process: in its fence, under whoever set that up. */
function claudesOf(sessions: number[]): number[] {
  const parents = new Map(processes().map((pid) => [pid, Number(statOf(pid)[1])]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && parent > 1 && (sessions.includes(parent) || isBelow(parent));
  };
  return [...parents.keys()].filter((pid) => isBelow(pid) && isClaude(pid));
}

function isClaude(pid: number): boolean {
  try {
    return /\/claude$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}

/** The postmaster and all that it has started: each works in its data directory. */
function postgresOf(dataDir: string): number[] {
  const data = join(realpathSync(dataDir), 'postgres', 'data');
  return processes().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === data && /postgres/.test(argumentsOf(pid)[0] ?? '');
    } catch {
      return false;
    }
  });
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** State and what follows it; a dead process whose parent has not looked yet is a zombie. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return ['Z'];
  }
}

export function isAlive(pid: number): boolean {
  return statOf(pid)[0] !== 'Z';
}
