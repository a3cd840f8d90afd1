/** Work that must happen though this process may not be there any more: pg-boss on the server's own database. */
import { type Db, type JobInsert, PgBoss } from 'pg-boss';
import type { Log } from '../../words/log.ts';
import type { Queryable } from './database.ts';
import type { Store } from './store.ts';

export interface QueueShape {
  /** How often a job that fails is run again, and after how many seconds at first and at most. */
  retries: number;
  firstDelay: number;
  longestDelay: number;
  /** A job that runs longer is taken for lost and run again. */
  expireSeconds: number;
}

/** Every queue. What fails for good is kept in `<queue>_dead` for people to look at. */
export const queues = {
  /** `{ threadKey }` or `{ deliveryId }`: decide what was delivered. */
  route: { retries: 5, firstDelay: 1, longestDelay: 60, expireSeconds: 300 },
  /** Reactions and answers in a thread: `Telling` of server/inbox/tell.ts. */
  tell: { retries: 6, firstDelay: 2, longestDelay: 120, expireSeconds: 300 },
  /** Removes the workspace of a closed thread. */
  cleanup: { retries: 5, firstDelay: 10, longestDelay: 3_600, expireSeconds: 900 },
  /** Deletes what is older than RETENTION_DAYS. */
  retention: { retries: 3, firstDelay: 60, longestDelay: 3_600, expireSeconds: 3_600 },
  /** Fetches failed and missing deliveries from GitHub. */
  recover: { retries: 2, firstDelay: 10, longestDelay: 300, expireSeconds: 900 },
  /** Forwards progress to PROGRESS_FORWARD_URL. */
  forward: { retries: 10, firstDelay: 1, longestDelay: 3_600, expireSeconds: 120 },
} satisfies Record<string, QueueShape>;

export type QueueName = keyof typeof queues;

export interface EnqueueOptions {
  /** Not before this many seconds from now. */
  startAfterSeconds?: number;
}

export interface JobInHand<Data> {
  id: string;
  data: Data;
  /** 0 the first time. */
  attempt: number;
  /** Aborted when the job is taken for lost or the server ends. */
  signal: AbortSignal;
}

export interface Jobs {
  /** Adds a job in the caller's transaction: it exists if and only if that is committed. */
  enqueue(tx: Queryable, queue: QueueName, data: object, options?: EnqueueOptions): Promise<void>;
  /** Many jobs with one statement. */
  enqueueAll(tx: Queryable, queue: QueueName, data: object[], options?: EnqueueOptions): Promise<void>;
  /** Runs `handler` for each job, `concurrency` at a time; what it throws makes the job run again later. */
  work<Data extends object>(
    queue: QueueName,
    handler: (job: JobInHand<Data>) => Promise<void>,
    options?: { concurrency?: number },
  ): Promise<void>;
  /** Adds a job at each time of `cron` (UTC), once for all servers together. */
  schedule(queue: QueueName, cron: string, data?: object): Promise<void>;
  /** Takes no new jobs, waits for those in hand (`graceSeconds`, 10), and gives back those that do not end. */
  stop(graceSeconds?: number): Promise<void>;
}

/** A job whose worker died is run again about this much later; pg-boss takes no less. */
const heartbeatSeconds = 10;
const aYear = 365 * 24 * 3_600;

