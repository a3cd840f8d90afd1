/** The server's web: its routes, and the limits that every request meets. */

import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { RunningPart, ServerContext } from './context.ts';
import { healthRoutes } from './health.ts';
import { createMetrics } from './metrics.ts';
import { forOperator, operatorRoutes } from './operator.ts';
import { longestParameter, type ProgressOptions, progressRoutes } from './progress/routes.ts';
import { webhookRoute } from './webhook.ts';

export interface WebOptions {
  /** Longest that a request may take to arrive, its headers and in all; milliseconds. */
  headersMs?: number;
  requestMs?: number;
  progress?: ProgressOptions;
  /** More routes: pages. */
  routes?: (app: FastifyInstance, context: ServerContext) => void;
}

export interface RunningWeb extends RunningPart {
  url: string;
  port: number;
}

/** GitHub's own limit for a payload, in bytes. */
const largestBody = 25 * 1024 * 1024;

/** Listens on `WEBHOOK_PORT` (0: any free one). @throws what `listen` does when the port is taken. */
export async function startWeb(context: ServerContext, options: WebOptions = {}): Promise<RunningWeb> {
  const { configuration, operatorToken, log } = context;
  const { headersMs = 10_000, requestMs = 30_000 } = options;
  const app = fastify({
    bodyLimit: largestBody,
    requestTimeout: requestMs,
    routerOptions: { maxParamLength: longestParameter },
    forceCloseConnections: 'idle',
    // Slow clients: each of them would keep a connection, and memory, for as long as it likes.
    http: {
      headersTimeout: Math.min(headersMs, requestMs),
      connectionsCheckingInterval: Math.min(1_000, requestMs),
    },
  });
  // Signatures are over the bytes as they came.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
  const metrics = createMetrics();
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error(`A request failed: ${error.message}`);
    if (status === 413) metrics.refused.inc({ status: '413' });
    void reply.code(status).send({ error: status >= 500 ? 'It failed; the log says why.' : error.message });
  });
  app.setNotFoundHandler((_request, reply) => void reply.code(404).send({ error: 'There is nothing here.' }));
  webhookRoute(app, context, metrics);
  progressRoutes(app, context, { ...options.progress, metrics });
  healthRoutes(app, context);
  operatorRoutes(app, {
    token: operatorToken,
    secure: configuration.server.publicUrl?.startsWith('https:') ?? false,
  });
  app.get('/metrics', { onRequest: forOperator(operatorToken) }, async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.expose(context.store.database)),
  );
  options.routes?.(app, context);
  if (configuration.server.allowUnsignedWebhooks) {
    log.warning(
      'ALLOW_UNSIGNED_WEBHOOKS is on: webhooks are not verified, and anybody who reaches the port can start work.',
    );
  }
  await app
    .listen({ port: configuration.server.webhookPort, host: '::' })
    .catch(async (error: NodeJS.ErrnoException) => {
      // A machine without IPv6.
      if (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL') throw error;
      await app.listen({ port: configuration.server.webhookPort, host: '0.0.0.0' });
    });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://localhost:${port}`, port, close: () => app.close() };
}
