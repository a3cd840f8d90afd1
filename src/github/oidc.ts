/** Asks the Actions runner for an OIDC token with a given audience. */
import { AppError } from '../words/errors.ts';
import { fetchJson } from './fetch-json.ts';

/** What the runner puts into the environment of a job with `id-token: write`. */
export interface OidcSource {
  url: string;
  requestToken: string;
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
