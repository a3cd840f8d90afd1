/** Claude's process: spawned so that it dies with its parent, and found again by the mark in its environment. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk/core';
import type { Fence } from '../words/fence.ts';
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

export interface SpawnPlan {
  /** As `findSetpriv` found it. */
  setpriv: string | null;
  /** What Claude runs in; null for none. */
  fence: Fence | null;
  onSpawn(pid: number): void;
}

/** For the Agent SDK's `spawnClaudeCodeProcess`. `onSpawn` gets the process id. */
export function spawnClaude(options: SpawnOptions, { setpriv, fence, onSpawn }: SpawnPlan): Claude {
  const { command, args, env } = fence ? fenced(options, fence) : dyingWithUs(options, setpriv);
  const child: ChildProcess = spawn(command, args, {
    // In a fence the program's own directory is an argument: its user may not be able to enter it out here.
    cwd: fence ? '/' : options.cwd,
    env,
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
  if (child.pid !== undefined) {
    onSpawn(child.pid);
    fence?.started(child.pid, (words) => {
      said = `${said}\n${words}`.slice(-longestLastWords);
    });
  }
  return Object.assign(child as unknown as SpawnedProcess, { lastWords: () => said.trim() });
}

interface Started {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
}

function dyingWithUs({ command, args, env }: SpawnOptions, setpriv: string | null): Started {
  const given = env as NodeJS.ProcessEnv;
  if (!setpriv) return { command, args, env: given };
  return { command: setpriv, args: [...parentDeathKills, command, ...args], env: given };
}

/** bubblewrap dies with us, and everything in the fence with it. */
function fenced(options: SpawnOptions, fence: Fence): Started {
  const { command, args, cwd } = options;
  const env = options.env as Record<string, string>;
  // Where the Agent SDK lays out the conversation that goes on: its own directory, with a name that nobody can guess.
  const { CLAUDE_CONFIG_DIR: configuration = '' } = env;
  const resumed = /\/claude-resume-[0-9a-f-]{36}$/.test(configuration) ? [configuration] : [];
  const settings = args[args.indexOf('--settings') + 1] ?? '';
  const given = args.includes('--settings') && isAbsolute(settings) ? [settings] : [];
  const { owner } = fence;
  for (const path of owner ? [...resumed.flatMap(withContent), ...given] : [])
    chownSync(path, owner!.uid, owner!.gid);
  const network = true;
  return fence.enclose(command, args, { cwd, env, network, writable: resumed, readOnly: given });
}

function withContent(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return [directory, ...names.map((name) => join(directory, name))];
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
