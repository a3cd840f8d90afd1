import { describe, expect, test } from 'vitest';
import { bash, write } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { answer, commit, correction, expectToldEverywhere, newBranches } from './endings.ts';
import { type Stage, setStage } from './stage.ts';

/** Claude has committed a correction, and a further file is not committed when the limit strikes. */
async function workUnderWay(then: Parameters<typeof setStage>[0] = []): Promise<Stage> {
  const stage = await setStage();
  const more = () => ({ tools: [write(stage.path('NOTES.md'), 'Greetings are tested by hand.\n')] });
  stage.model.script([...correction(stage), { tools: [commit] }, more, ...then]);
  return stage;
}

/** All of the work is on GitHub, the comment says where and what it has cost, and later steps know it too. */
async function expectWorkKept(stage: Stage, run: ActionRun): Promise<void> {
  const [branch, ...others] = newBranches(stage);
  expect(others).toEqual([]);
  expect(await stage.repository.file(branch!, 'src/greet.js')).toContain('Hello');
  expect(await stage.repository.file(branch!, 'NOTES.md')).toContain('by hand');
  const said = answer(stage);
  expect(said).toContain(`What was done so far is on \`${branch}\``);
  expect(said).toContain(`[\`${branch}\`](${stage.github.serverUrl}/octo-org/hello/tree/${branch})`);
  expect(said).toMatch(
    /^❌ .* · [\dms ]+ · \d+ turns · [\d.]+k tokens · \$\d+\.\d\d$|^❌ .* · [\d.]+M tokens · \$/m,
  );
  expect(run.summary).toMatch(/\| Cost \| \$\d+\.\d\d \(\d+ tokens in, \d+ out\) \|/);
  expect(run.outputs).toMatchObject({ branch_name: branch, session_id: expect.stringMatching(/./) });
  for (const name of ['cost_usd', 'num_turns', 'duration_ms', 'input_tokens', 'output_tokens'])
    expect(Number(run.outputs[name]), name).toBeGreaterThan(0);
}

describe.concurrent('a run that comes to its limit keeps the work so far and names the setting:', () => {
  test('timeout_minutes, in the middle of a tool call', async () => {
    const endless = bash('while [ ! -e .git/go ]; do sleep 0.05; done', { timeoutMs: 600_000 });
    await using stage = await workUnderWay([{ tools: [endless] }]);
    const inputs = { timeout_minutes: '0.2', claude_args: '--allowedTools Bash' };
    const run = await stage.mention('@claude fix it', { inputs });
    await expectToldEverywhere(stage, run, {
      reason: 'timed_out',
      cause: /Claude worked longer than `timeout_minutes` \(0\.2\)/,
      remedy: /Raise `timeout_minutes`/,
    });
    await expectWorkKept(stage, run);
    // It was in that call, and has asked the model nothing since.
    expect(stage.model.requests).toHaveLength(5);
  });

  test('max_budget_usd, which the last answer may go over', async () => {
    const costly = { tools: [bash('git status')], usage: { output_tokens: 2_000_000 } };
    await using stage = await workUnderWay([costly]);
    const run = await stage.mention('@claude fix it', { inputs: { max_budget_usd: '0.5' } });
    await expectToldEverywhere(stage, run, {
      reason: 'budget',
      cause: /0\.5[\s\S]*By then it had cost \$\d+\.\d\d: .*the last one can go over the limit/,
      remedy: /Raise `max_budget_usd`/,
    });
    await expectWorkKept(stage, run);
    expect(Number(run.outputs.cost_usd)).toBeGreaterThan(0.5);
  });

  test('--max-turns', async () => {
    await using stage = await workUnderWay();
    const run = await stage.mention('@claude fix it', { inputs: { claude_args: '--max-turns 4' } });
    await expectToldEverywhere(stage, run, {
      reason: 'turns',
      cause: /turns/,
      remedy: /Raise `--max-turns`/,
    });
    await expectWorkKept(stage, run);
  });
});
