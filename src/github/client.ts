/** The one GitHub client: REST and GraphQL with timeout, bounded retries, refreshed credentials and errors in words. */
import { request } from '@octokit/request';
import { AppError } from '../words/errors.ts';
import type { Reason } from '../words/result.ts';
import {
  defaultPolicy,
  type Failure,
  imposedWait,
  isRateLimit,
  type RetryPolicy,
  whyNoAnswer,
  withRetry,
} from './retry.ts';

export interface GitHubHost {
  /** REST root, for example `https://api.github.com`. */
  apiUrl: string;
  /** GraphQL endpoint, for example `https://api.github.com/graphql`. */
  graphqlUrl: string;
  /** Where people and Git go, for example `https://github.com`. */
  serverUrl: string;
}

/** How a request may be repeated: `once` when a lost answer does not prove that nothing happened (creating things). */
export type Sending = 'repeatable' | 'once';

export interface GitHubClient {
  host: GitHubHost;
  /**
   * One REST request, `GET /repos/{owner}/{repo}` with its parameters; answers `data` untyped.
   * @throws AppError `github_auth`, `github_unavailable`, or RequestError with `status` for the rest (404, 422, …).
   */
  rest<T = unknown>(route: string, parameters?: Record<string, unknown>, sending?: Sending): Promise<T>;
  /** One page of a list that is paged by cursor: its data, and the cursor of the next page, null at the end. */
  page<T = unknown>(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ data: T; next: string | null }>;
  /**
   * What has changed since the answer with this `etag`; null for nothing, which GitHub's rate limit does not count.
   * @param etag null for whatever is there now
   */
  changed<T = unknown>(
    route: string,
    parameters: Record<string, unknown>,
    etag: string | null,
  ): Promise<{ data: T; etag: string | null } | null>;
  /** One GraphQL request. @throws as `rest`; errors in the answer are a GraphqlError. */
  graphql<T>(query: string, variables?: Record<string, unknown>, sending?: Sending): Promise<T>;
}

/** @param token asked before each request, so that a refreshed credential is used at once. */
export function createClient(
  host: GitHubHost,
  token: () => Promise<string>,
  policy: RetryPolicy = defaultPolicy,
): GitHubClient {
  const octokit = request.defaults({ baseUrl: host.apiUrl, headers: { 'user-agent': 'forgehand' } });
  const once = async (route: string, { headers, ...parameters }: Record<string, unknown>) => {
    const answer = await octokit(route, {
      ...parameters,
      headers: { ...(headers ?? {}), authorization: authorization(await token()) },
      request: { log: quiet, signal: AbortSignal.timeout(policy.timeoutMs) },
    });
    // Octokit hands out JSON that broke off as the text that came, as if it were the answer.
    if (typeof answer.data === 'string' && isJson(answer.headers['content-type'])) {
      throw new BrokenAnswer('the answer broke off');
    }
    return answer;
  };
  const ask = async (
    route: string,
    parameters: Record<string, unknown> = {},
    sending: Sending = 'repeatable',
  ) => {
    // Of what failed, only a rate limit proves that nothing happened.
    const mayRepeat = (failure: Failure | null) =>
      sending === 'once' && failure && !isRateLimit(failure) ? null : failure;
    const answered = withRetry(
      () => once(route, parameters),
      (error) => mayRepeat(toFailure(error)),
      policy,
    );
    return await answered.catch((error) => fail(error, route));
  };
  const send = async <T>(route: string, parameters?: Record<string, unknown>, sending?: Sending) =>
    (await ask(route, parameters, sending)).data as T;
  return {
    host,
    rest: send,
    page: async <T>(route: string, parameters?: Record<string, unknown>) => {
      const { data, headers } = await ask(route, parameters);
      const next = /<([^>]*)>;\s*rel="next"/.exec(headers.link ?? '')?.[1];
      return { data: data as T, next: next ? new URL(next).searchParams.get('cursor') : null };
    },
    changed: async <T>(route: string, parameters: Record<string, unknown>, etag: string | null) => {
      const given = etag ? { ...parameters, headers: { 'if-none-match': etag } } : parameters;
      const answer = await ask(route, given).catch((error) => {
        if (statusOf(error) === 304) return null;
        throw error;
      });
      return answer && { data: answer.data as T, etag: answer.headers.etag ?? null };
    },
    graphql: async <T>(query: string, variables: Record<string, unknown> = {}, sending?: Sending) => {
      const answer = await send<GraphqlAnswer<T>>(`POST ${host.graphqlUrl}`, { query, variables }, sending);
      if (answer.errors?.length) throw new GraphqlRefusal(answer.errors, answer.data);
      return answer.data as T;
    },
  };
}

