/** Faults that tests put between a client and the local GitHub: errors, rate limits, delays, cut connections. */

export interface Fault {
  /** Any method when absent. */
  method?: string;
  /** Path after the host (`/api/v3/…`, `/api/graphql`, `/o/r.git/…`): its whole text without the query, or a pattern. */
  path?: string | RegExp;
  /** GraphQL only: the operation's name. */
  operation?: string;
  /** How often it strikes; for ever when absent. */
  times?: number;
  /** How many matching requests pass first. */
  skip?: number;
  /** The request is carried out, and only its answer is spoilt: a write whose outcome the client never learns. */
  after?: boolean;
  status?: number;
  headers?: Record<string, string>;
  /** Text, or JSON when it is no string. */
  body?: unknown;
  /** Destroys the connection instead of answering. */
  reset?: true;
  /** Sends half of the answer and then destroys the connection. */
  cutBody?: true;
  /** Milliseconds before it goes on; alone, it is only slow. */
  delayMs?: number;
  /** Never answers, until the client gives up or the server closes. */
  hang?: true;
}

/** What is known of a request when faults are looked up. */
export interface Target {
  method: string;
  path: string;
  operation: string | null;
}

export type Faults = ReturnType<typeof faultRegister>;

export function faultRegister() {
  let active: { fault: Fault; seen: number; struck: number }[] = [];
  return {
    /** Adds a fault; the returned function takes it away again. */
    add(fault: Fault): () => void {
      const entry = { fault, seen: 0, struck: 0 };
      active.push(entry);
      return () => {
        active = active.filter((other) => other !== entry);
      };
    },

    clear(): void {
      active = [];
    },

    /** GitHub's primary rate limit: 403 until `resetAt`. */
    rateLimit(options: Omit<Fault, 'status'> & { resetAt?: Date } = {}): () => void {
      const { resetAt = new Date(Date.now() + 60_000), ...fault } = options;
      const headers = {
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-used': '5000',
        'x-ratelimit-reset': String(Math.ceil(resetAt.getTime() / 1000)),
        'x-ratelimit-resource': 'core',
      };
      const body = {
        message: 'API rate limit exceeded for installation ID 1.',
        documentation_url: documentation,
        status: '403',
      };
      return this.add({ status: 403, headers, body, ...fault });
    },

    /** GitHub's secondary rate limit. @param options.status 403 or 429 */
    secondaryRateLimit(options: Fault & { retryAfterSeconds?: number } = {}): () => void {
      const { retryAfterSeconds = 1, ...fault } = options;
      const status = fault.status ?? 403;
      const message =
        'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
      const body = {
        message,
        documentation_url: `${documentation}#about-secondary-rate-limits`,
        status: String(status),
      };
      return this.add({ headers: { 'retry-after': String(retryAfterSeconds) }, body, ...fault, status });
    },

    /** The fault that strikes this request, if one does; counts it. */
    strike(target: Target): Fault | null {
      for (const entry of active) {
        const { fault } = entry;
        if (!matches(fault, target) || entry.seen++ < (fault.skip ?? 0)) continue;
        if (fault.times !== undefined && entry.struck >= fault.times) continue;
        entry.struck++;
        return fault;
      }
      return null;
    },
  };
}

const documentation = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';

function matches(fault: Fault, target: Target): boolean {
  const { method, path, operation } = fault;
  if (method && method.toUpperCase() !== target.method) return false;
  if (operation && operation !== target.operation) return false;
  if (path === undefined) return true;
  return typeof path === 'string'
    ? path === target.path
    : new RegExp(path.source, path.flags.replace('g', '')).test(target.path);
}
