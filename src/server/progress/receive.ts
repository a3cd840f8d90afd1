/** POST /progress: who reports, may they, is it an event of theirs; stored before it is answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RunIdentity } from '../../github/oidc-verify.ts';
import { type ProgressEvent, progressEvent } from '../../words/progress.ts';
import type { ServerContext } from '../context.ts';
import type { Metrics } from '../metrics.ts';
import { acceptProgress } from '../store/progress.ts';
import { type IdentifyOptions, identifier } from './identify.ts';
import { later, Refusal } from './refusal.ts';

/** Bytes. */
const largestEvent = 256 * 1024;

export function receiveRoute(
  app: FastifyInstance,
  context: ServerContext,
  { metrics, ...identifying }: IdentifyOptions & { metrics: Metrics },
): void {
  const identify = identifier(context, identifying);
  const reporters = new WeakMap<FastifyRequest, RunIdentity>();
  const refuse = (reply: FastifyReply, { status, message, remedy }: Refusal) => {
    metrics.progressRefused.inc({ status: String(status) });
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    if (status === 503) void reply.header('retry-after', '5');
    return reply.code(status).send({ error: message, ...(remedy && { remedy }) });
  };
  app.post(
    '/progress',
    {
      bodyLimit: largestEvent,
      // Before the body is read: that of a stranger costs us nothing.
      onRequest: async (request, reply) => {
        const who = await identify(request);
        if (who instanceof Refusal) await refuse(reply, who);
        else reporters.set(request, who);
      },
      errorHandler: (error, _request, reply) => {
        const status = error.statusCode ?? 500;
        const known = new Refusal(status, error.message);
        void refuse(reply, status < 500 ? known : later(context, error, 'It failed. Send it again.'));
      },
    },
    async (request, reply) => {
      const taken = await take(context, reporters.get(request)!, request.body);
      return taken instanceof Refusal ? refuse(reply, taken) : reply.code(202).send(taken);
    },
  );
}

async function take(
  context: ServerContext,
  identity: RunIdentity,
  body: unknown,
): Promise<{ status: 'accepted' | 'duplicate'; event_id: string } | Refusal> {
  const event = readEvent(body);
  if (event instanceof Refusal) return event;
  const { repository, run_id: run, correlation_id: correlation, event_id, status } = event;
  const log = context.log.with({ repository, run, correlation, event: event_id });
  if (repository !== identity.repository || run !== identity.runId) {
    log.info('Progress refused: the token is another run’s.', { tokenOf: identity.repository });
    return new Refusal(
      403,
      `The event is of ${repository}, run ${run}; the token is of ${identity.repository}, run ${identity.runId}.`,
    );
  }
  try {
    const forward = context.configuration.server.progressForwardUrl !== null;
    const accepted = await acceptProgress(context.store.database, event, { forward });
    if (accepted !== 'taken') {
      log.debug(`Progress ${accepted}.`, { status });
      return { status: accepted, event_id };
    }
  } catch (error) {
    return later(context, error, 'It could not be stored. Send it again.');
  }
  log.info('Progress refused: the correlation id is another run’s.');
  return new Refusal(
    409,
    'The `correlation_id` is another run’s.',
    'Give each dispatch a `correlation_id` of its own.',
  );
}

/** Fields that an event does not have are left behind. */
function readEvent(body: unknown): ProgressEvent | Refusal {
  const parsed = progressEvent.safeParse(parse(body));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length ? `\`${path.join('.')}\`: ${message}` : message));
  return new Refusal(
    422,
    `The body is no progress event. ${problems.join('. ')}.`,
    'Send an event as the JSON Schema of Forgehand describes it.',
  );
}

/** Undefined for what is no JSON. */
function parse(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