/** GitHub takes an App's JSON Web Token, three parts with dots, as `bearer` alone. */
function authorization(token: string): string {
  return `${token.split('.').length === 3 ? 'bearer' : 'token'} ${token}`;
}

interface GraphqlAnswer<T> {
  data?: T | null;
  errors?: { type?: string; message: string; path?: (string | number)[]; extensions?: unknown }[];
}

const reasonOfType: Record<string, Reason | undefined> = {
  RATE_LIMITED: 'github_unavailable',
  SERVICE_UNAVAILABLE: 'github_unavailable',
  NOT_FOUND: 'invalid_input',
  FORBIDDEN: 'github_auth',
  INSUFFICIENT_SCOPES: 'github_auth',
};

/** A GraphQL answer with errors; `data` is what was answered all the same. */
export class GraphqlRefusal extends AppError {
  readonly types: string[];
  readonly data: unknown;

  constructor(errors: NonNullable<GraphqlAnswer<unknown>['errors']>, data: unknown) {
    const types = errors.map((error) => error.type ?? '');
    // GitHub's own breakdowns have neither a type nor details; what is left is a query that it does not take: ours.
    const broken = errors.some((error) => !error.type && !error.extensions);
    const known = types.map((type) => reasonOfType[type]).find((reason) => reason !== undefined);
    super(
      known ?? (broken ? 'github_unavailable' : 'internal'),
      `GitHub refused a query: ${errors.map((error) => error.message).join('; ')}`,
    );
    this.name = 'GraphqlRefusal';
    this.types = types;
    this.data = data;
  }
}

/** The HTTP status of a refused request; null for everything else. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
    ? error.status
    : null;
}

/** What failed about an Octokit request; null for everything that is not one (a bug, another room's error). */
export function toFailure(error: unknown): Failure | null {
  const status = statusOf(error);
  if (status === null || !(error instanceof Error)) return null;
  const response =
    'response' in error ? (error.response as { headers?: Record<string, string> } | undefined) : undefined;
  // Octokit reports a request that got no answer as status 500 without a response.
  if (!response) return { status: null, headers: {}, message: whyNoAnswer(error) };
  return { status, headers: response.headers ?? {}, message: spoken(error.message) };
}

/** Proxies and GitHub's edge answer with whole web pages, which nobody wants to read in a comment. */
function spoken(message: string): string {
  return /^\s*</.test(message) ? 'a web page instead of an answer' : message.slice(0, 500);
}

function isJson(contentType: string | undefined): boolean {
  return /\bjson\b/.test(contentType ?? '');
}

/** A 2xx whose body never arrived whole; without a response, as Octokit reports what got no answer. */
class BrokenAnswer extends Error {
  readonly status = 500;
}

function fail(error: unknown, route: string): never {
  const failure = toFailure(error);
  if (!failure) throw error;
  const said = `GitHub answered ${failure.status} to \`${route}\`: ${failure.message}`;
  if (failure.status === null) {
    throw new AppError(
      'github_unavailable',
      `GitHub could not be reached for \`${route}\`: ${failure.message}`,
      { cause: error },
    );
  }
  if (failure.status === 401) throw new AppError('github_auth', said, { cause: error });
  if (failure.status >= 500 || isRateLimit(failure))
    throw new AppError('github_unavailable', `${said}${wait(failure)}`, { cause: error });
  if (failure.status === 403) {
    throw new AppError('github_auth', said, {
      cause: error,
      remedy: 'Give the job or the App the permission that this request needs.',
    });
  }
  throw error;
}

/** How long GitHub asked to be left alone: longer than is waited for here, or it would have been waited for. */
function wait(failure: Failure): string {
  const ms = imposedWait(failure, Date.now());
  return ms === null ? '' : ` It takes requests again in ${Math.ceil(ms / 60_000)} minutes.`;
}

const nothing = () => {};
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };
