import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runMark } from '../words/mark.ts';
import { endProcesses, findSetpriv, spawnClaude } from './process.ts';

const setpriv = await findSetpriv();

let root: string;
let mark: string;
let started: ChildProcess[];

beforeEach(async () => {
  root = realpathSync(await mkdtemp(join(tmpdir(), 'forgehand-process-')));
  mark = crypto.randomUUID();
  started = [];
});
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  await endProcesses(mark, null);
  await rm(root, { recursive: true, force: true });
});

/** True for a process that runs; one that only waits to be reaped has ended. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Starts a shell script; answers the process ids that it prints, one a line. */
async function shell(script: string, environment: Record<string, string>, count: number): Promise<number[]> {
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn('/bin/sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  let text = '';
  for await (const chunk of child.stdout!.setEncoding('utf8')) {
    text += chunk;
    if (text.split('\n').length > count) break;
  }
  return text.trim().split('\n').map(Number);
}

const options = (command: string, args: string[], env: Record<string, string | undefined> = {}) => ({
  command,
  args,
  cwd: root,
  env,
  signal: new AbortController().signal,
});

test('Claude is started in its directory, with its environment and nothing else, and can be talked to', async () => {
  let spawned = 0;
  const script = 'read word; echo "$word $(pwd) $OWN [$HOME]"';
  const child = spawnClaude(options('/bin/sh', ['-c', script], { OWN: 'own' }), {
    setpriv,
    fence: null,
    onSpawn: (pid) => {
      spawned = pid;
    },
  });
  child.stdin.end('hello\n');
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  expect(said).toBe(`hello ${root} own []\n`);
  expect(spawned).toBeGreaterThan(1);
});

test('arguments arrive as they are, also those that begin with dashes', async () => {
  const args = ['--reuid=0', '--', 'a b', '$HOME', ''];
  const child = spawnClaude(options('/bin/sh', ['-c', 'printf "<%s>" "$0" "$@"', ...args]), {
    setpriv,
    fence: null,
    onSpawn: () => {},
  });
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  expect(said).toBe('<--reuid=0><--><a b><$HOME><>');
});

test('a program that is not there is an error event, not the end of this process', async () => {
  const child = spawnClaude(options('/nowhere/claude', []), { setpriv, fence: null, onSpawn: () => {} });
  // With setpriv in between it is setpriv that starts, and ends at once.
  const [code] = await Promise.race([
    once(child as unknown as ChildProcess, 'exit'),
    once(child as unknown as ChildProcess, 'error'),
  ]);
  expect(code).not.toBe(0);
});

describe.skipIf(process.platform !== 'linux')('ending the processes of a run (Linux)', () => {
  test('finds every one that carries the mark, whatever session it moved to', async () => {
    const script = 'sleep 300 & echo $!; setsid sleep 300 & echo $!; (sleep 300 & echo $!); echo $$; wait';
    const pids = await shell(script, { [runMark]: mark }, 4);
    expect(pids.map(runs)).toEqual([true, true, true, true]);
    expect(await endProcesses(mark, null)).toBe(4);
    expect(pids.map(runs)).toEqual([false, false, false, false]);
    expect(await endProcesses(mark, null)).toBe(0);
  });

  test('does not touch those of another run, nor any that only looks like one of ours', async () => {
    const [ours] = await shell('echo $$; exec sleep 300', { [runMark]: mark }, 1);
    const foreign = [
      await shell('echo $$; exec sleep 300', { [runMark]: `${mark}-2` }, 1),
      await shell('echo $$; exec sleep 300', { OTHER: `${runMark}=${mark}` }, 1),
      await shell(`echo $$; exec sleep 300 # ${runMark}=${mark}`, {}, 1),
    ].flat();
    expect(await endProcesses(mark, null)).toBe(1);
    expect([ours!, ...foreign].map(runs)).toEqual([false, true, true, true]);
  });

  test('ends also what ignores the polite signal', async () => {
    const [pid] = await shell('trap "" TERM; echo $$; while :; do sleep 300; done', { [runMark]: mark }, 1);
    await endProcesses(mark, null);
    expect(runs(pid!)).toBe(false);
  });

  test('gives the polite signal first, so that a program can tidy up', async () => {
    const script = `trap 'echo tidy > ${root}/said; exit' TERM; echo $$; while :; do sleep 0.05; done`;
    await shell(script, { [runMark]: mark }, 1);
    await endProcesses(mark, null);
    expect(await readFile(join(root, 'said'), 'utf8')).toBe('tidy\n');
  });
});

const setprivWorks = spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true']).status === 0;

test.skipIf(!setprivWorks)('Claude dies with the process that started it, however that dies', async () => {
  const parent = join(root, 'parent.mjs');
  const room = new URL('./process.ts', import.meta.url);
  await writeFile(
    parent,
    `import { findSetpriv, spawnClaude } from ${JSON.stringify(room.href)};
     const setpriv = await findSetpriv();
     const signal = new AbortController().signal;
     spawnClaude({ command: 'sleep', args: ['300'], env: process.env, signal }, { setpriv, fence: null, onSpawn: (pid) => console.log(pid) });`,
  );
  const child = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const pid = Number(String(line));
  expect(runs(pid)).toBe(true);
  child.kill('SIGKILL');
  await expect.poll(() => runs(pid)).toBe(false);
});
