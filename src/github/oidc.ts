/** Asks the Actions runner for OIDC tokens with a given audience, and uses one as long as it serves. */
import { AppError } from '../words/errors.ts';
import { fetchJson } from './fetch-json.ts';

/** What the runner puts into the environment of a job with `id-token: write`. */
export interface OidcSource {
  url: string;
  requestToken: string;
}

/** A token of this audience becomes a credential of GitHub (`auth.ts`). */
export const exchangeAudience = 'claude-code-github-action';
/** And one of this a credential of the model. */
const modelAudience = /^(?:https?:\/\/)?api\.anthropic\.com\.?(?:[:/].*)?$/i;
const renewBeforeMs = 60_000;

/**
 * Tokens for somebody else than GitHub or the model: one is minted when needed, once for all who wait, and used until
 * a minute before it expires. `fresh` asks for another than the former one, which was refused.
 * @throws AppError `invalid_input` for an audience whose tokens could be exchanged for a credential; when a token is
 *   asked for, `github_auth` when the job may not have one, `github_unavailable` when the issuer does not answer.
 */
export function oidcTokens(
  source: OidcSource | null,
  audience: string,
): (fresh?: boolean) => Promise<string> {
  const wanted = audience.trim();
  if (!wanted || wanted.toLowerCase() === exchangeAudience || modelAudience.test(wanted))
    throw new AppError('invalid_input', `\`progress_audience\` must not be \`${wanted}\`.`, {
      remedy:
        'Set `progress_audience` to the origin of the progress endpoint: whoever gets a token of that audience could exchange it for a credential.',
    });
  let current: { token: string; expiresAt: number } | null = null;
  let minting: Promise<string> | null = null;
  const mint = async () => {
    if (!source)
      throw new AppError('github_auth', 'Progress cannot be sent: the job has no OIDC token.', {
        remedy: "Add `id-token: write` to the job's `permissions:`.",
      });
    try {
      const token = await requestOidcToken(source, audience);
      current = { token, expiresAt: expiryOf(token) };
      return token;
    } finally {
      minting = null;
    }
  };
  return async (fresh = false) => {
    if (!fresh && current && Date.now() < current.expiresAt - renewBeforeMs) return current.token;
    minting ??= mint();
    return minting;
  };
}

/** Unix milliseconds; 0, that is never used again, for a token that does not say. Its receiver checks it, not we. */
function expiryOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return Number(claims.exp) * 1000 || 0;
  } catch {
    return 0;
  }
}

/**
 * A GitHub Actions OIDC token (a JWT) for `audience`.
 * @throws AppError `github_auth` when the job may not have one, `github_unavailable` when the issuer does not answer.
 */
export async function requestOidcToken(source: OidcSource | null, audience: string): Promise<string> {
  if (!source) {
    throw new AppError(
      'github_auth',
      'No GitHub credential: the job has no OIDC token and no `github_token` was given.',
      {
        remedy:
          "Add `id-token: write` to the job's `permissions:`, or give `github_token`, or `app_id` and `app_private_key`.",
      },
    );
  }
  const url = new URL(source.url);
  url.searchParams.set('audience', audience);
  const answer = await fetchJson(url, { headers: { authorization: `bearer ${source.requestToken}` } });
  const value = (answer.body as { value?: unknown } | null)?.value;
  if (answer.ok && typeof value === 'string') return value;
  throw new AppError('github_auth', `The OIDC token request was answered with ${answer.status}.`, {
    remedy: 'Check that the job has `id-token: write`.',
  });
}
