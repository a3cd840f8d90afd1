/** Starts a task: one `repository_dispatch`, checked before it is sent. */
import { randomUUID } from 'node:crypto';
import {
  defaultPolicy,
  type Failure,
  isRateLimit,
  type RetryPolicy,
  whyNoAnswer,
  withRetry,
} from '../github/retry.ts';
import { AppError } from '../words/errors.ts';
import { clientPayloadOf, type Task } from './payload.ts';
import { RefusedError } from './refusal.ts';

export interface DispatchOptions extends Task {
  /** `owner/repo` */
  repository: string;
  /** A GitHub token with write access to the repository's contents. */
  token: string;
  /** What the workflow listens to: `on: repository_dispatch: types:`. `claude-task` when absent. */
  eventType?: string;
  /** `https://api.github.com` when absent. */
  apiUrl?: string;
}

/**
 * Asks GitHub to start a task. Sent again only when GitHub has said that it did not take it, or was not reached.
 * @returns the correlation id that all progress of the task has.
 * @throws AppError `invalid_input` before anything is sent; RefusedError with GitHub's `status`; AppError
 * `github_unavailable` when GitHub does not answer, and says so where the task may have been started all the same.
 */
export async function dispatchTask(
  options: DispatchOptions,
  policy: RetryPolicy = defaultPolicy,
): Promise<{ correlationId: string }> {
  const { repository, token, eventType = 'claude-task', apiUrl = 'https://api.github.com' } = options;
  check({ repository, token, eventType, apiUrl });
  const correlationId = options.correlationId ?? randomUUID();
  const clientPayload = clientPayloadOf({ ...options, correlationId });
  const url = `${apiUrl.replace(/\/+$/, '')}/repos/${repository}/dispatches`;
  const init: RequestInit = {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'content-type': 'application/json',
      'user-agent': 'forgehand',
    },
    body: JSON.stringify({ event_type: eventType, client_payload: clientPayload }),
    redirect: 'manual',
  };
  const failureOf = (error: unknown) => (error instanceof Failed && error.mayRepeat ? error.failure : null);
  try {
    await withRetry(() => post(url, init, policy.timeoutMs), failureOf, policy);
  } catch (error) {
    throw error instanceof Failed ? inWords(error, repository, correlationId) : error;
  }
  return { correlationId };
}

function check(given: { repository: string; token: string; eventType: string; apiUrl: string }): void {
  const problem = (message: string, remedy: string) => new AppError('invalid_input', message, { remedy });
  if (
    !/^[A-Za-z0-9][A-Za-z0-9_-]*\/[A-Za-z0-9._-]+$/.test(given.repository) ||
    /\/\.+$/.test(given.repository)
  )
    throw problem('`repository` must be `owner/repo`.', 'Give the name as it is in its address on GitHub.');
  // A header that cannot be made would show the token in its error.
  if (!/^[\x21-\x7e]+$/.test(given.token))
    throw problem(
      '`token` is empty, or is no token.',
      'Give a GitHub token that may write to the repository.',
    );
  if (given.eventType.length < 1 || given.eventType.length > 100)
    throw problem(
      '`eventType` must have 1 to 100 characters.',
      'Give the type that the workflow listens to.',
    );
  if (!/^https?:$/.test(URL.parse(given.apiUrl)?.protocol ?? ''))
    throw problem('`apiUrl` is not an address.', 'Give the root of GitHub’s REST API.');
}

class Failed extends Error {
  readonly failure: Failure;
  /** Nothing has happened yet: GitHub refused for now, broke down, or was never reached. */
  readonly mayRepeat: boolean;

  constructor(failure: Failure, mayRepeat: boolean, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
    this.mayRepeat = mayRepeat;
  }
}

/** Failures of the way there: no byte of the request has arrived. */
const neverSent = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

async function post(url: string, init: RequestInit, timeoutMs: number): Promise<void> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    text = await response.text();
  } catch (error) {
    const failure = { status: null, headers: {}, message: whyNoAnswer(error) };
    throw new Failed(failure, neverSent.includes(codeOf(error)), error);
  }
  if (response.ok) return;
  const { status } = response;
  const failure = { status, headers: Object.fromEntries(response.headers), message: messageOf(text) };
  throw new Failed(failure, status >= 500 || isRateLimit(failure));
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? cause.code : '';
}

/** GitHub's own word for it; its edge answers with whole web pages, which nobody wants to read. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message.replace(/\s+/g, ' ').slice(0, 300) : 'no reason';
  } catch {
    return 'no reason';
  }
}

function inWords({ failure, mayRepeat, cause }: Failed, repository: string, correlationId: string): AppError {
  const { status, message } = failure;
  if (status === null) {
    const started = mayRepeat ? '' : ` The task may have been started all the same, as \`${correlationId}\`.`;
    return new AppError('github_unavailable', `GitHub could not be reached: ${message}.${started}`, {
      cause,
    });
  }
  const said = `GitHub answered ${status} to the dispatch: ${message}`;
  if (status >= 500 || isRateLimit(failure)) return new RefusedError(status, 'github_unavailable', said);
  if (status < 400)
    return new RefusedError(status, 'invalid_input', `${repository} has moved.`, {
      remedy: 'Give the name that the repository has now.',
    });
  if (status === 401)
    return new RefusedError(status, 'github_auth', said, { remedy: 'Give a token that is still valid.' });
  if (status === 403 || status === 404)
    return new RefusedError(status, 'github_auth', said, {
      remedy: `Check the name \`${repository}\`, and give a token with write access to its contents.`,
    });
  return new RefusedError(status, 'invalid_input', said, { remedy: 'Correct what GitHub names.' });
}