/** @throws what pg-boss throws when the database refuses its schema. */
export async function openJobs(store: Store, log: Log): Promise<Jobs> {
  const boss = new PgBoss({
    connectionString: store.url,
    application_name: 'forgehand jobs',
    schema: 'pgboss',
    max: 8,
    useListenNotify: true,
    superviseIntervalSeconds: 2,
    monitorIntervalSeconds: 2,
    maintenanceIntervalSeconds: 300,
    queueCacheIntervalSeconds: 30,
    warningQueueSize: 10_000,
  });
  const complain = oncePerMessage((message) => log.warning(`Jobs: ${message}`));
  boss.on('error', (error) => complain(error.message));
  boss.on('warning', ({ message }) => complain(message));
  await boss.start();
  for (const name of Object.keys(queues) as QueueName[]) await shape(boss, name);
  const insert = async (tx: Queryable, queue: QueueName, data: object[], options: EnqueueOptions = {}) => {
    const jobs: JobInsert[] = data.map((one) => ({ data: one, startAfter: options.startAfterSeconds }));
    await boss.insert(queue, jobs, { db: within(tx) });
  };
  return {
    enqueue: (tx, queue, data, options) => insert(tx, queue, [data], options),
    enqueueAll: async (tx, queue, data, options) => {
      if (data.length) await insert(tx, queue, data, options);
    },
    work: async (queue, handler, { concurrency = 4 } = {}) => {
      const workers: string[] = [];
      for (let index = 0; index < concurrency; index += 1) {
        workers.push(await startWorker(boss, queue, { index, workers, handler: handler as Handler, log }));
      }
    },
    schedule: (queue, cron, data) => boss.schedule(queue, cron, data ?? {}, { tz: 'UTC' }),
    stop: async (graceSeconds = 10) => {
      await boss.stop({ graceful: true, close: true, timeout: graceSeconds * 1_000 });
    },
  };
}

type Handler = (job: JobInHand<object>) => Promise<void>;

/** Makes a queue, or gives one of an earlier version today's options. */
async function shape(boss: PgBoss, name: QueueName): Promise<void> {
  const { retries, firstDelay, longestDelay, expireSeconds } = queues[name];
  const dead = `${name}_dead`;
  await boss.createQueue(dead, { retentionSeconds: aYear });
  const options = {
    retryLimit: retries,
    retryBackoff: true,
    retryDelay: firstDelay,
    retryDelayMax: longestDelay,
    expireInSeconds: expireSeconds,
    heartbeatSeconds,
    retentionSeconds: aYear,
    deleteAfterSeconds: 24 * 3_600,
    deadLetter: dead,
    notify: true,
  };
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
}

/**
 * One of the workers of a queue. pg-boss wakes them all for each notification, and then one by one only as time passes;
 * here a worker that found a job looks for the next one at once, and wakes a neighbour to help: a burst is drained at
 * full speed, and an idle queue costs one look a second, for jobs whose time has come.
 */
async function startWorker(
  boss: PgBoss,
  queue: QueueName,
  { index, workers, handler, log }: { index: number; workers: string[]; handler: Handler; log: Log },
): Promise<string> {
  const wake = (which: number) => {
    const worker = workers[which % workers.length];
    if (worker) boss.notifyWorker(worker);
  };
  const options = {
    batchSize: 1,
    pollingIntervalSeconds: 1,
    notifyPollingIntervalSeconds: index === 0 ? 1 : 30,
    heartbeatRefreshSeconds: heartbeatSeconds / 3,
  };
  return await boss.work<object>(queue, options, async ([job]) => {
    wake(index + 1);
    try {
      await handler({ id: job!.id, data: job!.data, attempt: job!.retryCount, signal: job!.signal });
    } catch (error) {
      log.warning(`A job of ${queue} failed: ${(error as Error).message}`, {
        queue,
        job: job!.id,
        attempt: job!.retryCount,
      });
      throw error;
    } finally {
      wake(index);
    }
  });
}

/** Lets pg-boss speak in the caller's transaction. */
function within(tx: Queryable): Db {
  return { executeSql: async (text, values) => ({ rows: await tx.query(text, values) }) };
}

/** While the database is away, every look at it fails in the same words. */
function oncePerMessage(say: (message: string) => void): (message: string) => void {
  const said = new Map<string, number>();
  return (message) => {
    const now = Date.now();
    if (now - (said.get(message) ?? 0) < 60_000) return;
    if (said.size > 100) said.clear();
    said.set(message, now);
    say(message);
  };
}
