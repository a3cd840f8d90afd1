/** Decides what was delivered, lane by lane in order of arrival; a lane is a thread's key or a repository's name. */
import { decideAccess } from '../../engine/access.ts';
import { NotInstalled } from '../../github/auth.ts';
import { AppError, toUserMessage } from '../../words/errors.ts';
import type { Log } from '../../words/log.ts';
import type { ServerContext } from '../context.ts';
import { forgetConnection, repositoryConnection } from '../github.ts';
import { isConnectionLoss } from '../store/connection-loss.ts';
import {
  decideDelivery,
  holdTurn,
  moveDelivery,
  nextUndecided,
  noteFailure,
  type StoredDelivery,
  sameBodyBefore,
  type Verdict,
} from '../store/deliveries.ts';
import { applyEffect } from './apply.ts';
import { addressOf } from './applying.ts';
import { type Plan, permitted, planDelivery } from './decide.ts';
import { eventOf, type Gathered, gatherFacts } from './facts.ts';
import { type InboxSettings, ignored } from './payload-decision.ts';
import type { Telling } from './tell.ts';

/** Failures of a delivery's own after which it is set aside. */
const mostFailures = 5;
/** How long GitHub may be away, or refuse us, before a delivery is set aside: milliseconds. */
const patience: Record<string, number> = { github_unavailable: 24 * 3_600_000, github_auth: 3_600_000 };

export interface Router {
  /** Decides all that waits in the lane; what cannot be decided yet is left with a job for later. */
  route(lane: string): Promise<void>;
}

export interface RouterOptions {
  /** Seconds until a failed delivery is tried again. */
  retryAfter?(failures: number): number;
}

export function createRouter(context: ServerContext, options: RouterOptions = {}): Router {
  const { database } = context.store;
  const retryAfter = options.retryAfter ?? ((failures) => 2 ** (failures - 1));
  /** Lanes that this process works on; true when somebody came by meanwhile. */
  const busy = new Map<string, boolean>();

  const drain = async (lane: string) => {
    for (;;) {
      const delivery = await nextUndecided(database, lane);
      if (!delivery) return;
      const seconds = await routeOne(context, delivery, retryAfter);
      if (seconds === null) continue;
      await context.jobs.enqueue(database, 'route', { threadKey: lane }, { startAfterSeconds: seconds });
      return;
    }
  };

  return {
    route: async (lane) => {
      // Others may work on it too, in other processes: `holdTurn` keeps the order whoever does.
      if (busy.has(lane)) {
        busy.set(lane, true);
        return;
      }
      try {
        do {
          busy.set(lane, false);
          await drain(lane);
        } while (busy.get(lane));
      } finally {
        busy.delete(lane);
      }
    },
  };
}

/** Null once it is decided; otherwise the seconds after which to try again. */
async function routeOne(
  context: ServerContext,
  delivery: StoredDelivery,
  retryAfter: (failures: number) => number,
): Promise<number | null> {
  const log = context.log.with({ delivery: delivery.id, task: delivery.threadKey });
  try {
    await decideOne(context, delivery, log);
    return null;
  } catch (error) {
    // The database's absence is nobody's fault: the job is run again.
    if (isConnectionLoss(error)) throw error;
    return await failed(context, delivery, { error, log, retryAfter });
  }
}

async function decideOne(context: ServerContext, delivery: StoredDelivery, log: Log): Promise<void> {
  const gathered = await gatherFacts(context.store.database, delivery);
  if (gathered.thread && gathered.thread.key !== delivery.threadKey) {
    await move(context, delivery, gathered.thread.key);
    return;
  }
  const plan = await planOne(context, delivery, { gathered, log });
  const done = await commit(context, delivery, { plan, gathered });
  if (done) log.info(`Decided: ${done.verdict}.`, { reason: done.reason ?? '', why: done.message ?? '' });
}

/** Delivered before the pull request was known to be an issue's: its lane is the from now on. */
async function move(context: ServerContext, { id }: StoredDelivery, lane: string): Promise<void> {
  await context.store.database.transaction(async (tx) => {
    await moveDelivery(tx, id, lane);
    await context.jobs.enqueue(tx, 'route', { threadKey: lane });
  });
}

interface InHand {
  gathered: Gathered;
  log: Log;
}

async function planOne(
  context: ServerContext,
  delivery: StoredDelivery,
  { gathered, log }: InHand,
): Promise<Plan> {
  const { event, known } = gathered;
  const replayed = await sameBodyBefore(context.store.database, delivery);
  if (replayed) return ignored(event, 'handed_over', `Delivery ${replayed} brought the same already.`);
  const plan = planDelivery(event, settingsOf(context), known);
  if (plan.verdict !== 'run' || !plan.asks) return plan;
  const asks = plan.asks;
  try {
    return permitted(plan, await access(context, delivery, { event, task: asks, log }));
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== 'github_auth') throw error;
    if (error instanceof NotInstalled)
      return { ...ignored(event, error.reason, error.message), verdict: 'deny' };
    // Revoked before its time, perhaps: once more with a new token.
    forgetConnection(context.configuration, whereFrom(delivery, event));
    return permitted(plan, await access(context, delivery, { event, task: asks, log }));
  }
}

