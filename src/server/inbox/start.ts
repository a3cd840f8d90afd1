/** The inbox's standing work: routing, answers, lanes that were left, missed deliveries. For every worker. */
import type { ServerContext } from '../context.ts';
import { whoWeAre } from '../github.ts';
import { waitingLanes } from '../store/deliveries.ts';
import { createAcceptor } from './accept.ts';
import { classify } from './classify.ts';
import type { Self } from './payload-decision.ts';
import { recoverDeliveries, type Take } from './recover.ts';
import { createRouter, type RouterOptions, settingsOf } from './route.ts';
import { type Telling, tell } from './tell.ts';

export interface InboxOptions extends RouterOptions {
  /** Milliseconds between two looks at lanes that were left; a minute unless told. */
  sweepMs?: number;
  /** False: missed deliveries are not fetched by themselves. */
  recover?: boolean;
}

/** Seconds after which something undecided counts as left: its job was lost with the process that ran it. */
const leftAfter = 30;

/** Begins to take jobs. They end with `context.jobs.stop()`; what is answered ends the rest. */
export async function startInbox(
  context: ServerContext,
  options: InboxOptions = {},
): Promise<{ close(): void }> {
  const { jobs, log, store } = context;
  const router = createRouter(context, options);
  await jobs.work<{ threadKey: string }>('route', ({ data }) => router.route(data.threadKey), {
    concurrency: 8,
  });
  await jobs.work<Telling>('tell', ({ data }) => tell(context, data), { concurrency: 2 });
  if (options.recover !== false) await recoverByItself(context);
  const sweep = (seconds: number) =>
    waitingLanes(store.database, seconds)
      .then((lanes) => Promise.all(lanes.map((lane) => router.route(lane))))
      .catch((error: Error) => log.warning(`Lanes could not be looked after: ${error.message}`));
  // At once: what an earlier life left under way is nobody's now, and order is kept whoever else takes it up.
  void sweep(0);
  const timer = setInterval(() => void sweep(leftAfter), options.sweepMs ?? 60_000);
  timer.unref();
  // The database was away: a job that ran then could not even say that it had failed.
  const stop = await store.database.listen('threads', (key) => void (key === '' && sweep(0)));
  return {
    close: () => {
      clearInterval(timer);
      void stop();
    },
  };
}

/** At once, and every three minutes, once for all servers together. */
async function recoverByItself(context: ServerContext): Promise<void> {
  const { jobs, store } = context;
  const run = async () => void (await recoverDeliveries(context, takerOf(context)));
  await jobs.work('recover', run, { concurrency: 1 });
  await jobs.schedule('recover', '*/3 * * * *');
  await jobs.enqueue(store.database, 'recover', {});
}

/** What a fetched delivery goes through: the same as one that was delivered. */
export function takerOf(context: ServerContext): Take {
  const { database } = context.store;
  const acceptor = createAcceptor({ database, jobs: context.jobs });
  const settings = {
    ...settingsOf(context),
    installationId: context.configuration.server.githubAppInstallationId,
  };
  return (raw, payload) => acceptor.accept(classify(raw, settings, { payload, self: null }));
}

/** Who we are, asked for once in the background: until it is known the router finds out for itself. */
export function learnSelf({ configuration, log }: ServerContext): () => Self | null {
  let self: Self | null = null;
  whoWeAre(configuration).then(
    (found) => {
      self = found;
    },
    (error: Error) => log.debug(`It is not known yet who we are: ${error.message}`),
  );
  return () => self;
}
