/** Who reports progress: the run behind a request's OIDC token, if its repository may report here. */
import type { FastifyRequest } from 'fastify';
import { createOidcVerifier, type OidcVerifier, type RunIdentity } from '../../github/oidc-verify.ts';
import { toUserMessage } from '../../words/errors.ts';
import type { ServerContext } from '../context.ts';
import { later, Refusal } from './refusal.ts';
import { type MayReport, whoMayReport } from './repositories.ts';

export interface IdentifyOptions {
  /** Asked for at the first request. */
  audience(): string;
  /** Of `createOidcVerifier`. */
  coolDownMs?: number;
}

export function identifier(
  context: ServerContext,
  { audience, coolDownMs }: IdentifyOptions,
): (request: FastifyRequest) => Promise<RunIdentity | Refusal> {
  const mayReport = whoMayReport(context.configuration);
  const issuer = context.configuration.server.oidcIssuer;
  let verifier: OidcVerifier | null = null;
  return async (request) => {
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) return new Refusal(401, 'The header `Authorization: Bearer` is missing.');
    verifier ??= createOidcVerifier({ issuer, audience: audience(), coolDownMs });
    let identity: RunIdentity;
    try {
      identity = await verifier.verify(token);
    } catch (error) {
      const { reason, message, remedy } = toUserMessage(error);
      if (reason === 'github_auth') return new Refusal(401, message, remedy);
      return later(context, error, 'It cannot be verified at present who reports. Send it again.');
    }
    return (await refusalFor(context, mayReport, identity)) ?? identity;
  };
}

async function refusalFor(
  context: ServerContext,
  mayReport: MayReport,
  { repository, runId }: RunIdentity,
): Promise<Refusal | null> {
  try {
    if (await mayReport(repository)) return null;
  } catch (error) {
    return later(context, error, 'It is not known at present who may report. Send it again.');
  }
  context.log.info('Progress refused: the repository is not allowed.', { repository, run: runId });
  return new Refusal(
    403,
    `${repository} may not report progress here.`,
    'The operator names it in PROGRESS_REPOSITORIES_ALLOWED, or installs the App on it.',
  );
}
