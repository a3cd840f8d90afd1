/** Benchmark of claiming, in PostgreSQL alone: 1,000 waiting threads, three workers that take one after the other. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../src/server/store/database.ts';
import { stopEmbedded } from '../src/server/store/embedded.ts';
import { claimThread, releaseLease } from '../src/server/store/leases.ts';
import { openStore } from '../src/server/store/store.ts';
import { createLog } from '../src/words/log.ts';
import { line } from './action-stage.ts';

const threads = 1_000;
const repositories = 20;
const workers = 3;

/** No session is started: what a worker does in the database for each, from the claim to the lease given back. */
export async function measureScale(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-scale-'));
  await chmod(root, 0o711);
  const dataDir = join(root, 'data');
  const store = await openStore({ databaseUrl: null, dataDir, log: createLog(() => {}) });
  const own = await Promise.all(Array.from({ length: workers }, () => openDatabase(store.url)));
  try {
    await fill(store.database);
    const from = performance.now();
    const held = (
      await Promise.all(own.map((database, index) => claimAll(database, `host ${index}`)))
    ).flat();
    const ms = performance.now() - from;
    if (new Set(held.map(({ key }) => key)).size !== threads) throw new Error('Not each was claimed once.');
    const back = performance.now();
    await Promise.all(held.map(({ key, lease }, index) => finish(own[index % workers]!, key, lease)));
    const released = performance.now() - back;
    line(
      `${threads} threads over ${workers} workers`,
      `${Math.round((threads * 1_000) / ms)} claims/s, ${Math.round((threads * 1_000) / released)} ends/s in PostgreSQL (no sessions: their start is the limit)`,
    );
  } finally {
    await Promise.all(own.map((database) => database.close()));
    await store.close();
    await stopEmbedded(dataDir);
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function fill(database: Database): Promise<void> {
  await database.query(
    `insert into threads (key, repository, number, kind)
     select 'octo-org/r' || n % $2 || '#' || n, 'octo-org/r' || n % $2, n, 'issue' from generate_series(1, $1) n`,
    [threads, repositories],
  );
  await database.query(
    `insert into messages (thread_key, kind, actor, body) select key, 'task', 'octocat', 'Look' from threads`,
  );
  await database.query('analyze');
}

interface Claimed {
  key: string;
  lease: string;
}

async function claimAll(database: Database, host: string): Promise<Claimed[]> {
  const held: Claimed[] = [];
  for (;;) {
    const lease = randomUUID();
    const holder = { host, pid: process.pid, pidStarted: null, mark: lease };
    const limits = { maxSessions: threads, maxSessionsPerRepository: threads };
    const claim = await claimThread(database, { lease, holder, ...limits });
    if (!claim) return held;
    held.push({ key: claim.key, lease });
  }
}

async function finish(database: Database, key: string, lease: string): Promise<void> {
  await database.query(`update messages set state = 'done' where thread_key = $1`, [key]);
  await releaseLease(database, key, lease);
}
