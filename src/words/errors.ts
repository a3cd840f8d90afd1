/** The one error that libraries throw, and the one place where an error becomes words for a person. */
import type { Conclusion, Reason } from './result.ts';

/** What to do about each reason, when the error itself does not know better. */
const remedies: Record<Reason, string> = {
  not_mentioned: 'Mention the trigger phrase, or give a `prompt`.',
  unsupported_event: 'Give a `prompt`, or start the workflow on an event that Forgehand answers.',
  switched_off: 'Switch it on in the settings.',
  handed_over: 'Nothing to do: another run has taken this over.',
  not_permitted: 'Ask someone with write access, or extend `allowed_non_write_users` or `allowed_bots`.',
  own_activity: 'Nothing to do: Forgehand does not answer itself.',
  invalid_input: 'Correct the named input and run again.',
  github_auth: 'Check the GitHub credentials and the `permissions:` of the job.',
  github_unavailable: 'Run again when GitHub answers; see https://www.githubstatus.com.',
  model_auth: 'Check `anthropic_api_key`, `claude_code_oauth_token` or the provider credentials.',
  model_unavailable: 'Run again when the model is available; see https://status.anthropic.com.',
  git_failed: 'See the message of Git in the job log.',
  gate_refused: 'The work is kept as a patch; change what the message names, or the limit that it names.',
  sandbox_unavailable: 'Install bubblewrap and allow user namespaces, or set `sandbox: off`.',
  claude_crashed: 'Run again; if it happens again, look at the job log.',
  timed_out: 'Raise `timeout_minutes`, or ask for less at a time.',
  budget: 'Raise `max_budget_usd`, or ask for less at a time.',
  turns: 'Raise `--max-turns` in `claude_args`, or ask for less at a time.',
  cancelled: 'Run the workflow again, or ask again, to go on.',
  internal: 'Please report it with the job log.',
};

export class AppError extends Error {
  readonly reason: Reason;
  readonly remedy: string;

  /** @param message what happened, one or two sentences that name the thing (input, file, branch, request). */
  constructor(reason: Reason, message: string, options: { cause?: unknown; remedy?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.reason = reason;
    this.remedy = options.remedy ?? remedies[reason];
  }
}

export interface UserMessage {
  conclusion: Conclusion;
  reason: Reason;
  message: string;
  remedy: string;
}

/** Turns anything thrown into what a person is told; feeds the comment, the Progress API, HTTP answers and exit codes. */
export function toUserMessage(error: unknown): UserMessage {
  const known =
    error instanceof AppError ? error : new AppError('internal', describe(error), { cause: error });
  return {
    conclusion: known.reason === 'cancelled' ? 'cancelled' : 'failure',
    reason: known.reason,
    message: known.message,
    remedy: known.remedy,
  };
}

/** The remedy that a reason has when nothing more precise is known. */
export function remedyFor(reason: Reason): string {
  return remedies[reason];
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
