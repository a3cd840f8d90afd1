/** What a run leaves alone on its runner, and what it keeps out of a log that anybody may read. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectSuccess } from './expectations.ts';
import { setStage } from './stage.ts';

const settings = JSON.stringify({ env: { OF_THE_WORKFLOW: 'WORDS-OF-THE-SETTINGS' } });

test('the log shows neither the prompt nor the settings', async () => {
  await using stage = await setStage([{ text: 'Done.' }, { text: 'Done.' }]);
  const inputs = { settings };
  const run = await stage.mention('@claude WORDS-OF-THE-REQUEST', { inputs });
  expectSuccess(run);
  expect(JSON.stringify(stage.model.requests)).toContain('WORDS-OF-THE-REQUEST');
  for (const words of ['WORDS-OF-THE-REQUEST', 'WORDS-OF-THE-SETTINGS', '## Whom to follow'])
    expect(run.rawLog).not.toContain(words);

  // Who runs the job again with debug logging asks for it.
  const debugged = await stage.mention('@claude WORDS-OF-THE-REQUEST', {
    inputs,
    env: { RUNNER_DEBUG: '1' },
  });
  expect(debugged.rawLog).toContain('## Whom to follow');
});

test.each(['auto', 'off'])(
  'the runner’s own settings of Claude Code stay as they are, with `sandbox: %s`',
  async (sandbox) => {
    await using stage = await setStage([{ text: 'Done.' }]);
    const configuration = await mkdtemp(join(tmpdir(), 'configuration-'));
    const own = '{ "cleanupPeriodDays": 7 }\n';
    await writeFile(join(configuration, 'settings.json'), own);
    const run = await stage.mention('@claude please', {
      inputs: { settings, sandbox },
      env: { CLAUDE_CONFIG_DIR: configuration },
    });
    const after = await readFile(join(configuration, 'settings.json'), 'utf8');
    await rm(configuration, { recursive: true });
    expectSuccess(run);
    expect(after).toBe(own);
  },
);
