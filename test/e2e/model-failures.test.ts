import { describe, expect, test } from 'vitest';
import { expectSuccess, expectToldEverywhere, newBranches } from './endings.ts';
import { setStage } from './stage.ts';

/** Claude Code waits longer and longer between its own attempts; one more is enough to see that it made one. */
const fewRetries = { CLAUDE_CODE_MAX_RETRIES: '1' };

describe.concurrent('when the model', () => {
  test('refuses the key, the run stops at the first answer', async () => {
    await using stage = await setStage();
    const run = await stage.mention('@claude please', {
      inputs: { anthropic_api_key: 'sk-ant-api03-another-key' },
    });
    await expectToldEverywhere(stage, run, {
      reason: 'model_auth',
      cause: /refused the credential/,
      remedy: /Check `anthropic_api_key`/,
    });
    expect(stage.model.main).toHaveLength(1);
  });

  test('answers 500 for ever, the run says that it is not to be had', async () => {
    await using stage = await setStage([{ error: { status: 500, message: 'Internal server error' } }]);
    const run = await stage.mention('@claude please', { env: fewRetries });
    await expectToldEverywhere(stage, run, {
      reason: 'model_unavailable',
      cause: /500/,
      remedy: /status\.anthropic\.com/,
    });
    expect(stage.model.main).toHaveLength(2);
  });

  test('is overloaded for ever, the run says that it is not to be had', async () => {
    await using stage = await setStage([{ error: { status: 529 } }]);
    const run = await stage.mention('@claude please', { env: fewRetries });
    await expectToldEverywhere(stage, run, {
      reason: 'model_unavailable',
      cause: /529|overloaded/i,
      remedy: /status\.anthropic\.com/,
    });
    expect(newBranches(stage)).toEqual([]);
  });

  test('is overloaded for a moment, the run goes on', async () => {
    await using stage = await setStage([{ error: { status: 529, times: 1 }, text: 'Here I am.' }]);
    const run = await stage.mention('@claude please');
    await expectSuccess(stage, run);
    expect(stage.model.main).toHaveLength(2);
  });

  test('breaks off in mid-answer once, the run goes on', async () => {
    await using stage = await setStage([{ text: 'A longer answer, which breaks off half way.', cut: true }]);
    const run = await stage.mention('@claude please');
    await expectSuccess(stage, run);
    expect(stage.model.main).toHaveLength(2);
  });
});
