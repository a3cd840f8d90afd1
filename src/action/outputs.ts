/** The action's outputs: their names, and what each of them says. */

export const outputs = {
  conclusion: 'How the run ended: `success`, `failure`, `cancelled` or `skipped`. Set on every path.',
  reason: 'Why it did not succeed, one word of a closed list; empty on success.',
  execution_file: 'Path of a JSON file with all messages of Claude Code, secrets redacted.',
  branch_name: 'Branch that holds the commits, or that was made for them.',
  github_token: 'The GitHub token that was used.',
  structured_output: 'JSON string, when `--json-schema` was given.',
  session_id: 'Session id of Claude Code; with `resume: true` a dispatch can go on with it.',
  cost_usd: 'Cost in US dollars, as Claude Code counts it; unset when it was killed before it could say.',
  num_turns: 'Turns of the conversation.',
  duration_ms: 'Time that Claude worked, in milliseconds.',
  input_tokens: 'Tokens that the model was sent, those from its cache included.',
  output_tokens: 'Tokens that the model answered with; unset like the cost.',
  pull_request_url: 'Pull request that was opened.',
  comment_url: 'The tracking comment.',
  claude_comment_id: 'Its id.',
  skipped_due_to_workflow_validation_mismatch:
    '`true` when the token exchange does not accept the workflow, as it differs from the one of the default branch.',
} as const;

/** Those of the base-action. */
export const baseOutputs = [
  'conclusion',
  'reason',
  'execution_file',
  'structured_output',
  'session_id',
  'cost_usd',
  'num_turns',
  'duration_ms',
  'input_tokens',
  'output_tokens',
] as const satisfies (keyof typeof outputs)[];

export type OutputName = keyof typeof outputs;