async function access(
  context: ServerContext,
  delivery: StoredDelivery,
  {
    event,
    task,
    log,
  }: { event: Gathered['event']; task: Parameters<typeof decideAccess>[0]['task']; log: Log },
) {
  const { configuration, addSecret } = context;
  const request = { ...whereFrom(delivery, event), log, addSecret };
  const { client, credential } = await repositoryConnection(configuration, request);
  const tokenGiven = credential.kind === 'given';
  return decideAccess({ event, task, client, tokenGiven, trustsList: true, config: configuration.engine });
}

function whereFrom({ installationId }: StoredDelivery, { repository }: Gathered['event']) {
  return { repository: `${repository.owner}/${repository.name}`, installationId };
}

export function settingsOf({ configuration }: Pick<ServerContext, 'configuration'>): InboxSettings {
  const { engine, server } = configuration;
  return { engine, trigger: server.trigger, prFeedback: server.prFeedback };
}

/** The decision with all that follows from it, or nothing; null when another process has decided meanwhile. */
async function commit(
  context: ServerContext,
  delivery: StoredDelivery,
  { plan, gathered }: { plan: Plan; gathered: Gathered },
): Promise<Verdict | null> {
  const { configuration, store, jobs } = context;
  return store.database.transaction(async (tx) => {
    if (!(await holdTurn(tx, delivery))) return null;
    let verdict = verdictOf(plan);
    if (plan.verdict === 'run') {
      const { event, thread } = gathered;
      const { tellings, overtaken } = await applyEffect(tx, plan.effect, {
        delivery,
        event,
        thread,
        configuration,
      });
      if (overtaken) verdict = { ...verdict, verdict: 'ignore', reason: 'handed_over', message: overtaken };
      await jobs.enqueueAll(tx, 'tell', tellings);
    }
    await decideDelivery(tx, delivery.id, verdict);
    return verdict;
  });
}

function verdictOf(plan: Plan): Verdict {
  return plan.verdict === 'run'
    ? { verdict: 'run', reason: null, message: null, facts: plan.facts }
    : { verdict: plan.verdict, reason: plan.reason, message: plan.message, facts: plan.facts };
}

interface Failing {
  error: unknown;
  log: Log;
  retryAfter: (failures: number) => number;
}

async function failed(
  context: ServerContext,
  delivery: StoredDelivery,
  { error, log, retryAfter }: Failing,
): Promise<number | null> {
  const { reason, message } = toUserMessage(error);
  const limit = patience[reason];
  const counts = limit === undefined;
  const age = Date.now() - delivery.receivedAt.getTime();
  const failures = delivery.attempts + 1;
  await noteFailure(context.store.database, delivery.id, { error: context.redact(message), counts });
  if (counts ? failures >= mostFailures : age > limit) {
    await setAside(context, delivery, { reason, message: context.redact(message) });
    log.error(`Set aside: ${message}`, { reason });
    return null;
  }
  const seconds = counts ? retryAfter(failures) : Math.min(300, Math.max(5, age / 4_000));
  log.warning(`Not decided yet: ${message}`, { reason, again_in_seconds: Math.ceil(seconds) });
  return Math.ceil(seconds);
}

type Said = Pick<ReturnType<typeof toUserMessage>, 'reason' | 'message'>;

/** Out of the way of its lane; said in the thread when there is one. */
async function setAside(
  context: ServerContext,
  delivery: StoredDelivery,
  { reason, message }: Said,
): Promise<void> {
  const telling = await complaint(context, delivery, { reason, message });
  await context.store.database.transaction(async (tx) => {
    if (!(await holdTurn(tx, delivery))) return;
    await decideDelivery(tx, delivery.id, { verdict: 'set_aside', reason, message, facts: [] });
    if (telling) await context.jobs.enqueue(tx, 'tell', telling);
  });
}

async function complaint(
  context: ServerContext,
  delivery: StoredDelivery,
  { reason, message }: Said,
): Promise<Telling | null> {
  try {
    const { thread } = await gatherFacts(context.store.database, delivery);
    const event = eventOf(delivery);
    // Where nothing works, a stranger's event must not make us speak.
    if (!thread || !event.subject) return null;
    const what = event.item ? `[This](${event.item.htmlUrl})` : 'Something that happened here';
    // What was not foreseen may name things that are nobody's business here.
    const why =
      reason === 'internal' ? `an internal error, in the server's log as \`${delivery.id}\`.` : message;
    const body = `${what} could not be taken in and was set aside: ${why}\n\nWhat comes after it is taken in as usual.`;
    return { ...addressOf({ delivery, event }), comment: { body, replyTo: null } };
  } catch {
    return null; // it is what cannot be read that was set aside
  }
}
