/** The OIDC issuer of GitHub Actions: identity tokens of runs, their public keys, and key rotation. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** What a run says about itself; anything else may be added or overridden. */
export interface RunClaims {
  /** `owner/name` */
  repository: string;
  runId?: number | string;
  actor?: string;
  /** `refs/heads/main` when absent. */
  ref?: string;
  eventName?: string;
  /** Lifetime in seconds; 300 when absent. */
  lifetime?: number;
  [claim: string]: unknown;
}

/** The pair that the runner puts into the environment of a job with `id-token: write`. */
export interface OidcRequest {
  /** ACTIONS_ID_TOKEN_REQUEST_URL */
  url: string;
  /** ACTIONS_ID_TOKEN_REQUEST_TOKEN */
  token: string;
}

interface Key {
  kid: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

export type Oidc = ReturnType<typeof oidcIssuer>;

/** @param serverUrl read at each use, as it is known only once the server listens. */
export function oidcIssuer(serverUrl: () => string) {
  const requests = new Map<string, RunClaims>();
  const keys: Key[] = [];
  let first: Promise<Key> | null = null;

  async function currentKey(): Promise<Key> {
    first ??= newKey();
    if (keys.length === 0) keys[0] = await first;
    return keys.at(-1)!;
  }

  const issuer = () => `${serverUrl()}/_actions`;

  const oidc = {
    /** `iss` of every token. */
    get issuer() {
      return issuer();
    },

    /** Opens the door for one run. */
    request(claims: RunClaims): OidcRequest {
      const token = randomBytes(24).toString('base64url');
      requests.set(token, claims);
      return { url: `${issuer()}/oidc?api-version=2.0`, token };
    },

    /** Signs a token directly, without a request. */
    async sign(audience: string, claims: RunClaims): Promise<string> {
      const { kid, privateKey } = await currentKey();
      return new SignJWT(claimsOf(claims))
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .setIssuer(issuer())
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore('0s')
        .setExpirationTime(`${claims.lifetime ?? 300}s`)
        .setJti(randomUUID())
        .sign(privateKey);
    },

    /** Signs with a new key from now on; old keys stay published unless `forget`. */
    async rotate(options: { forget?: boolean } = {}): Promise<void> {
      const key = await newKey();
      if (options.forget) keys.length = 0;
      keys.push(key);
    },

    async jwks(): Promise<{ keys: JWK[] }> {
      await currentKey();
      return { keys: keys.map((key) => key.jwk) };
    },

    /** The claims behind a request token; null when it is unknown. */
    claimsBehind: (token: string): RunClaims | null => requests.get(token) ?? null,

    configuration: () => ({
      issuer: issuer(),
      jwks_uri: `${issuer()}/.well-known/jwks`,
      subject_types_supported: ['public', 'pairwise'],
      response_types_supported: ['id_token'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
    }),
  };
  return oidc;
}

function claimsOf(claims: RunClaims): JWTPayload {
  const { repository, runId, actor, ref = 'refs/heads/main', eventName, lifetime: _, ...more } = claims;
  return {
    sub: `repo:${repository}:ref:${ref}`,
    repository,
    repository_owner: repository.split('/')[0],
    repository_visibility: 'public',
    run_id: String(runId ?? 1),
    run_number: '1',
    run_attempt: '1',
    actor: actor ?? repository.split('/')[0],
    ref,
    ref_type: 'branch',
    event_name: eventName ?? 'issue_comment',
    workflow: 'Claude',
    workflow_ref: `${repository}/.github/workflows/claude.yml@${ref}`,
    job_workflow_ref: `${repository}/.github/workflows/claude.yml@${ref}`,
    runner_environment: 'github-hosted',
    ...more,
  };
}

async function newKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomUUID();
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}
