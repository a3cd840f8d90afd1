import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { expect, test } from 'vitest';
import { UsageCount } from './usage.ts';

/** A part of an answer: Claude Code repeats what the answer has used with each of them. */
const said = (id: string, input_tokens: number, parent: string | null = null) =>
  ({
    type: 'assistant',
    parent_tool_use_id: parent,
    message: { id, usage: { input_tokens, output_tokens: 1, cache_read_input_tokens: 1_000 } },
  }) as unknown as SDKMessage;

const model = {
  inputTokens: 10,
  cacheReadInputTokens: 4_000,
  cacheCreationInputTokens: 5,
  outputTokens: 700,
};

/** The end of a turn: cost and tokens are those of the process, turns and time those of the turn. */
const ended = (total_cost_usd: number, num_turns: number) =>
  ({
    ...{ type: 'result', subtype: 'success', result: 'Done.', is_error: false, duration_ms: 2_000 },
    ...{ total_cost_usd, num_turns, modelUsage: { opus: model, haiku: { ...model, outputTokens: 1 } } },
  }) as unknown as SDKMessage;

function usageAfter(...messages: SDKMessage[]) {
  const count = new UsageCount();
  for (const message of messages) count.note(message);
  return count.usage();
}

test('nothing was used before Claude has said anything', () => {
  expect(usageAfter()).toBeNull();
});

test('at the end of a turn Claude Code gives the account, of every model', () => {
  const account = { costUsd: 0.5, turns: 2, durationMs: 2_000, inputTokens: 8_030, outputTokens: 701 };
  expect(usageAfter(said('a', 10), said('b', 20), ended(0.5, 2))).toEqual(account);
});

test('of several turns cost and tokens are the last ones, turns and time are added', () => {
  const usage = usageAfter(said('a', 10), ended(0.5, 2), said('b', 20), ended(0.75, 3));
  expect(usage).toEqual({
    costUsd: 0.75,
    turns: 5,
    durationMs: 4_000,
    inputTokens: 8_030,
    outputTokens: 701,
  });
});

test('without an account what went in is known, each answer once, and nothing is made up', () => {
  const usage = usageAfter(said('a', 10), said('a', 10), said('of an agent', 7, 'toolu_1'), said('b', 20));
  expect(usage).toMatchObject({ costUsd: null, turns: 2, inputTokens: 3_037, outputTokens: null });
});

test('what comes after an account is added to it', () => {
  const usage = usageAfter(said('a', 10), ended(0.5, 2), said('b', 20));
  expect(usage).toMatchObject({ costUsd: null, turns: 3, inputTokens: 9_050, outputTokens: null });
  expect(usage!.durationMs).toBeGreaterThanOrEqual(2_000);
});
