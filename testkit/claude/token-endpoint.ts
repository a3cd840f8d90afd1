/** The model's token endpoint: takes a run's identity token once, for one rule, and gives a short-lived access token. */
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';

/** Which identities are trusted, as a federation rule says it. */
export interface FederationRule {
  /** `fdrl_…` */
  id: string;
  organization: string;
  /** `svac_…`; any is accepted when unset. */
  serviceAccount?: string;
  audience: string;
  /** Who signs the identity tokens: the local GitHub's `oidc`. */
  issuer: { issuer: string; jwks(): Promise<{ keys: JWK[] }> };
  /** Seconds that an access token lives; an hour when unset. */
  lifetime?: number;
}

export type TokenEndpoint = ReturnType<typeof tokenEndpoint>;

export function tokenEndpoint(rule: FederationRule) {
  const seen = new Set<string>();
  const endpoint = {
    /** Every body that was sent, oldest first. */
    asked: [] as Record<string, unknown>[],
    /** Access tokens that were given out, oldest first. */
    granted: [] as string[],

    async answer(body: Record<string, unknown>): Promise<{ status: number; body: unknown }> {
      endpoint.asked.push(body);
      const why = await refusal(rule, seen, body);
      if (why) return { status: 401, body: { error: 'invalid_grant', error_description: why } };
      const token = `sk-ant-oat01-${randomBytes(24).toString('base64url')}`;
      endpoint.granted.push(token);
      const expires = rule.lifetime ?? 3600;
      return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: expires } };
    },
  };
  return endpoint;
}

/** Null for an identity that may have a token. */
async function refusal(
  rule: FederationRule,
  seen: Set<string>,
  body: Record<string, unknown>,
): Promise<string | null> {
  if (body.grant_type !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return 'unsupported grant type';
  if (body.federation_rule_id !== rule.id || body.organization_id !== rule.organization)
    return 'no such federation rule';
  if (rule.serviceAccount && body.service_account_id !== rule.serviceAccount)
    return 'no such service account';
  const { issuer, audience } = rule;
  try {
    const keys = createLocalJWKSet(await issuer.jwks());
    const { payload } = await jwtVerify(String(body.assertion), keys, { issuer: issuer.issuer, audience });
    if (seen.has(payload.jti!)) return 'jti_reused';
    seen.add(payload.jti!);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
