/** The exchange of a run's identity token for an App's installation token, as Anthropic offers it. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Permissions } from './app-model.ts';
import type { Oidc } from './oidc.ts';
import { bareApp, installApp, installationToken } from './state/apps.ts';
import type { Store } from './store.ts';

export const exchangeAudience = 'claude-code-github-action';

/** How the exchange can be told to fail. A number is a bare status with a JSON body. */
export type ExchangeFailure =
  | 'workflow_not_found_on_default_branch'
  | 'workflow_validation_failed'
  | 'not_json'
  | number;

export interface ExchangeAnswer {
  status: number;
  body: unknown;
}

export type Exchange = ReturnType<typeof tokenExchange>;

const defaults: Permissions = { contents: 'write', issues: 'write', pull_requests: 'write' };

export function tokenExchange(store: Store, oidc: Oidc) {
  let failing: { failure: ExchangeFailure; left: number } | null = null;
  const exchange = {
    /** The App that tokens belong to; its bot is `<slug>[bot]`. */
    slug: 'claude',
    /** What the real service answers with: `token`, or `app_token` as it once did. */
    field: 'token' as 'token' | 'app_token',

    /** Fails the next `times` requests (all, when absent) in one of the known ways. */
    fail(failure: ExchangeFailure, times = Number.POSITIVE_INFINITY): void {
      failing = { failure, left: times };
    },

    recover(): void {
      failing = null;
    },

    /** @param header the Authorization header with the identity token. */
    async answer(header: string | undefined, body: unknown): Promise<ExchangeAnswer> {
      if (failing && failing.left-- > 0) return failureAnswer(failing.failure);
      const claims = await verify(oidc, header);
      if (!claims) return refusal(401, 'Invalid OIDC token', 'invalid_oidc_token');
      const repository = store.findRepository(String(claims.repository));
      if (!repository)
        return refusal(404, 'The App is not installed on this repository', 'app_not_installed');
      const wanted = (body as { permissions?: Permissions } | null)?.permissions ?? defaults;
      const installation = installApp(store, bareApp(store, exchange.slug, defaults), repository.owner);
      const token = installationToken(store, installation, {
        permissions: wanted,
        repositories: [repository],
      });
      return { status: 200, body: { [exchange.field]: token.value } };
    },
  };
  return exchange;
}

async function verify(oidc: Oidc, header: string | undefined) {
  const jwt = /^bearer (.+)$/i.exec(header ?? '')?.[1];
  if (!jwt) return null;
  try {
    const keys = createLocalJWKSet(await oidc.jwks());
    return (await jwtVerify(jwt, keys, { issuer: oidc.issuer, audience: exchangeAudience })).payload;
  } catch {
    return null;
  }
}

function failureAnswer(failure: ExchangeFailure): ExchangeAnswer {
  if (failure === 'not_json') return { status: 502, body: '<html><body>Bad gateway</body></html>' };
  if (failure === 'workflow_validation_failed') {
    const message =
      'Workflow validation failed. The workflow file must exist and have identical content to the version on the default branch.';
    return refusal(401, message, 'workflow_validation_failed');
  }
  if (failure === 'workflow_not_found_on_default_branch') {
    return refusal(
      401,
      'The workflow file is not on the default branch.',
      'workflow_not_found_on_default_branch',
    );
  }
  return refusal(failure, failure >= 500 ? 'Internal server error' : 'Refused', 'api_error');
}

function refusal(status: number, message: string, code: string): ExchangeAnswer {
  return { status, body: { type: 'error', message, error: { message, details: { error_code: code } } } };
}
