/** A lock across processes and machines that nobody can leave behind: the database drops it with the connection. */
import type { Database } from './database.ts';

/** Runs `work` while no other process runs work of the same name; waits for its turn. */
export function exclusively<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  return database.transaction(async (tx) => {
    // The work may take minutes (a first fetch), in which this transaction says nothing.
    await tx.query(`set local idle_in_transaction_session_timeout = 0`);
    await tx.query(`set local statement_timeout = 0`);
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [name]);
    return work();
  });
}
