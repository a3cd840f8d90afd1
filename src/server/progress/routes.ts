/** The Progress API: runs report, the operator reads and follows. */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isTerminal, progressEvent } from '../../words/progress.ts';
import type { ServerContext } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { forOperator } from '../operator.ts';
import { hasEnded, progressSince, readProgress, type StoredProgress } from '../store/progress.ts';
import { createFollowers } from './followers.ts';
import { receiveRoute } from './receive.ts';
import { stream } from './stream.ts';

export interface ProgressOptions {
  /** Milliseconds between two signs of life of a stream. */
  heartbeatMs?: number;
  /** Milliseconds before an unknown key lets the issuer's keys be fetched again. */
  coolDownMs?: number;
}

interface ById {
  Params: { correlation_id: string };
}

/** The longest correlation id, with each character as `%XX`. */
export const longestParameter = 600;

export function progressRoutes(
  app: FastifyInstance,
  context: ServerContext,
  { metrics, heartbeatMs = 15_000, coolDownMs }: ProgressOptions & { metrics: Metrics },
): void {
  const { configuration, store, operatorToken, log } = context;
  const { database } = store;
  // With WEBHOOK_PORT=0 the port is known once the server listens.
  const audience = () =>
    configuration.server.progressAudience ?? `http://localhost:${(app.server.address() as AddressInfo).port}`;
  receiveRoute(app, context, { metrics, audience, coolDownMs });

  const onRequest = forOperator(operatorToken);
  app.get<ById>('/progress/:correlation_id', { onRequest }, async (request, reply) => {
    const id = request.params.correlation_id;
    const stored = isCorrelationId(id) ? await readProgress(database, id) : null;
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    return stored ? render(id, stored) : unknown(reply);
  });

  const followers = createFollowers(database);
  const open = new Set<ServerResponse>();
  // Streams do not end by themselves, and the end of the server waits for what is under way.
  app.addHook('preClose', async () => {
    for (const raw of open) {
      // One that does not read would not notice the end either.
      if (raw.writableNeedDrain) raw.destroy();
      else raw.end();
    }
  });
  app.get<ById>(
    '/progress/:correlation_id/events',
    { onRequest, exposeHeadRoute: false },
    async (request, reply) => {
      const correlationId = request.params.correlation_id;
      if (!isCorrelationId(correlationId)) return unknown(reply);
      const given = request.headers['last-event-id'];
      const after = typeof given === 'string' && /^\d{1,18}$/.test(given) ? given : '0';
      if (after !== '0' && (await isOver(after))) return reply.code(204).send();
      reply.hijack();
      const { raw } = reply;
      open.add(raw);
      stream(raw, { correlationId, after }, { database, followers, heartbeatMs })
        .catch((error: Error) =>
          log.info(`A stream of progress was cut: ${error.message}`, { correlationId }),
        )
        .finally(() => open.delete(raw));

      /** A browser comes back when a stream has ended, unless it is told that there is nothing to come back for. */
      async function isOver(last: string): Promise<boolean> {
        const [more] = await progressSince(database, { correlationId, after: last, limit: 1 });
        return !more && (await hasEnded(database, correlationId, last));
      }
    },
  );
}

function isCorrelationId(text: string): boolean {
  return progressEvent.shape.correlation_id.safeParse(text).success;
}

function unknown(reply: FastifyReply) {
  return reply.code(404).send({ error: 'Nothing has been reported with this correlation id.' });
}

/** The end of the newest attempt is its state, whatever of it arrives later. */
function render(correlationId: string, { repository, runId, events }: StoredProgress) {
  const newest = events.at(-1)!;
  const ended = events.findLast(
    ({ run_attempt, status }) => run_attempt === newest.run_attempt && isTerminal(status),
  );
  const { run_attempt, status } = ended ?? newest;
  return { correlation_id: correlationId, repository, run_id: runId, run_attempt, status, events };
}
