/** The PostgreSQL that Forgehand brings along: adopted when it runs, started when not, watched, and left running. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { AppError } from '../../words/errors.ts';
import type { Log } from '../../words/log.ts';
import { type Account, canEnter, postgresAccount } from './postgres-account.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  type Cluster,
  clearLeftovers,
  makeCluster,
  runningPostmaster,
  signal,
  startPostmaster,
  superuser,
} from './postmaster.ts';

export interface Embedded {
  /** Of the database `forgehand`; the same after a restart. */
  url: string;
  /** Stops watching; PostgreSQL stays up for the sessions. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  log: Log;
  /** PostgreSQL's own settings, besides Forgehand's. */
  settings?: Record<string, string>;
}

/** A session and its host hold a handful of connections each. */
const preset = { max_connections: '200', timezone: 'UTC', log_timezone: 'UTC' };
/** `sun_path` has 108 bytes, with a NUL at the end; macOS has 104. */
const longestSocketPath = 103;
const recoveryMs = 300_000;

/** @throws AppError `invalid_input` when the machine cannot, `internal` when PostgreSQL did not come up. */
export async function startEmbedded({ dataDir, log, settings }: EmbeddedOptions): Promise<Embedded> {
  const cluster = await prepare(dataDir);
  const all = { ...preset, ...settings };
  await ensureRunning(cluster, all, log);
  await ensureDatabase(cluster.socket);
  const watch = watchOver(cluster, async () => {
    log.warning('The embedded PostgreSQL went away; starting it again.');
    await ensureRunning(cluster, all, log).catch((error: AppError) => {
      log.error(error.message, { remedy: error.remedy });
      throw error;
    });
    log.info('The embedded PostgreSQL is back.');
  });
  return { url: urlOf(cluster.socket, 'forgehand'), close: watch.close };
}

/** Address of the PostgreSQL of `dataDir`, when it runs. */
export function runningEmbedded(dataDir: string): string | null {
  const directory = join(dataDir, 'postgres', 'data');
  const running = existsSync(directory) ? runningPostmaster(realpathSync(directory)) : null;
  return running && urlOf(running.socket, 'forgehand');
}

