/** A JSON request to a host that Octokit does not speak to, with timeout and the same bounded retries. */
import { AppError } from '../words/errors.ts';
import { defaultPolicy, type Failure, type RetryPolicy, whyNoAnswer, withRetry } from './retry.ts';

export interface JsonAnswer {
  ok: boolean;
  status: number;
  /** Parsed JSON, or null when the body is not JSON. */
  body: unknown;
  text: string;
}

class Unanswered extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** Answers 2xx and 4xx as they came. @throws AppError `github_unavailable` when 5xx and resets outlast the retries. */
export async function fetchJson(
  url: URL | string,
  init: RequestInit = {},
  policy: RetryPolicy = defaultPolicy,
): Promise<JsonAnswer> {
  const host = new URL(url).host;
  try {
    return await withRetry(
      () => once(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(policy.timeoutMs) }),
      (error) => (error instanceof Unanswered ? error.failure : null),
      policy,
    );
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    throw new AppError('github_unavailable', `${host} did not answer: ${error.message}`, { cause: error });
  }
}

async function once(url: URL | string, init: RequestInit): Promise<JsonAnswer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init);
    text = await response.text();
  } catch (error) {
    throw new Unanswered({ status: null, headers: {}, message: whyNoAnswer(error) }, error);
  }
  if (response.status >= 500 || response.status === 429) {
    const headers = { 'retry-after': response.headers.get('retry-after') ?? undefined };
    throw new Unanswered({ status: response.status, headers, message: `status ${response.status}` });
  }
  return { ok: response.ok, status: response.status, body: parse(text), text };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
