/** Claude's process: spawned so that it dies with its parent, and found again by the mark in its environment. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk/core';
import { runMark } from '../words/mark.ts';

const run = promisify(execFile);
const parentDeathKills = ['--pdeathsig', 'KILL', '--'];
let setpriv: Promise<string | null> | undefined;

/**
 * Linux's way to die with the parent; elsewhere the end of the input does it, more slowly. It is tried once: BusyBox
 * has a program of the same name that does not know how.
 */
export function findSetpriv(): Promise<string | null> {
  setpriv ??=
    process.platform === 'linux' ? firstWorking(['/usr/bin/setpriv', '/bin/setpriv']) : Promise.resolve(null);
  return setpriv;
}

async function firstWorking(paths: string[]): Promise<string | null> {
  for (const path of paths) {
    const works = await run(path, [...parentDeathKills, 'true'], { timeout: 5_000 }).catch(() => null);
    if (works) return path;
  }
  return null;
}

/** Characters of standard error that are kept. */
const longestLastWords = 2_000;

export interface Claude extends SpawnedProcess {
  /** The end of what it wrote to standard error: why it could not go on, when it could not. */
  lastWords(): string;
}

/** For the Agent SDK's `spawnClaudeCodeProcess`. `onSpawn` gets the process id. @param setpriv as `findSetpriv` found it. */
export function spawnClaude(
  options: SpawnOptions,
  { setpriv, onSpawn }: { setpriv: string | null; onSpawn(pid: number): void },
): Claude {
  const [command, args] = setpriv
    ? [setpriv, [...parentDeathKills, options.command, ...options.args]]
    : [options.command, options.args];
  const child: ChildProcess = spawn(command, args, {
    cwd: options.cwd,
    env: options.env as NodeJS.ProcessEnv,
    signal: options.signal,
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group: a Ctrl-C or the runner's cancel reaches us first, and we end it in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-longestLastWords);
  });
  if (child.pid !== undefined) onSpawn(child.pid);
  return Object.assign(child as unknown as SpawnedProcess, { lastWords: () => said.trim() });
}

/**
 * Ends every process that carries the mark, whatever session or group it moved to. Linux reads `/proc`; elsewhere
 * only the process group of `pid` can be ended. Answers how many processes were found.
 */
export async function endProcesses(mark: string, pid: number | null): Promise<number> {
  let found = 0;
  // The second SIGKILL is for what was started while the first went round.
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    const targets = process.platform === 'linux' ? marked(mark) : group(pid);
    if (targets.length === 0) return found;
    found = Math.max(found, targets.length);
    for (const target of targets) signalQuietly(target, signal);
    for (let waited = 0; waited < 1000 && targets.some(isAlive); waited += 25) await sleep(25);
  }
  return found;
}

function marked(mark: string): number[] {
  const wanted = `${runMark}=${mark}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(wanted));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone meanwhile, or another user's
  }
}

function group(pid: number | null): number[] {
  return pid !== null && isAlive(-pid) ? [-pid] : [];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers to signal 0 until its parent has waited for it.
    return (
      pid < 0 ||
      process.platform !== 'linux' ||
      !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    );
  } catch {
    return false;
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone meanwhile
  }
}
