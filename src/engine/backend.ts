/** The backend that a dispatch names: it hears of the run from before Claude starts until its end, whatever that is. */
import { type OidcSource, oidcTokens } from '../github/oidc.ts';
import { checkEndpoint, readEndpoint } from '../report/endpoint.ts';
import { deliveryLines, progressApi, type Sent, sender } from '../report/progress-api.ts';
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import type { Redact } from '../words/redact.ts';
import type { Progress, Result } from '../words/result.ts';

export interface Backend {
  /** Resolves once the first event is under way; before that Claude must not start. */
  started(): Promise<void>;
  /** What Claude says of its work. */
  progress(progress: Progress): Promise<void>;
  /** What the engine itself is about. */
  phase(message: string): void;
  /** Resolves when the backend has heard the end, or cannot be told. */
  finished(result: Result): Promise<void>;
  /** What became of the events, for the step summary. Markdown. */
  delivery(): string;
}

/** What the job says, and main's memory for `post`. */
export interface BackendJob {
  config: Config;
  oidc: OidcSource | null;
  /** `owner/repo` */
  repository: string;
  run: { id: string; attempt: string };
  redact: Redact;
  /** Keeps what `post` needs to go on. */
  save(sent: Sent): void;
  /** What main had sent. */
  earlier?: Sent;
  /** Milliseconds that the last event is tried for; as long as the Progress API promises unless told. */
  patienceMs?: number;
}

/**
 * Null when the payload names no endpoint. Looks at nothing else of it: what is wrong there is told to the backend.
 * @throws AppError `invalid_input` for an endpoint that is malformed or refused, `github_auth` without an OIDC token.
 */
export async function openBackend(
  clientPayload: Record<string, unknown> | undefined,
  job: BackendJob,
): Promise<Backend | null> {
  const given = clientPayload?.progress_endpoint ?? null;
  if (given === null) return null;
  const name = 'client_payload.progress_endpoint';
  if (typeof given !== 'string')
    throw new AppError('invalid_input', `\`${name}\` must be a text.`, {
      remedy: `Send \`${name}\` as an https URL.`,
    });
  const endpoint = readEndpoint(given, job.config.progressEndpointsAllowed, name);
  await checkEndpoint(endpoint);
  if (!job.oidc)
    throw new AppError('github_auth', 'Progress is sent with an OIDC token, which this job cannot have.', {
      remedy: "Add `id-token: write` to the job's `permissions:`.",
    });
  const api = progressApi({
    stream: {
      repository: job.repository,
      runId: job.run.id,
      runAttempt: Number(job.run.attempt) || 1,
      correlationId: correlationOf(clientPayload?.correlation_id) ?? job.run.id,
    },
    endpoint: endpoint.url.origin,
    send: sender(endpoint, oidcTokens(job.oidc, job.config.progressAudience ?? endpoint.url.origin)),
    save: job.save,
    redact: job.redact,
    ...(job.earlier && { earlier: job.earlier }),
    ...(job.patienceMs && { terminalMs: job.patienceMs }),
  });
  return {
    started: () => api.started(),
    progress: (progress) => api.progress(progress),
    phase: (message) => void api.progress({ status: 'in_progress', message, currentTask: message }),
    finished: (result) => api.finished(result),
    delivery: () => deliveryLines(api.report()),
  };
}

/** An id that no event could carry is told as wrong by whoever reads the payload whole; the run's own serves until then. */
function correlationOf(given: unknown): string | null {
  return typeof given === 'string' && /^[\x21-\x7e]{1,200}$/.test(given) ? given : null;
}
