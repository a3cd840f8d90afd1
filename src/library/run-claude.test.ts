import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { type RunClaudeOptions, runClaude } from './run-claude.ts';

/** What an empty environment leaves: no credential of the machine that runs this. */
const run = (options: Partial<RunClaudeOptions>) =>
  runClaude({ prompt: 'Read.', directory: tmpdir(), environment: {}, sandbox: 'off', ...options });

test.each<[string, Partial<RunClaudeOptions>, RegExp]>([
  ['an empty prompt', { prompt: ' \n' }, /The prompt is empty/],
  ['no prompt', { prompt: undefined as never }, /Option `prompt` must be text/],
  ['a directory that is not there', { directory: '/not/there' }, /`\/not\/there`: it is not a directory/],
  ['no amount', { maxBudgetUsd: 0 }, /Option `maxBudgetUsd`: must be an amount in US dollars/],
  ['no time', { timeoutMinutes: Number.NaN }, /Option `timeoutMinutes`/],
  ['a word of another list', { sandbox: 'on' as never }, /Option `sandbox`/],
  ['an open quote', { claudeArgs: '--model "opus', anthropicApiKey: 'key' }, /claude_args/],
  ['two providers', { useBedrock: true, useVertex: true }, /exclude each other/],
])('%s is an error that names it', async (_, options, message) => {
  const error = await run(options).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ reason: 'invalid_input', message: expect.stringMatching(message) });
});

test('what is foreseen is a result: no credential', async () => {
  expect(await run({})).toMatchObject({
    ...{ conclusion: 'failure', reason: 'model_auth', sessionId: null, usage: null, messages: [] },
    text: 'There is no credential for the model.',
    remedy: expect.stringContaining('anthropic_api_key'),
  });
});

test('a signal that was aborted before is a cancelled run', async () => {
  const options = { anthropicApiKey: 'key', signal: AbortSignal.abort(new Error('Mine.')) };
  expect(await run(options)).toMatchObject({ conclusion: 'cancelled', reason: 'cancelled' });
});
