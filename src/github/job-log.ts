/** The log of one job, fetched from where GitHub keeps it without giving the credential away. */
import { AppError } from '../words/errors.ts';
import type { Repository } from '../words/event.ts';
import { type Failure, isRateLimit, type RetryPolicy, whyNoAnswer, withRetry } from './retry.ts';

export interface JobLogSource {
  apiUrl: string;
  token(): Promise<string>;
  repository: Repository;
  signal: AbortSignal;
}

export interface JobLog {
  /** The end of it, from the beginning of a line on. */
  text: string;
  /** Bytes before that which were not kept. */
  omitted: number;
  /** True when there is more after it than is read of any log. */
  unread: boolean;
}

/** In bytes: what is kept, and what is read to get to it. */
export interface LogLimits {
  keep: number;
  read: number;
}

const limits: LogLimits = { keep: 8 * 2 ** 20, read: 256 * 2 ** 20 };
const policy: RetryPolicy = { attempts: 3, firstDelayMs: 400, longestWaitMs: 30_000, timeoutMs: 120_000 };
const mostRedirects = 3;

/** Null where GitHub shows none: no such job here, still at work, expired, or no permission. @throws AppError */
export async function downloadJobLog(
  source: JobLogSource,
  job: number,
  { keep, read }: LogLimits = limits,
): Promise<JobLog | null> {
  const toFailure = (error: unknown) =>
    error instanceof Unanswered && !source.signal.aborted ? error.failure : null;
  return withRetry(() => follow(source, job, { keep, read }), toFailure, policy).catch((error) => {
    if (!(error instanceof Unanswered)) throw error;
    throw new AppError('github_unavailable', `The log could not be fetched: ${error.message}.`);
  });
}

class Unanswered extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * The credential goes to the API and nowhere else: the address that it names carries its own signature. Attack: "the
 * storage never sees the token" in `job-log.test.ts`.
 */
async function follow(source: JobLogSource, job: number, most: LogLimits): Promise<JobLog | null> {
  const { owner, name } = source.repository;
  const signal = AbortSignal.any([source.signal, AbortSignal.timeout(policy.timeoutMs)]);
  let url = new URL(`${source.apiUrl}/repos/${owner}/${name}/actions/jobs/${job}/logs`);
  let headers: Record<string, string> = {
    authorization: `token ${await source.token()}`,
    accept: 'application/vnd.github+json',
    'user-agent': 'forgehand',
  };
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const response = await ask(url, headers, signal);
    if (!response) return null;
    if (response.status < 300 || response.status > 399) return read(response, most);
    await response.body?.cancel();
    const location = response.headers.get('location');
    const next = location ? URL.parse(location, url.href) : null;
    if (!next || next.username || next.protocol !== url.protocol)
      throw new AppError('github_unavailable', 'GitHub named no address of the log that can be used.');
    url = next;
    headers = {};
  }
  throw new AppError('github_unavailable', 'GitHub led from one address of the log to the next.');
}

async function ask(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response | null> {
  const response = await fetch(url, { headers, redirect: 'manual', signal }).catch((error) => {
    throw new Unanswered({ status: null, headers: {}, message: whyNoAnswer(error) });
  });
  const { status } = response;
  if (status < 400) return response;
  await response.body?.cancel();
  const names = ['retry-after', 'x-ratelimit-remaining', 'x-ratelimit-reset'];
  const given = Object.fromEntries(names.map((name) => [name, response.headers.get(name) ?? undefined]));
  const failure: Failure = { status, headers: given, message: `GitHub answered ${status}` };
  if ((status === 403 && !isRateLimit(failure)) || status === 404 || status === 410) return null;
  throw new Unanswered(failure);
}

/** Reads on to the end and keeps that: a log may be longer than memory, and what went wrong stands at its end. */
async function read(response: Response, { keep, read }: LogLimits): Promise<JobLog> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let size = 0;
  let unread = false;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      held += chunk.length;
      size += chunk.length;
      if (held > 2 * keep) {
        chunks = [lastOf(chunks, keep)];
        held = keep;
      }
      unread = size > read;
      if (unread) break;
    }
  } catch (error) {
    throw new Unanswered({ status: null, headers: {}, message: whyNoAnswer(error) });
  }
  const kept = lastOf(chunks, keep);
  // From a line of its own on, where something is missing before it.
  const start = size > kept.length ? kept.indexOf(0x0a) + 1 : 0;
  const text = new TextDecoder().decode(kept.subarray(start));
  return { text, omitted: size - kept.length + start, unread };
}

function lastOf(chunks: Uint8Array[], bytes: number): Uint8Array {
  const all = Buffer.concat(chunks);
  return all.subarray(Math.max(0, all.length - bytes));
}