/** Ends the PostgreSQL of `dataDir`, if it runs. Answers whether it did. */
export async function stopEmbedded(dataDir: string): Promise<boolean> {
  const directory = join(dataDir, 'postgres', 'data');
  if (!existsSync(directory)) return false;
  const data = realpathSync(directory);
  const cameUp = Date.now() + 20_000;
  while (!clearLeftovers(data, null) && !runningPostmaster(data) && Date.now() < cameUp) await sleep(20);
  const running = runningPostmaster(data);
  if (!running) return false;
  // SIGINT: roll back what is under way, write everything, go. SIGQUIT leaves the writing to the next start.
  for (const [name, waitMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    signal(running.pid, name);
    const end = Date.now() + waitMs;
    while (Date.now() < end && signal(running.pid, 0)) await sleep(20);
    if (!signal(running.pid, 0)) break;
  }
  return true;
}

/** Makes directories and cluster. DATA_DIR/postgres is ours; only `data` and `run` in it are the account's. */
async function prepare(dataDir: string): Promise<Cluster> {
  mkdirSync(join(dataDir, 'postgres'), { recursive: true, mode: 0o700 });
  const home = realpathSync(join(dataDir, 'postgres'));
  const data = join(home, 'data');
  const account = postgresAccount(data);
  if (account) letThrough(account, [realpathSync(dataDir), home]);
  const cluster: Cluster = {
    data,
    log: join(home, 'log'),
    socket: socketDirectory(home, account),
    account,
    binaries: postgresBinaries(home, account),
  };
  if (!existsSync(join(data, 'PG_VERSION'))) await makeCluster(cluster);
  return cluster;
}

/** Lets the account through directories that are private: by their group, and only through. */
function letThrough(account: Account, directories: string[]): void {
  for (const directory of directories) {
    if (canEnter(account, directory)) continue;
    const { mode, uid } = statSync(directory);
    if (uid !== 0) continue;
    chownSync(directory, 0, account.gid);
    chmodSync(directory, (mode & 0o707) | 0o010);
  }
  const last = directories.at(-1)!;
  if (canEnter(account, last)) return;
  throw new AppError('invalid_input', `PostgreSQL runs as ${account.name}, who cannot get into ${last}.`, {
    remedy: 'Set DATA_DIR to a directory that other users can get to (not below /root), or set DATABASE_URL.',
  });
}

/** A private directory whose path is short enough for a socket; the same one at the next start. */
function socketDirectory(home: string, account: Account | null): string {
  const near = join(home, 'run');
  const note = join(home, 'socket-directory');
  if (fits(near)) {
    mkdirSync(near, { recursive: true, mode: 0o700 });
    if (account) chownSync(near, account.uid, account.gid);
    return near;
  }
  const noted = existsSync(note) ? readFileSync(note, 'utf8').trim() : '';
  if (noted && isPrivate(noted, account)) return noted;
  const made = mkdtempSync('/tmp/forgehand-');
  if (account) chownSync(made, account.uid, account.gid);
  writeFileSync(note, made, { mode: 0o600 });
  return made;
}

function fits(directory: string): boolean {
  return Buffer.byteLength(join(directory, '.s.PGSQL.5432.lock')) <= longestSocketPath;
}

/** Others may have made a directory of that name since. */
function isPrivate(directory: string, account: Account | null): boolean {
  const found = statSync(directory, { throwIfNoEntry: false });
  return !!found && found.uid === (account?.uid ?? process.getuid?.()) && (found.mode & 0o077) === 0;
}

async function ensureRunning(cluster: Cluster, settings: Record<string, string>, log: Log): Promise<void> {
  const end = Date.now() + recoveryMs;
  let starts = 0;
  while (Date.now() < end) {
    const running = runningPostmaster(cluster.data);
    if (running && running.socket !== cluster.socket) cluster.socket = running.socket;
    if (running && (await answers(cluster.socket))) return;
    if (!running && clearLeftovers(cluster.data, cluster.socket)) {
      if (starts >= 10) break;
      starts += 1;
      const { ended } = startPostmaster(cluster, settings);
      await Promise.race([ended, untilAnswers(cluster.socket, end)]);
      if (await answers(cluster.socket)) return log.debug('The embedded PostgreSQL was started.');
    }
    await sleep(running ? 50 : 100 * Math.max(starts, 1));
  }
  throw new AppError(
    'internal',
    `The embedded PostgreSQL did not start; its last words are in ${cluster.log}.`,
    {
      cause: new Error(lastWords(cluster.log)),
      remedy: `${lastWords(cluster.log)}\nCheck that the disk of DATA_DIR has room and can be written, or set DATABASE_URL.`,
    },
  );
}

async function untilAnswers(socket: string, end: number): Promise<void> {
  while (Date.now() < end && !(await answers(socket))) await sleep(20);
}

async function answers(socket: string): Promise<boolean> {
  return await withClient(socket, 'postgres', async (client) => {
    await client.query('select 1');
    return true;
  }).catch(() => false);
}

async function ensureDatabase(socket: string): Promise<void> {
  await withClient(socket, 'postgres', async (client) => {
    const { rowCount } = await client.query("select from pg_database where datname = 'forgehand'");
    if (rowCount) return;
    await client.query('create database forgehand').catch((error: { code?: string }) => {
      // Another process was faster: it is there, or just being made.
      if (error.code !== '42P04' && error.code !== '23505') throw error;
    });
  });
}

async function withClient<T>(
  socket: string,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: urlOf(socket, database), connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Holds one connection and calls `gone` when it breaks. */
function watchOver(cluster: Cluster, gone: () => Promise<void>): { close(): Promise<void> } {
  let closed = false;
  let client: pg.Client | null = null;
  const hold = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: urlOf(cluster.socket, 'postgres'),
      application_name: 'forgehand watch',
    });
    fresh.on('error', () => {});
    client = fresh;
    await fresh.connect();
    fresh.once('end', () => void back());
  };
  const back = async (): Promise<void> => {
    for (let pause = 100; !closed; pause = Math.min(pause * 2, 5_000)) {
      try {
        await gone();
        if (!closed) await hold();
        return;
      } catch {
        await sleep(pause, undefined, { ref: false });
      }
    }
  };
  const held = hold().catch(() => back());
  return {
    close: async () => {
      closed = true;
      await held;
      await client?.end().catch(() => {});
    },
  };
}

function urlOf(socket: string, database: string): string {
  return `postgres://${superuser}@localhost/${database}?host=${encodeURIComponent(socket)}`;
}

function lastWords(log: string): string {
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('\n') : '';
}
