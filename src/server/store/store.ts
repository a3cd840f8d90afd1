/** Opens what the server keeps: the operator's PostgreSQL or the one that Forgehand brings along, migrated. */
import type { Log } from '../../words/log.ts';
import { type Database, openDatabase } from './database.ts';
import { startEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';

export interface Store {
  database: Database;
  /** For further connections (jobs); with a password in it when the operator's has one. */
  url: string;
  /** True when it is the PostgreSQL that Forgehand brings along. */
  embedded: boolean;
  /** Closes the connections; an embedded PostgreSQL stays up. */
  close(): Promise<void>;
}

export interface StoreOptions {
  databaseUrl: string | null;
  dataDir: string;
  log: Log;
  /** Most connections at a time. */
  connections?: number;
}

/** @throws AppError `invalid_input` or `internal` with what to do about it. */
export async function openStore({ databaseUrl, dataDir, log, connections }: StoreOptions): Promise<Store> {
  const embedded = databaseUrl ? null : await startEmbedded({ dataDir, log });
  const url = databaseUrl ?? embedded!.url;
  const database = await openDatabase(url, { connections });
  const close = async () => {
    await database.close();
    await embedded?.close();
  };
  try {
    await migrate(database);
  } catch (error) {
    await close();
    throw error;
  }
  return { database, url, embedded: embedded !== null, close };
}
