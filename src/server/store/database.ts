/** The one way to PostgreSQL: queries, transactions and notifications that outlive a database that goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { isConnectionLoss, unreachable } from './connection-loss.ts';
import { createListener } from './listener.ts';

export interface Queryable {
  query<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

export interface Database extends Queryable {
  /** `work` in one transaction; what it throws rolls back. Never repeated: only its beginning is. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * Calls `heard` for each notification, from the moment that the promise is fulfilled until the answered function is
   * called. Reconnects by itself; then `heard('')` says that notifications may have been missed: look at the tables.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Most connections at a time, besides the one that listens. */
  connections?: number;
  /** How long a statement waits for a database that does not answer; a statement that was sent is not sent again. */
  patienceMs?: number;
}

export const schemaName = 'forgehand';

export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const { connections = 10, patienceMs = 5_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'forgehand',
    max: connections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    allowExitOnIdle: true,
    onConnect: async (client) => {
      await client.query(`set search_path to ${schemaName}`);
    },
  });
  // An idle connection that breaks; the next statement gets another one.
  pool.on('error', () => {});
  const listener = createListener(url);
  const checkOut = () => patiently(() => pool.connect(), patienceMs);

  return {
    query: async <Row>(text: string, values?: unknown[]) => {
      const once = async () => {
        const client = await checkOut();
        return await released(client, () => rows<Row>(client, text, values));
      };
      // A statement whose answer was lost may have been carried out: only one that changes nothing is sent again.
      return readsOnly(text) ? await patiently(once, patienceMs) : await once();
    },
    transaction: async (work) => {
      const client = await patiently(async () => {
        const candidate = await checkOut();
        return await released(candidate, () => candidate.query('begin').then(() => candidate), 'keep');
      }, patienceMs);
      return await released(client, () => inTransaction(client, work));
    },
    listen: listener.listen,
    close: async () => {
      await listener.close();
      if (!pool.ended) await pool.end();
    },
  };
}

async function inTransaction<T>(client: pg.PoolClient, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const tx: Queryable = { query: (text, values) => rows(client, text, values) };
  let answer: T;
  try {
    answer = await work(tx);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
  // PostgreSQL answers a commit after a failed statement with a silent rollback.
  const { command } = await client.query('commit');
  if (command !== 'COMMIT')
    throw new Error('A statement of the transaction failed, so nothing of it was kept.');
  return answer;
}

async function rows<Row>(client: pg.PoolClient, text: string, values?: unknown[]): Promise<Row[]> {
  return (await client.query(text, values)).rows as Row[];
}

/** Gives the connection back, or throws it away when it broke; with 'keep' only when `use` failed. */
async function released<T>(client: pg.PoolClient, use: () => Promise<T>, keep?: 'keep'): Promise<T> {
  // Without a listener a connection that breaks while it is checked out ends the process.
  const broke = () => {};
  client.on('error', broke);
  try {
    const answer = await use();
    client.off('error', broke);
    if (!keep) client.release();
    return answer;
  } catch (error) {
    client.off('error', broke);
    client.release(isConnectionLoss(error));
    throw error;
  }
}

async function patiently<T>(attempt: () => Promise<T>, patienceMs: number): Promise<T> {
  const end = Date.now() + patienceMs;
  for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      if (Date.now() + pause > end) throw unreachable(error);
      await sleep(pause);
    }
  }
}

function readsOnly(text: string): boolean {
  return /^\s*(select|show)\b/i.test(text);
}
