import { readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { commandOf, listProcesses } from '../../testkit/runner/processes.ts';
import { answer, commit, correction, expectToldEverywhere, newBranches, silence } from './endings.ts';
import { type Stage, setStage } from './stage.ts';

/** Kills the Claude Code that works in this stage's checkout, as the kernel does when memory runs out. */
function killClaude(stage: Stage): void {
  const inCheckout = listProcesses().filter(
    ({ pid }) => commandOf(pid).startsWith(claudeBinary()) && directoryOf(pid) === stage.workspace,
  );
  expect(inCheckout).toHaveLength(1);
  process.kill(inCheckout[0]!.pid, 'SIGKILL');
}

function directoryOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

describe.concurrent('when Claude Code', () => {
  test('is killed in mid-turn, the work so far is saved and the crash is told', async () => {
    await using stage = await setStage();
    const afterCommit = () => {
      killClaude(stage);
      return silence;
    };
    stage.model.script([...correction(stage), { tools: [commit] }, afterCommit]);
    const run = await stage.mention('@claude fix it');
    await expectToldEverywhere(stage, run, {
      reason: 'claude_crashed',
      cause: /Claude Code stopped: .*(?:SIGKILL|code 137)/,
      remedy: /Run again/,
    });
    const [branch] = newBranches(stage);
    expect(run.outputs.branch_name).toBe(branch);
    expect(answer(stage)).toContain(`What was done so far is on \`${branch}\``);
    expect(await stage.repository.file(branch!, 'src/greet.js')).toContain('Hello');
  });

  test('ends at once, its own last words are told', async () => {
    await using stage = await setStage();
    const directory = await mkdtemp(join(tmpdir(), 'forgehand-no-claude-'));
    const executable = join(directory, 'claude');
    await writeFile(executable, '#!/bin/sh\necho "libsomething.so.1 is missing" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const run = await stage.mention('@claude fix it', {
      inputs: { path_to_claude_code_executable: executable },
    });
    await rm(directory, { recursive: true });
    await expectToldEverywhere(stage, run, {
      reason: 'claude_crashed',
      cause: /Claude Code stopped: .*code 1[\s\S]*libsomething\.so\.1 is missing/,
      remedy: /Run again/,
    });
    expect(newBranches(stage)).toEqual([]);
  });

  test('is not where the input says, the run ends before it is asked, and the checkout is given back', async () => {
    await using stage = await setStage();
    const run = await stage.mention('@claude fix it', {
      inputs: { path_to_claude_code_executable: '/nowhere/claude' },
    });
    await expectToldEverywhere(stage, run, {
      reason: 'invalid_input',
      cause: /`path_to_claude_code_executable`: `\/nowhere\/claude` is not an executable file/,
      remedy: /Correct the named input/,
    });
  });
});
