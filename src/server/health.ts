/** GET /health and /ready: how the server is, for people and for what restarts it. */
import type { FastifyInstance } from 'fastify';
import type { ServerContext } from './context.ts';
import { isOperator } from './operator.ts';
import { type LiveSession, liveSessions, probe } from './store/overview.ts';

/** A probe must not hang because the database does. Milliseconds. */
const patienceMs = 2_000;

export function healthRoutes(app: FastifyInstance, context: ServerContext): void {
  const { configuration, store, version } = context;
  app.get('/health', async (request) => {
    const sessions = await inTime(liveSessions(store.database));
    const shown =
      configuration.server.healthDetails === 'public' || isOperator(request, context.operatorToken);
    return {
      status: sessions ? 'ok' : 'degraded',
      active_sessions: sessions && shown ? Object.fromEntries(sessions.map(renderSession)) : {},
      total_sessions: sessions?.length ?? 0,
      version,
      database: sessions ? 'ok' : 'unreachable',
      sandbox: context.sandbox,
    };
  });
  app.get('/ready', async (_, reply) => {
    const ready = await inTime(probe(store.database).then(() => true));
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'waiting for the database' });
  });
}

function renderSession({ key, sessionName, branch, pullUrl, inTmux }: LiveSession) {
  return [key, { session_name: sessionName, branch, pr_url: pullUrl, tmux_active: inTmux }] as const;
}

/** Null when it fails or takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    work.catch(() => {}); // told as null
  }
}
