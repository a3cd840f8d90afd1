/** Work that must happen though this process may not be there any more: pg-boss on the server's own database. */
import { type Db, type Job, type JobInsert, PgBoss } from 'pg-boss';
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
  /** Deletes what is older than RETENTION_DAYS. */
  retention: { retries: 3, firstDelay: 60, longestDelay: 3_600, expireSeconds: 3_600 },
  /** Fetches failed and missing deliveries from GitHub. */
  recover: { retries: 2, firstDelay: 10, longestDelay: 300, expireSeconds: 900 },
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
/** How often an idle queue is looked at, for jobs whose time has come and for those that nobody was told of. */
const lookEveryMs = 1_000;
/** Tells every server's workers of a queue that it has something new: the payload is its name. */
const channel = 'jobs';
const aYear = 365 * 24 * 3_600;

/** @throws what pg-boss throws when the database refuses its schema. */
export async function openJobs(store: Store, log: Log): Promise<Jobs> {
  const boss = new PgBoss({
    connectionString: store.url,
    application_name: 'forgehand jobs',
    schema: 'pgboss',
    max: 8,
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
    if (!options.startAfterSeconds) await tx.query(`select pg_notify($1, $2)`, [channel, queue]);
  };
  const looks: (() => unknown)[] = [];
  return {
    enqueue: (tx, queue, data, options) => insert(tx, queue, [data], options),
    enqueueAll: async (tx, queue, data, options) => {
      if (data.length) await insert(tx, queue, data, options);
    },
    work: async (queue, handler, { concurrency = 4 } = {}) => {
      const crew = createCrew(boss);
      for (let index = 0; index < concurrency; index += 1) {
        await startWorker(boss, queue, { crew, handler: handler as Handler, log });
      }
      const timer = setInterval(crew.look, lookEveryMs);
      looks.push(() => clearInterval(timer));
      // An empty payload: the connection was away, and anything may have happened.
      looks.push(await store.database.listen(channel, (name) => (name === queue || !name) && crew.look()));
    },
    schedule: (queue, cron, data) => boss.schedule(queue, cron, data ?? {}, { tz: 'UTC' }),
    stop: async (graceSeconds = 10) => {
      for (const end of looks.splice(0)) await end();
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
    notify: false,
  };
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
}

/**
 * The workers of one queue. pg-boss itself would wake all of them for each job, and all but one would look in vain; here
 * one looks. A worker that finds a job lets a neighbour look for more, and looks again when it is done with its own: a
 * burst is drained by all of them, a single job costs three looks.
 */
interface Crew {
  members: string[];
  busy: Set<string>;
  /** Lets one that has nothing to do look for a job; when all are busy, the first to be done looks anyway. */
  look(): void;
}

function createCrew(boss: PgBoss): Crew {
  const crew: Crew = {
    members: [],
    busy: new Set(),
    look: () => {
      const idle = crew.members.find((member) => !crew.busy.has(member));
      if (idle) boss.notifyWorker(idle);
    },
  };
  return crew;
}

async function startWorker(
  boss: PgBoss,
  queue: QueueName,
  { crew, handler, log }: { crew: Crew; handler: Handler; log: Log },
): Promise<void> {
  const options = { batchSize: 1, pollingIntervalSeconds: 30, heartbeatRefreshSeconds: heartbeatSeconds / 3 };
  let member = '';
  const handle = async ([job]: Job<object>[]) => {
    crew.busy.add(member);
    crew.look();
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
      crew.busy.delete(member);
      boss.notifyWorker(member);
    }
  };
  member = await boss.work<object>(queue, options, handle);
  crew.members.push(member);
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
