/** The kit's own addresses, beside GitHub's: OIDC issuer, token exchange, job logs, and signed attachments. */
import type { IncomingHttpHeaders } from 'node:http';
import { answerSigned } from './attachments.ts';
import type { Exchange } from './exchange.ts';
import type { Kit } from './kit.ts';
import type { Oidc } from './oidc.ts';
import type { Answer } from './rest/call.ts';

export interface KitRequest {
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  json: unknown;
}

export async function answerKit(
  parts: { kit: Kit; oidc: Oidc; exchange: Exchange },
  request: KitRequest,
): Promise<Answer> {
  const { oidc, exchange, kit } = parts;
  const { path } = request;
  if (path.startsWith('/_attachments/')) return answerSigned(kit.store, path, request.query);
  if (path === '/_exchange/github-app-token-exchange') {
    return exchange.answer(request.headers.authorization, request.json);
  }
  if (path === '/_actions/oidc') return identityToken(oidc, request);
  if (path === '/_actions/.well-known/openid-configuration')
    return { status: 200, body: oidc.configuration() };
  if (path === '/_actions/.well-known/jwks') return { status: 200, body: await oidc.jwks() };
  const log = /^\/_actions\/logs\/(.+)$/.exec(path);
  const jobs = [...kit.store.repositories.values()].flatMap((repository) =>
    repository.runs.flatMap((run) => run.jobs),
  );
  const job = log && jobs.find((one) => one.nodeId === log[1]);
  // As the storage behind GitHub: a credential beside the signature is refused.
  if (job && request.headers.authorization)
    return {
      status: 400,
      body: { message: 'Authentication information is not given in the correct format' },
    };
  return job ? { status: 200, body: job.log } : { status: 404, body: { message: 'Not Found' } };
}

async function identityToken(oidc: Oidc, request: KitRequest): Promise<Answer> {
  const token = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const claims = token ? oidc.claimsBehind(token) : null;
  if (!claims) return { status: 401, body: { message: 'Invalid request token' } };
  const audience = request.query.get('audience') ?? `https://github.com/${claims.repository.split('/')[0]}`;
  return { status: 200, body: { value: await oidc.sign(audience, claims) } };
}
