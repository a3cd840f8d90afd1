/** The Action with and without its fence: what Claude's commands reach, and what the job finds afterwards. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { probeFence } from '../../src/claude/fence.ts';
import { bash, write } from '../../testkit/claude/tools.ts';
import { expectSuccess, expectTidy } from './expectations.ts';
import { setStage } from './stage.ts';

const support = await probeFence();
const anyCommand = '--allowedTools Bash';

describe.skipIf(!support.usable)('with a fence', () => {
  test.each([
    ['auto', ''],
    ['required', ''],
  ])('`sandbox: %s` keeps main, the runner and the key from Claude’s commands', async (sandbox) => {
    await using stage = await setStage();
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'secret'), 'TOP-SECRET');
    stage.model.script([
      () => ({ tools: [write(stage.path('WORK.md'), 'Work.\n')] }),
      {
        tools: [
          bash(
            `cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; env; ls / /tmp; cat ${outside}/secret; touch ${outside}/planted; ls ../; id -u`,
          ),
        ],
      },
    ]);
    const run = await stage.mention('@claude work', {
      inputs: { sandbox, claude_args: anyCommand, max_budget_usd: '5' },
    });

    expectSuccess(run);
    const seen = stage.model.toolResults()[1]!.text;
    expect(seen).toContain('placeholder-the-host-adds-the-credential');
    expect(seen).not.toMatch(/TOP-SECRET|INPUT_|GITHUB_OUTPUT|GITHUB_ENV|RUNNER_TEMP|_runner_file_commands/);
    expect(seen).not.toContain(stage.model.key);
    expect(seen.trimEnd().endsWith('1000')).toBe(true);
    await expect(stat(join(outside, 'planted'))).rejects.toThrow();
    await rm(outside, { recursive: true });

    // The files are whose they were: git of a later step finds nothing dubious.
    expectTidy(run, stage);
    expect((await stat(stage.path('WORK.md'))).uid).toBe(process.getuid?.());
    const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: stage.workspace });
    expect((await git('log', '-1', '--format=%s')).stdout).toBe(
      'Keep what was left uncommitted for octo-org/hello#1\n',
    );
    expect((await git('status', '--porcelain')).stdout).toBe('');
  });

  test('`allow_bash` lets it run any command in tag mode, which it may not else', async () => {
    for (const [allowed, isError] of [
      ['true', false],
      ['false', true],
    ] as const) {
      await using stage = await setStage([
        { tools: [bash('for i in 1 2; do echo $i; done > made && cat made')] },
      ]);
      const run = await stage.mention('@claude work', { inputs: { allow_bash: allowed } });
      expectSuccess(run);
      expect(stage.model.toolResults()[0]).toMatchObject({ isError });
      expect(run.summary.includes('may not use: `Bash(for i in 1 2;')).toBe(isError);
    }
  });

  test('a user’s own settings go along, credentials beside them do not', async () => {
    await using stage = await setStage([
      { tools: [bash('cat $CLAUDE_CONFIG_DIR/CLAUDE.md; ls -A $CLAUDE_CONFIG_DIR')] },
    ]);
    const configuration = await mkdtemp(join(tmpdir(), 'configuration-'));
    await writeFile(join(configuration, 'CLAUDE.md'), 'OUR-OWN-RULES\n');
    await writeFile(join(configuration, '.credentials.json'), '{"token":"TOP-SECRET"}');
    await stage.mention('@claude work', {
      inputs: { claude_args: anyCommand },
      env: { CLAUDE_CONFIG_DIR: configuration },
    });
    await rm(configuration, { recursive: true });
    expect(stage.model.toolResults()[0]!.text).toMatch(/^OUR-OWN-RULES/);
    expect(stage.model.toolResults()[0]!.text).not.toContain('.credentials.json');
    expect(JSON.stringify(stage.model.requests[0]!.body)).toContain('OUR-OWN-RULES');
  });
});

test('`sandbox: off` is as it was: commands run as the runner’s user', async () => {
  await using stage = await setStage([{ tools: [bash('id -u; env')] }]);
  const run = await stage.mention('@claude work', { inputs: { sandbox: 'off', claude_args: anyCommand } });
  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toMatch(new RegExp(`^${process.getuid?.()}\n`));
  expect(stage.model.toolResults()[0]!.text).not.toContain('placeholder');
});

test('`allow_bash` without a fence is refused', async () => {
  await using stage = await setStage();
  const run = await stage.mention('@claude work', { inputs: { sandbox: 'off', allow_bash: 'true' } });
  expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'sandbox_unavailable' });
  expect(stage.model.requests).toEqual([]);
});
