/** The log of every request that the local GitHub received. */
import type { Identity } from './access.ts';
import { loginOf } from './access.ts';

/** `kit` requests are the kit's own parts (OIDC, token exchange, logs), not GitHub's API. */
export type RequestKind = 'rest' | 'graphql' | 'git' | 'page' | 'kit';

export interface LoggedRequest {
  kind: RequestKind;
  method: string;
  /** After the host, with the query. */
  path: string;
  /** 0 until it is answered, or when the connection was cut. */
  status: number;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Until the answer was sent; null before. */
  ms: number | null;
  authorization: 'none' | 'pat' | 'installation' | 'actions' | 'app' | 'other';
  /** Whose token it was. */
  login: string | null;
  /** The token itself, for who asks which one was used; null without one, or for one that is no good. */
  token: string | null;
  /** The JSON body with long texts cut; null without one. */
  body: unknown;
  /** GraphQL: the name of the operation. */
  operation: string | null;
}

const longestText = 2000;

/** JSON that is short enough to keep. */
export function cut(body: unknown): unknown {
  if (typeof body === 'string') return body.length > longestText ? `${body.slice(0, longestText)}…` : body;
  if (Array.isArray(body)) return body.slice(0, 50).map(cut);
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, cut(value)]));
}

/** How the log names an identity. */
export function describeIdentity(
  identity: Identity,
): Pick<LoggedRequest, 'authorization' | 'login' | 'token'> {
  const authorization = { anonymous: 'none', app: 'app', token: 'pat' } as const;
  const kind = identity.kind === 'token' ? identity.token.kind : authorization[identity.kind];
  const token = identity.kind === 'token' ? identity.token.value : null;
  return { authorization: kind, login: loginOf(identity), token };
}

/** The name of the operation that a GraphQL request runs. */
export function operationOf(body: unknown): string | null {
  const { operationName, query } = (body ?? {}) as { operationName?: string; query?: string };
  return operationName ?? /^\s*(?:query|mutation)\s+(\w+)/.exec(query ?? '')?.[1] ?? null;
}
