/** Tells progress that a run or one's own server sent from everything else that reaches an endpoint. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createOidcVerifier, names } from '../github/oidc-verify.ts';
import { AppError } from '../words/errors.ts';
import { type ProgressEvent, progressEvent } from '../words/progress.ts';
import { RefusedError } from './refusal.ts';

/** A WHATWG request, or headers as Node has them with the body as it came: parsed and printed again it is another. */
export type ProgressRequest =
  | Request
  | { headers: Headers | Record<string, string | string[] | undefined>; body: string | Uint8Array };

/** Whom to believe: runs of GitHub Actions by their OIDC token, or a Forgehand server by the secret it forwards with. */
export type ProgressTrust =
  | {
      oidc: {
        /** The origin of the endpoint, or what the workflow has as `progress_audience`. */
        audience: string;
        /** `owner/repo`, or `owner/*` for all of an owner's. */
        repositories: string[];
        /** GitHub's when absent. */
        issuer?: string;
      };
    }
  | { secret: string };

const githubIssuer = 'https://token.actions.githubusercontent.com';
/** Bytes; events are made to fit. */
const longestBody = 256 * 1024;
const longestAgeMs = 5 * 60_000;

/**
 * The event that a request brings, when it is to be believed. Events come at least once: `event_id` tells them apart.
 * @throws RefusedError with the `status` to answer: 401 not signed or wrongly, 403 of another repository or run,
 * 413 too large, 422 not a progress event, 503 the issuer's keys cannot be had now (the sender tries again).
 */
export async function verifyProgress(request: ProgressRequest, trust: ProgressTrust): Promise<ProgressEvent> {
  return 'secret' in trust ? fromServer(request, trust.secret) : fromRun(request, trust.oidc);
}

type Oidc = Extract<ProgressTrust, { oidc: unknown }>['oidc'];

async function fromRun(request: ProgressRequest, oidc: Oidc): Promise<ProgressEvent> {
  const token = /^bearer +(\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1];
  if (!token) {
    throw new RefusedError(401, 'github_auth', 'The request has no `Authorization: Bearer` token.', {
      remedy: 'Send the OIDC token of the run.',
    });
  }
  const claims = await verifierOf(oidc).verify(token).catch(refuseToken);
  if (!oidc.repositories.some((entry) => names(entry, claims.repository))) {
    throw new RefusedError(403, 'not_permitted', `${claims.repository} may not report progress here.`, {
      remedy: 'Add it to `repositories`.',
    });
  }
  const event = eventOf(await bodyOf(request));
  if (event.repository !== claims.repository || event.run_id !== claims.runId) {
    throw new RefusedError(
      403,
      'not_permitted',
      'The event is of another repository or run than its token.',
      {
        remedy: 'Send the event with the token of its own run.',
      },
    );
  }
  return event;
}

/** One for each issuer and audience: it keeps the issuer's keys. */
const verifiers = new Map<string, ReturnType<typeof createOidcVerifier>>();

function verifierOf({ audience, issuer = githubIssuer }: Oidc): ReturnType<typeof createOidcVerifier> {
  if (!audience) throw new AppError('invalid_input', '`audience` is empty: every token would do.');
  const key = JSON.stringify([issuer, audience]);
  const verifier = verifiers.get(key) ?? createOidcVerifier({ issuer, audience });
  verifiers.set(key, verifier);
  return verifier;
}

function refuseToken(error: unknown): never {
  if (!(error instanceof AppError)) throw error;
  const { reason, message, remedy } = error;
  throw new RefusedError(reason === 'github_unavailable' ? 503 : 401, reason, message, {
    cause: error,
    remedy,
  });
}

async function fromServer(request: ProgressRequest, secret: string): Promise<ProgressEvent> {
  if (!secret) throw new AppError('invalid_input', '`secret` is empty: every signature would do.');
  const signature = /^sha256=([0-9a-f]{64})$/.exec(header(request, 'x-forgehand-signature-256') ?? '')?.[1];
  const timestamp = /^\d{1,12}$/.exec(header(request, 'x-forgehand-timestamp') ?? '')?.[0];
  if (!signature || !timestamp) {
    throw new RefusedError(
      401,
      'not_permitted',
      '`X-Forgehand-Signature-256` or `X-Forgehand-Timestamp` is missing, or not as Forgehand writes it.',
      { remedy: 'Send what a Forgehand server forwards, as it is.' },
    );
  }
  const body = await bodyOf(request);
  const wanted = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
  if (!timingSafeEqual(wanted, Buffer.from(signature, 'hex'))) {
    throw new RefusedError(401, 'not_permitted', 'The signature does not fit the body and the secret.', {
      remedy: 'Give both sides the same secret, and the body as it came.',
    });
  }
  if (Math.abs(Date.now() - Number(timestamp) * 1_000) > longestAgeMs) {
    throw new RefusedError(
      401,
      'not_permitted',
      'The signature is older than five minutes, or of the future.',
      {
        remedy: 'Check the clocks of both machines.',
      },
    );
  }
  return eventOf(body);
}

/** Null as well when it came twice. */
function header({ headers }: ProgressRequest, name: string): string | null {
  if (headers instanceof Headers) return headers.get(name);
  const found = Object.entries(headers).filter(([key]) => key.toLowerCase() === name);
  return found.length === 1 && typeof found[0]![1] === 'string' ? found[0]![1] : null;
}

async function bodyOf({ body }: ProgressRequest): Promise<Buffer> {
  if (typeof body === 'string' || body instanceof Uint8Array) return bounded(Buffer.from(body));
  if (!body) return Buffer.alloc(0);
  if (typeof (body as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] !== 'function') {
    throw new AppError('invalid_input', '`body` is not the body as it came.', {
      remedy: 'Give it as text or bytes, before any JSON parser.',
    });
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes > longestBody) break;
  }
  return bounded(Buffer.concat(parts));
}

function bounded(body: Buffer): Buffer {
  if (body.byteLength <= longestBody) return body;
  throw new RefusedError(413, 'invalid_input', 'The body is larger than a progress event can be.', {
    remedy: 'Send a progress event.',
  });
}

function eventOf(body: Buffer): ProgressEvent {
  const remedy = 'Send a progress event as docs/dispatch.md describes it.';
  let given: unknown;
  try {
    given = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new RefusedError(422, 'invalid_input', 'The body is not JSON.', { remedy });
  }
  const checked = progressEvent.safeParse(given);
  if (checked.success) return checked.data;
  const fields = [...new Set(checked.error.issues.map(({ path }) => path.join('.') || 'the body'))];
  throw new RefusedError(
    422,
    'invalid_input',
    `Not as a progress event has it: ${fields.slice(0, 10).join(', ')}.`,
    {
      remedy,
    },
  );
}
