/** The words of a script: what the scripted Claude answers, turn by turn. */
import type { ModelRequest } from './request.ts';

/** One tool call as the model makes it: the tool's name as Claude Code offers it, and its input. */
export interface ToolCall {
  name: string;
  input: Record<string, unknown>;
}

/** Tokens as the Messages API counts them; figures that are left out are estimated from the sizes. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

/** One turn of the assistant. An empty step ends the turn without a word. */
export interface Step {
  thinking?: string;
  text?: string;
  tools?: ToolCall[];
  /** Milliseconds before the first byte of the answer. */
  delayMs?: number;
  /** Milliseconds between the pieces of the text (about 24 characters each). */
  chunkDelayMs?: number;
  /** `stop_reason`; `tool_use` when there are tools, else `end_turn`. */
  stop?: 'end_turn' | 'tool_use' | 'max_tokens' | 'refusal' | 'pause_turn' | 'stop_sequence';
  usage?: Partial<Usage>;
  /** Answers with an API error; with `times`, so many attempts of a session fail and the next one gets the rest of the step. */
  error?: StepError;
  /** Destroys the connection in mid-stream: `true` the first attempt of a session only, a number so many attempts. */
  cut?: true | number;
  /** Says what the step says (nothing at all when it says nothing) and then keeps the connection open for ever. */
  hang?: true;
}

export interface StepError {
  status: number;
  /** Anthropic's error type; the one that belongs to the status by default. */
  type?: string;
  message?: string;
  /** How many attempts fail; every one by default. */
  times?: number;
  /** Seconds, sent as `retry-after`. */
  retryAfter?: number;
}

/** Computes a step from what the model was sent, so that a script can answer with what it has read. */
export type StepFunction = (request: ModelRequest) => Step | Promise<Step>;

/** Turn n of a conversation is answered by entry n; a script that has run out answers "Done.". */
export type Script = (Step | StepFunction)[];
