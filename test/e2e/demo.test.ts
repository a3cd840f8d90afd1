/** The demo as somebody runs it who has just cloned the repository: it shows what was promised, and leaves nothing. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandOf, listProcesses } from '../../testkit/runner/processes.ts';
import { withoutTmux } from './without-tmux.ts';

let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'fh-'));
  chmodSync(temporary, 0o711);
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

interface Demo {
  args?: string[];
  env?: Record<string, string>;
  /** Ends it by Ctrl-C once these words are printed. */
  interruptAt?: string;
}

function runDemo({ args = [], env = {}, interruptAt }: Demo): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'demo', ...args], {
    env: { PATH: process.env.PATH, HOME: temporary, TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let isInterrupted = false;
  const take = (chunk: Buffer) => {
    said += chunk.toString();
    if (isInterrupted || !interruptAt || !said.includes(interruptAt)) return;
    isInterrupted = true;
    child.kill('SIGINT');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((done) => child.on('close', (code) => done({ code, said })));
}

function expectNothingLeft() {
  expect(readdirSync(temporary)).toEqual([]);
  expect(listProcesses().filter(({ pid }) => commandOf(pid).includes(temporary))).toEqual([]);
}

describe('the server', () => {
  test('an issue becomes a draft pull request, and what was written meanwhile is in it', async () => {
    const { code, said } = await runDemo({});
    expect(said).toContain('octocat opens an issue');
    expect(said).toContain('webhook `issues` is stored and answered: 202');
    expect(said).toContain('the draft pull request is open');
    expect(said.indexOf('octocat adds, while Claude is busy')).toBeGreaterThan(said.indexOf('is busy…'));
    expect(said).toContain('Claude took it in at once: one turn and one answer for both');
    // In the answer, and in the diff.
    expect(said).toContain('As you asked while I worked, it says “Hello!” when no name is given');
    expect(said).toContain("+test('greets without a name'");
    expect(said).toContain('Closes #1');
    expect(said).toMatch(/\d+ GitHub requests, [\d.]+ seconds/);
    if (process.platform === 'linux') expect(said).toContain('0 processes and no file left behind');
    expect(code).toBe(0);
    expectNothingLeft();
  });

  test('works without tmux, and stays up to look at until Ctrl-C', async () => {
    const { code, said } = await runDemo({
      args: ['--keep'],
      env: withoutTmux(),
      interruptAt: 'files         ',
    });
    expect(said).toContain('a session of its own is started detached');
    expect(said).toContain('Everything stays up until Ctrl-C');
    expect(said).toMatch(/operator +http:\/\/localhost:\d+\/operator\?token=/);
    expect(said).not.toContain('tmux attach');
    expect(code).toBe(0);
    expectNothingLeft();
  });

  test('Ctrl-C in the middle ends all of it', async () => {
    const { code, said } = await runDemo({ interruptAt: 'Claude reads the code' });
    expect(said).toContain('Interrupted.');
    expect(code).toBe(1);
    expectNothingLeft();
  });
});

test('the Action answers a mention', async () => {
  const { code, said } = await runDemo({ args: ['--action'] });
  expect(said).toContain('the action ended: success');
  expect(said).toContain('it now says “Hello”');
  expect(said).toContain('0 processes left behind');
  expect(code).toBe(0);
  expectNothingLeft();
});

test('a flag that is none is refused with what there is', async () => {
  const { code, said } = await runDemo({ args: ['--kept'] });
  expect(said).toContain('--keep    leave everything running');
  expect(code).toBe(2);
});
