/** Stores deliveries durably before they are answered, those that come at the same time in one transaction. */
import { AppError } from '../../words/errors.ts';
import { isConnectionLoss } from '../store/connection-loss.ts';
import type { Database } from '../store/database.ts';
import { insertDeliveries, type NewDelivery } from '../store/deliveries.ts';
import type { Jobs } from '../store/jobs.ts';

/** `stored`: this call brought it. The decision of one that the payload decides is stored with it. */
export type Accepted = 'stored' | 'duplicate';

export interface Acceptor {
  /** Resolves once the delivery is on disk with the job that will route it. @throws AppError `internal` in time for an answer. */
  accept(delivery: NewDelivery): Promise<Accepted>;
}

/** Most deliveries and bytes that one transaction takes. */
const batchSize = 64;
const batchBytes = 32 * 1024 * 1024;
/** GitHub waits for ten seconds: a "no" that it hears is better than an answer that it does not. */
const patienceMs = 4_000;
/** More than this many waiting ones would not be stored in time anyway; each holds up to 25 MB of memory. */
const longestQueue = 2_000;

interface Waiting {
  delivery: NewDelivery;
  resolve(accepted: Accepted): void;
  reject(error: unknown): void;
}

export function createAcceptor({ database, jobs }: { database: Database; jobs: Jobs }): Acceptor {
  let waiting: Waiting[] = [];
  let storing = false;

  // One transaction at a time: what waits for the disk meanwhile goes with the next one, and arrivals keep their order.
  const drain = async () => {
    storing = true;
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      waiting = waiting.slice(batch.length);
      await storeBatch(batch, { database, jobs });
    }
    storing = false;
  };

  return {
    accept: async (delivery) => {
      if (waiting.length >= longestQueue) throw unavailable('too many deliveries wait for the database');
      const stored = new Promise<Accepted>((resolve, reject) => waiting.push({ delivery, resolve, reject }));
      if (!storing) void drain();
      return await inTime(stored, () => {
        waiting = waiting.filter((one) => one.delivery !== delivery);
      });
    },
  };
}

function takeBatch(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  const full = waiting.findIndex(({ delivery }, index) => {
    bytes += delivery.payload.length;
    return index === batchSize || (index > 0 && bytes > batchBytes);
  });
  return full < 0 ? [...waiting] : waiting.slice(0, full);
}

async function storeBatch(batch: Waiting[], store: { database: Database; jobs: Jobs }): Promise<void> {
  try {
    const fresh = await store.database.transaction(async (tx) => {
      const rows = await insertDeliveries(
        tx,
        batch.map(({ delivery }) => delivery),
      );
      const lanes = new Set(rows.filter(({ decided }) => !decided).map(({ threadKey }) => threadKey));
      await store.jobs.enqueueAll(
        tx,
        'route',
        [...lanes].filter((lane) => lane !== null).map((threadKey) => ({ threadKey })),
      );
      return new Set(rows.map(({ id }) => id));
    });
    for (const { delivery, resolve } of batch) {
      resolve(fresh.delete(delivery.id) ? 'stored' : 'duplicate');
    }
  } catch (error) {
    // One delivery that the database refuses must not take its neighbours along.
    if (batch.length > 1 && !isConnectionLoss(error)) {
      for (const one of batch) await storeBatch([one], store);
      return;
    }
    for (const { reject } of batch) reject(error);
  }
}

async function inTime<T>(stored: Promise<T>, giveUp: () => void): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    giveUp();
    late.reject(unavailable('the database did not take it in time'));
  }, patienceMs);
  timer.unref();
  try {
    return await Promise.race([stored, late.promise]);
  } catch (error) {
    stored.catch(() => {}); // told already
    throw error instanceof AppError ? error : unavailable((error as Error).message, error);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(why: string, cause?: unknown): AppError {
  return new AppError('internal', `The delivery could not be stored: ${why}.`, {
    cause,
    remedy: 'It is fetched from GitHub, or can be redelivered there, once the database takes it.',
  });
}
