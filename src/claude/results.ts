/** Reads what Claude Code says of the end of a turn: reason, words, usage, and the signs that waiting is in vain. */
import type { SDKMessage, SDKResultMessage } from '@anthropic-ai/claude-agent-sdk/core';
import { dollars } from '../words/dollars.ts';
import { AppError } from '../words/errors.ts';
import type { Reason } from '../words/result.ts';

/** How a turn or a whole session ended. */
export interface Ending {
  reason: Reason | '';
  /** Claude's last words, or what went wrong in its own or our words. */
  text: string;
}

export function readResult(result: SDKResultMessage): Ending {
  const said = result.subtype === 'success' ? result.result : result.errors.join('\n');
  if (result.subtype === 'success' && !result.is_error) return { reason: '', text: said };
  if (result.terminal_reason?.startsWith('aborted_'))
    return { reason: 'cancelled', text: 'Claude was interrupted.' };
  // An identity that is not trusted has no status of the model's.
  if (/\bToken exchange failed with status 4\d\d/.test(said)) return { reason: 'model_auth', text: said };
  const text = said || `Claude Code ended with ${result.subtype}.`;
  const reason = reasonOf(result);
  return { reason, text: reason === 'budget' ? `${text}\n\n${overshoot(result)}` : text };
}

/** What a limit of money means: it is looked at after each answer, as nobody knows before what that one costs. */
function overshoot({ total_cost_usd: spent }: SDKResultMessage): string {
  return `By then it had cost ${dollars(spent)}: an answer's cost is known when it is there, so the last one can go over the limit.`;
}

/** A message that asks for no answer has a result nevertheless; it says nothing. */
export function isAcknowledgement(result: SDKResultMessage): boolean {
  return result.subtype === 'success' && !result.is_error && result.num_turns === 0 && result.result === '';
}

function reasonOf(result: SDKResultMessage): Reason {
  if (result.subtype === 'error_max_turns') return 'turns';
  if (result.subtype === 'error_max_budget_usd') return 'budget';
  const status = 'api_error_status' in result ? result.api_error_status : null;
  if (status === 401 || status === 403) return 'model_auth';
  if (result.terminal_reason === 'prompt_too_long') return 'invalid_input';
  if (status || result.terminal_reason === 'api_error') return 'model_unavailable';
  return 'claude_crashed';
}

/** What no waiting makes better, though Claude Code tries it again for minutes. */
const refusals = [
  'authentication_failed',
  'oauth_org_not_allowed',
  'account_on_hold',
  'verification_required',
  'billing_error',
];

export function refusedKey(message: SDKMessage): Ending | null {
  if (message.type !== 'system' || message.subtype !== 'api_retry') return null;
  const { error, error_status: status } = message;
  if (!refusals.includes(error)) return null;
  const text = `The model refused the credential (status ${status ?? 401}, ${error}).`;
  return { reason: 'model_auth', text };
}

export function crashed(error: unknown, lastWords: string): Ending {
  const why = error instanceof Error ? error.message : (error ?? 'it ended without a result');
  return {
    reason: 'claude_crashed',
    text: [`Claude Code stopped: ${why}`, lastWords].filter(Boolean).join('\n'),
  };
}

export function abortedBy(signal: AbortSignal): Ending {
  const reason =
    signal.reason instanceof AppError ? signal.reason : new AppError('cancelled', 'The run was cancelled.');
  return { reason: reason.reason, text: reason.message };
}
