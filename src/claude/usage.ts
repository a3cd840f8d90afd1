/** What Claude's process has used so far: by its own account, and by what it has said since it last gave one. */
import type { SDKMessage, SDKResultMessage } from '@anthropic-ai/claude-agent-sdk/core';
import type { FullUsage, Usage } from '../words/result.ts';
import { isAcknowledgement } from './results.ts';

/** The part of a message's usage that is final when the message begins; that of its answer comes too late for us. */
interface Input {
  input_tokens?: number;
  cache_read_input_tokens?: number | null;
  cache_creation_input_tokens?: number | null;
}

export class UsageCount {
  /** Claude Code's own, as of its last turn that has ended; null before. */
  account: FullUsage | null = null;
  private since = Date.now();
  /** Tokens that went in, by the answer that they were for: an answer arrives in several messages. */
  private readonly inputs = new Map<string, number>();
  private turns = 0;

  note(message: SDKMessage): void {
    if (message.type === 'result') this.noteResult(message);
    if (message.type !== 'assistant') return;
    const { id, usage } = message.message as { id: string; usage?: Input };
    if (!this.inputs.has(id) && message.parent_tool_use_id === null) this.turns += 1;
    this.inputs.set(id, inputOf(usage ?? {}));
  }

  /** Null when nothing was used. Where a turn was cut before its account, what only that could say is unknown. */
  usage(): Usage | null {
    if (this.inputs.size === 0) return this.account;
    const { turns, durationMs, inputTokens } = this.account ?? { turns: 0, durationMs: 0, inputTokens: 0 };
    return {
      costUsd: null,
      turns: turns + this.turns,
      durationMs: durationMs + Date.now() - this.since,
      inputTokens: [...this.inputs.values()].reduce((sum, input) => sum + input, inputTokens),
      outputTokens: null,
    };
  }

  private noteResult(result: SDKResultMessage): void {
    if (isAcknowledgement(result)) return;
    const { turns, durationMs } = this.account ?? { turns: 0, durationMs: 0 };
    const { modelUsage = {}, num_turns, duration_ms, total_cost_usd: costUsd } = result;
    const models = Object.values(modelUsage);
    // Cost and tokens are those of the process so far; turns and time those of the turn.
    this.account = {
      costUsd,
      turns: turns + num_turns,
      durationMs: durationMs + duration_ms,
      inputTokens: models.reduce(
        (sum, model) => sum + model.inputTokens + model.cacheReadInputTokens + model.cacheCreationInputTokens,
        0,
      ),
      outputTokens: models.reduce((sum, model) => sum + model.outputTokens, 0),
    };
    this.inputs.clear();
    this.turns = 0;
    this.since = Date.now();
  }
}

function inputOf(usage: Input): number {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  return (input_tokens ?? 0) + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0);
}
