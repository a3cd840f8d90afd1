/** A real PostgreSQL for tests: one server a test file, started when first asked for, and a fresh database a call. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll } from 'vitest';
import { createLog } from '../../words/log.ts';
import { copyCluster } from './cluster.test-support.ts';
import { openDatabase } from './database.ts';
import { startEmbedded, stopEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';
import type { Store } from './store.ts';

export const quietLog = createLog(() => {});

interface Server {
  dataDir: string;
  urlOf(database: string): string;
}

let server: Promise<Server> | null = null;
const open = new Set<Store>();
let made = 0;

/** A migrated database of its own; closed by itself at the end of the test file. `dataDir` lies in a private place. */
export async function startTestStore(): Promise<Store & { dataDir: string }> {
  server ??= startServer();
  const { dataDir, urlOf } = await server;
  made += 1;
  const name = `test_${made}`;
  await administer(urlOf('postgres'), `create database ${name} template forgehand_template`);
  const url = urlOf(name);
  const database = await openDatabase(url);
  const store = {
    database,
    url,
    dataDir,
    // As with an operator's PostgreSQL: the end of a test's server leaves this one alone.
    embedded: false,
    close: async () => {
      open.delete(store);
      await database.close();
    },
  };
  open.add(store);
  return store;
}

async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fh-test-'));
  chmodSync(dataDir, 0o711);
  await copyCluster(dataDir);
  const embedded = await startEmbedded({ dataDir, log: quietLog, settings: { fsync: 'off' } });
  const urlOf = (database: string) => embedded.url.replace('/forgehand?', `/${database}?`);
  await administer(urlOf('postgres'), 'create database forgehand_template');
  const template = await openDatabase(urlOf('forgehand_template'));
  await migrate(template);
  await template.close();
  afterThisFile.push(async () => {
    await embedded.close();
    await stopEmbedded(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { dataDir: join(dataDir), urlOf };
}

const afterThisFile: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const store of [...open]) await store.close().catch(() => {});
  await server?.catch(() => {});
  for (const end of afterThisFile) await end();
});

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
