/** A PostgreSQL cluster made once a run of the tests, and copied: to make one takes as long as many a story. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../words/log.ts';
import { stopEmbedded } from './embedded.ts';
import { openStore } from './store.ts';

/**
 * Puts a migrated cluster where the PostgreSQL of `dataDir` will find it. For whoever is not about the first start, which
 * the tests of `embedded.ts`, of `forgehand serve`, of the quick start and of the demo are.
 */
export async function copyCluster(dataDir: string): Promise<void> {
  const run = process.env.FORGEHAND_TEST_DIRECTORY;
  if (!run) return;
  const made = join(run, 'cluster');
  if (!existsSync(made)) await makeOne(run, made);
  mkdirSync(join(dataDir, 'postgres'), { recursive: true, mode: 0o700 });
  execFileSync('cp', ['-a', made, join(dataDir, 'postgres/data')]);
}

async function makeOne(run: string, made: string): Promise<void> {
  const dataDir = mkdtempSync(join(run, 'cluster-'));
  try {
    const store = await openStore({ dataDir, databaseUrl: null, log: createLog(() => undefined) });
    await store.close();
    await stopEmbedded(dataDir);
    const data = join(dataDir, 'postgres/data');
    // Processes are killed in tests; the power is not cut.
    appendFileSync(join(data, 'postgresql.conf'), '\nfsync = off\n');
    renameSync(data, made);
  } catch (error) {
    // Another file of tests was faster.
    if (!existsSync(made)) throw error;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}
