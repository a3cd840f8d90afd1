import { describe, expect, test } from 'vitest';
import { answer, commit, correction, expectToldEverywhere, newBranches, silence } from './endings.ts';
import { type Stage, setStage } from './stage.ts';

/** Claude commits and is then stopped in the middle of its next turn. */
async function committedWork(then: Parameters<typeof setStage>[0] = []): Promise<Stage> {
  const stage = await setStage();
  stage.model.script([...correction(stage), { tools: [commit] }, ...then]);
  return stage;
}

/** The work so far is on GitHub, and the comment says where. */
async function expectWorkKept(stage: Stage): Promise<void> {
  const [branch, ...others] = newBranches(stage);
  expect(others).toEqual([]);
  expect(await stage.repository.file(branch!, 'src/greet.js')).toContain('Hello');
  expect(answer(stage)).toContain(`What was done so far is on \`${branch}\``);
}

describe.concurrent('a run that comes to its limit keeps the work so far and names the setting:', () => {
  test('timeout_minutes', async () => {
    await using stage = await committedWork([silence]);
    const run = await stage.mention('@claude fix it', { inputs: { timeout_minutes: '0.15' } });
    await expectToldEverywhere(stage, run, {
      reason: 'timed_out',
      cause: /Claude worked longer than `timeout_minutes` \(0\.15\)/,
      remedy: /Raise `timeout_minutes`/,
    });
    await expectWorkKept(stage);
  });

  test('max_budget_usd', async () => {
    const costly = { usage: { output_tokens: 2_000_000 } };
    await using stage = await setStage();
    stage.model.script([...correction(stage), { tools: [commit], ...costly }, () => ({ text: 'Done.' })]);
    const run = await stage.mention('@claude fix it', { inputs: { max_budget_usd: '0.5' } });
    await expectToldEverywhere(stage, run, {
      reason: 'budget',
      cause: /0\.5/,
      remedy: /Raise `max_budget_usd`/,
    });
    await expectWorkKept(stage);
    expect(Number(run.outputs.cost_usd)).toBeGreaterThan(0.5);
  });

  test('--max-turns', async () => {
    await using stage = await committedWork();
    const run = await stage.mention('@claude fix it', { inputs: { claude_args: '--max-turns 3' } });
    await expectToldEverywhere(stage, run, {
      reason: 'turns',
      cause: /turns/,
      remedy: /Raise `--max-turns`/,
    });
    await expectWorkKept(stage);
  });
});
