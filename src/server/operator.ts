/** Tells the operator from everybody else: by the token, or by the cookie that the printed link exchanges it for. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Secret } from '../words/secret.ts';

const cookieName = 'forgehand_operator';
/** Thirty days, in seconds. */
const cookieLife = 30 * 24 * 3_600;

/** True for who shows the token. No address is trusted: behind a tunnel everybody comes from loopback. */
export function isOperator(request: FastifyRequest, token: Secret): boolean {
  const bearer = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return same(bearer, token.reveal());
  const cookie = cookieOf(request.headers.cookie ?? '');
  return cookie !== null && same(cookie, cookieValue(token));
}

/** For a route that only the operator has. */
export function forOperator(token: Secret) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (isOperator(request, token)) return;
    await reply.code(401).header('www-authenticate', 'Bearer').send({
      error:
        'This needs the operator\u2019s token: the link that the start printed, or `Authorization: Bearer`.',
    });
  };
}

export function operatorRoutes(
  app: FastifyInstance,
  { token, secure }: { token: Secret; secure: boolean },
): void {
  app.get<{ Querystring: { token?: string } }>('/operator', async (request, reply) => {
    void reply
      .header('cache-control', 'no-store')
      .header('referrer-policy', 'no-referrer')
      .header('x-content-type-options', 'nosniff')
      .header(
        'content-security-policy',
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      )
      .type('text/plain; charset=utf-8');
    const given = request.query.token;
    if (typeof given === 'string' && same(given, token.reveal())) {
      // The token leaves the address bar; the cookie is none that another page's request would carry.
      const flags = `Path=/; Max-Age=${cookieLife}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
      return reply
        .code(303)
        .header('set-cookie', `${cookieName}=${cookieValue(token)}; ${flags}`)
        .header('location', '/operator')
        .send('');
    }
    if (given === undefined && isOperator(request, token)) {
      return 'You are the operator of this Forgehand.\n\n/health   sessions\n/metrics  numbers for Prometheus\n';
    }
    return reply
      .code(401)
      .send('Open the link that the start of the server printed: it holds the operator\u2019s token.\n');
  });
}

/** Not the token itself: a cookie is copied more easily, and changes with the token. */
function cookieValue(token: Secret): string {
  return createHmac('sha256', token.reveal()).update('forgehand operator cookie').digest('hex');
}

function cookieOf(header: string): string | null {
  for (const part of header.split(';')) {
    const [name, value] = part.trim().split('=');
    if (name === cookieName && value) return value;
  }
  return null;
}

/** In the same time however much of it is right. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
