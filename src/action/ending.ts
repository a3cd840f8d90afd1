/** Shows how a run ended where people and workflows look: outputs, annotation, step summary, execution file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ending } from '../engine/handle.ts';
import { renderSummary } from '../report/step-summary.ts';
import { renderTurns } from '../report/turns.ts';
import type { Redact } from '../words/redact.ts';
import type { Commands } from './commands.ts';
import type { Job } from './job.ts';
import type { OutputName } from './outputs.ts';

export interface EndingView {
  ending: Ending;
  job: Job;
  commands: Commands;
  redact: Redact;
  warnings: string[];
}

/** Answers the exit code: 0 for success and skipped, else 1. */
export async function show({ ending, job, commands, redact, warnings }: EndingView): Promise<number> {
  const { result } = ending;
  // Inputs are nobody's business when the event is not for Claude.
  if (ending.task) for (const warning of job.warnings) commands.annotate('warning', warning);
  const executionFile = writeExecutionFile(ending.messages, job, redact);
  for (const [name, value] of Object.entries(outputsOf(ending, executionFile))) commands.output(name, value);
  annotate(ending, commands, redact);
  const report = job.config.displayReport ? renderTurns(ending.messages) : '';
  const all = ending.task ? [...job.warnings, ...warnings] : warnings;
  commands.summary(redact(renderSummary({ ...ending, warnings: all, report })));
  return result.conclusion === 'success' || result.conclusion === 'skipped' ? 0 : 1;
}

function outputsOf(
  { result, task, token }: Ending,
  executionFile: string | null,
): Partial<Record<OutputName, string>> {
  const { usage } = result;
  return {
    conclusion: result.conclusion,
    reason: result.reason,
    ...(executionFile && { execution_file: executionFile }),
    ...(result.branch && { branch_name: result.branch.name }),
    // A skipped run leaves no token behind.
    ...(token && result.conclusion !== 'skipped' && { github_token: token }),
    ...(result.structuredOutput !== undefined && {
      structured_output: JSON.stringify(result.structuredOutput),
    }),
    ...(result.sessionId && { session_id: result.sessionId }),
    ...(usage && {
      ...(usage.costUsd !== null && { cost_usd: String(usage.costUsd) }),
      num_turns: String(usage.turns),
      duration_ms: String(usage.durationMs),
      input_tokens: String(usage.inputTokens),
      ...(usage.outputTokens !== null && { output_tokens: String(usage.outputTokens) }),
    }),
    ...(result.pullRequestUrl && { pull_request_url: result.pullRequestUrl }),
    ...(result.commentUrl && { comment_url: result.commentUrl }),
    ...(result.commentId && { claude_comment_id: String(result.commentId) }),
    // Of an event that is for Claude nothing else is switched off.
    ...(task && result.reason === 'switched_off' && { skipped_due_to_workflow_validation_mismatch: 'true' }),
  };
}

function annotate({ result, task }: Ending, commands: Commands, redact: Redact): void {
  const text = redact([result.summary, result.remedy].filter(Boolean).join('\n'));
  if (result.conclusion === 'failure' || result.conclusion === 'cancelled') {
    commands.annotate('error', text, `Forgehand: ${result.reason}`);
  } else if (result.conclusion === 'skipped' && task && result.reason !== 'own_activity') {
    // Somebody did call Claude: whoever looks why nothing happened should find it on the job's page.
    commands.annotate('notice', text, `Forgehand: ${result.reason}`);
  } else if (result.conclusion === 'skipped') {
    commands.sink('info', `Nothing to do: ${text}`, {});
  }
}

function writeExecutionFile(messages: readonly unknown[], job: Job, redact: Redact): string | null {
  if (messages.length === 0) return null;
  const path = join(job.temp, 'claude-execution-output.json');
  writeFileSync(path, redact(JSON.stringify(messages, null, 2)), { mode: 0o600 });
  return path;
}
