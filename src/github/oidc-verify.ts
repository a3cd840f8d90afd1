/** Verifies the identity token of a GitHub Actions run: signed by its issuer, for this audience, not expired. */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AppError } from '../words/errors.ts';
import { fetchJson } from './fetch-json.ts';
import type { RetryPolicy } from './retry.ts';

/** What the issuer says of the run that holds the token. */
export interface RunIdentity {
  /** `owner/repo` */
  repository: string;
  runId: string;
  runAttempt: number;
}

export interface OidcVerifier {
  /** @throws AppError `github_auth` for a token that does not do, `github_unavailable` when the keys cannot be had. */
  verify(token: string): Promise<RunIdentity>;
}

export interface OidcVerifierOptions {
  /** `https://token.actions.githubusercontent.com`, or that of a GitHub Enterprise Server. */
  issuer: string;
  audience: string;
  /** A token of an unknown key lets the keys be fetched again, but not within this time; milliseconds. */
  coolDownMs?: number;
}

/** Of the token's clock and ours. Seconds. */
const clockTolerance = 10;
/** A key that was withdrawn is believed no longer than this. Milliseconds. */
const keysLifeMs = 10 * 60_000;
/** Whoever sends a token waits meanwhile. */
const policy: RetryPolicy = { attempts: 2, firstDelayMs: 200, longestWaitMs: 1_000, timeoutMs: 5_000 };

/** Keys are fetched at the first token, kept, and fetched again when they are old or a token names another one. */
export function createOidcVerifier({
  issuer: given,
  audience,
  coolDownMs = 5_000,
}: OidcVerifierOptions): OidcVerifier {
  const issuer = given.replace(/\/+$/, '');
  const key = publishedKeys(issuer, coolDownMs);
  return {
    verify: async (token) => {
      try {
        // One algorithm: "none", and HMAC with a public key as its secret, never get as far as a key.
        const { payload } = await jwtVerify(token, key, {
          issuer,
          audience,
          algorithms: ['RS256'],
          requiredClaims: ['exp'],
          clockTolerance,
        });
        return identityOf(payload);
      } catch (error) {
        if (error instanceof AppError) throw error;
        throw new AppError('github_auth', whyNot(error, { issuer, audience }), {
          cause: error,
          remedy: `Send an OIDC token of the run that was asked for with the audience ${audience}.`,
        });
      }
    },
  };
}

/** Whether `owner/repo` or `owner/*` names the repository; GitHub takes no notice of case in names. */
export function names(entry: string, repository: string): boolean {
  const [owner, name] = repository.toLowerCase().split('/');
  const [wantedOwner, wantedName, ...more] = entry.toLowerCase().split('/');
  return more.length === 0 && owner === wantedOwner && (wantedName === '*' || name === wantedName);
}

interface Keys {
  find: ReturnType<typeof createLocalJWKSet>;
  fetchedAt: number;
}

function publishedKeys(issuer: string, coolDownMs: number): JWTVerifyGetKey {
  let known: Keys | null = null;
  let fetching: Promise<Keys> | null = null;
  const refetch = () => {
    fetching ??= fetchKeys(issuer)
      .then((keys) => {
        known = keys;
        return keys;
      })
      .finally(() => {
        fetching = null;
      });
    return fetching;
  };
  return async (header, token) => {
    const keys = known && Date.now() - known.fetchedAt < keysLifeMs ? known : await refetch();
    try {
      return await keys.find(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || Date.now() - keys.fetchedAt < coolDownMs) throw error;
      return (await refetch()).find(header, token);
    }
  };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html */
async function fetchKeys(issuer: string): Promise<Keys> {
  const configuration = await get(`${issuer}/.well-known/openid-configuration`);
  const { issuer: named, jwks_uri: uri } = (configuration ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
  // From a page over TLS the way must not lead to one without.
  const isFit = typeof uri === 'string' && URL.canParse(uri) && new URL(uri).protocol === protocolOf(issuer);
  if (named !== issuer || !isFit) throw unavailable(issuer, 'its configuration names no keys of its own');
  const set = (await get(uri)) as JSONWebKeySet;
  try {
    return { find: createLocalJWKSet(set), fetchedAt: Date.now() };
  } catch (error) {
    throw unavailable(issuer, 'its answer is no set of keys', error);
  }
}

async function get(url: string): Promise<unknown> {
  const answer = await fetchJson(url, { headers: { accept: 'application/json' } }, policy);
  if (!answer.ok) throw unavailable(new URL(url).host, `status ${answer.status}`);
  return answer.body;
}

function protocolOf(issuer: string): string {
  return new URL(issuer).protocol;
}

function unavailable(whose: string, why: string, cause?: unknown): AppError {
  return new AppError('github_unavailable', `The keys of ${whose} cannot be had: ${why}.`, { cause });
}

function identityOf(claims: Record<string, unknown>): RunIdentity {
  const { repository, run_id: runId, run_attempt: attempt } = claims;
  const isWhole = (value: unknown): value is string => typeof value === 'string' && /^\d{1,20}$/.test(value);
  if (typeof repository !== 'string' || !repository.includes('/') || !isWhole(runId) || !isWhole(attempt)) {
    throw new AppError(
      'github_auth',
      'The token is no run’s: it lacks `repository`, `run_id` or `run_attempt`.',
    );
  }
  return { repository, runId, runAttempt: Number(attempt) };
}

function whyNot(error: unknown, { issuer, audience }: { issuer: string; audience: string }): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return `The token is not of the issuer ${issuer}.`;
    if (error.claim === 'aud') return `The token is not for the audience ${audience}.`;
    return `The token’s claim \`${error.claim}\` does not do.`;
  }
  return `The token is none that ${issuer} has signed.`;
}
