/** POST /webhook: verify, persist, answer. Nothing else happens while GitHub waits. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../words/errors.ts';
import type { Secret } from '../words/secret.ts';
import type { ServerContext } from './context.ts';
import { type Acceptor, createAcceptor } from './inbox/accept.ts';
import { classify } from './inbox/classify.ts';
import { settingsOf } from './inbox/route.ts';
import { learnSelf } from './inbox/start.ts';
import type { Metrics } from './metrics.ts';

export function webhookRoute(app: FastifyInstance, context: ServerContext, metrics: Metrics): void {
  const receiver = receiverOf(context, metrics);
  app.post(
    '/webhook',
    {
      // Who shows no signature does not get 25 MB of memory.
      onRequest: async (request, reply) => {
        if (!isUnsignedAllowed(context) && !signatureOf(request)) await unverified(reply, metrics);
      },
    },
    (request, reply) => receive(request, reply, receiver),
  );
}

interface Receiver {
  context: ServerContext;
  metrics: Metrics;
  acceptor: Acceptor;
  classifyNow(
    raw: Parameters<typeof classify>[0],
    payload: Record<string, unknown>,
  ): ReturnType<typeof classify>;
}

function receiverOf(context: ServerContext, metrics: Metrics): Receiver {
  const { configuration, store, jobs } = context;
  const settings = { ...settingsOf(context), installationId: configuration.server.githubAppInstallationId };
  const self = learnSelf(context);
  return {
    context,
    metrics,
    acceptor: createAcceptor({ database: store.database, jobs }),
    classifyNow: (raw, payload) => classify(raw, settings, { payload, self: self() }),
  };
}

async function receive(request: FastifyRequest, reply: FastifyReply, receiver: Receiver) {
  const { context, metrics, acceptor } = receiver;
  const stop = metrics.acknowledge.startTimer();
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isUnsignedAllowed(context) && !verify(body, signatureOf(request), context.webhookSecret)) {
    return unverified(reply, metrics);
  }
  const id = headerOf(request, 'x-github-delivery', /^[\w.:-]{1,200}$/);
  const event = headerOf(request, 'x-github-event', /^[a-z_]{1,100}$/);
  if (!id) return refuse(reply, metrics, 'The header `X-GitHub-Delivery` is missing or no delivery id.');
  if (!event) return refuse(reply, metrics, 'The header `X-GitHub-Event` is missing or no event.');
  const read = readPayload(body, request.headers['content-type'] ?? '');
  if (!read) return refuse(reply, metrics, 'The body is not the JSON object of a webhook.');
  const log = context.log.with({ delivery: id });
  const delivery = receiver.classifyNow({ id, event, payload: read.text, source: 'webhook' }, read.payload);
  const facts = { event, action: delivery.action ?? '', repository: delivery.repository ?? '' };
  try {
    const accepted = await acceptor.accept(delivery);
    const status = accepted === 'duplicate' ? 'duplicate' : delivery.decision ? 'ignored' : 'accepted';
    stop({ status });
    const reason = status === 'ignored' ? delivery.decision?.reason : undefined;
    log.info(`Delivery ${status}.`, {
      ...facts,
      ...(reason && { reason, why: delivery.decision?.message }),
    });
    if (status === 'ignored') return reply.code(200).send({ status, reason, delivery_id: id });
    return reply.code(202).send({ status, delivery_id: id });
  } catch (error) {
    stop({ status: 'unavailable' });
    log.error(`Delivery not stored: ${(error as Error).message}`, facts);
    const { message, remedy } = error instanceof AppError ? error : { message: 'It failed.', remedy: '' };
    const why = context.redact(message);
    return reply
      .code(503)
      .header('retry-after', '30')
      .send({ status: 'unavailable', error: why, remedy, delivery_id: id });
  }
}

function isUnsignedAllowed({ configuration }: ServerContext): boolean {
  return configuration.server.allowUnsignedWebhooks;
}

function unverified(reply: FastifyReply, metrics: Metrics) {
  metrics.refused.inc({ status: '401' });
  return reply.code(401).send({ error: 'The signature in `X-Hub-Signature-256` is missing or wrong.' });
}

function refuse(reply: FastifyReply, metrics: Metrics, error: string) {
  metrics.refused.inc({ status: '400' });
  return reply.code(400).send({ error });
}

/** The digest that the request claims; null for everything that is none. */
function signatureOf(request: FastifyRequest): Buffer | null {
  const hex = headerOf(request, 'x-hub-signature-256', /^sha256=[0-9a-f]{64}$/i)?.slice(7);
  return hex === undefined ? null : Buffer.from(hex, 'hex');
}

/** Over the raw bytes, and in the same time however much of it is right. Without a secret nothing is verified. */
function verify(body: Buffer, signature: Buffer | null, secret: Secret | null): boolean {
  if (!signature || !secret) return false;
  return timingSafeEqual(createHmac('sha256', secret.reveal()).update(body).digest(), signature);
}

function headerOf(request: FastifyRequest, name: string, shape: RegExp): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && shape.test(value) ? value : undefined;
}

/** JSON as it is, or as GitHub's form encoding has it; null when there is no JSON object in it. */
function readPayload(
  body: Buffer,
  contentType: string,
): { text: string; payload: Record<string, unknown> } | null {
  try {
    const given = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
    const text = isForm ? (new URLSearchParams(given).get('payload') ?? '') : given;
    const payload: unknown = JSON.parse(text);
    const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
    return isObject ? { text: text.toWellFormed(), payload: payload as Record<string, unknown> } : null;
  } catch {
    return null;
  }
}
