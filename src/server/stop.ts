/** Ends everything of one DATA_DIR, in order: the server, its sessions, the embedded PostgreSQL. Safe to repeat. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcesses } from '../claude/process.ts';
import { runningServer } from './data-directory.ts';
import { hostName, isAlive } from './session/holder.ts';
import { openDatabase } from './store/database.ts';
import { runningEmbedded, stopEmbedded } from './store/embedded.ts';
import { type HeldLease, leasesOf } from './store/leases.ts';

export interface StopOptions {
  dataDir: string;
  databaseUrl: string | null;
  /** One line for people. */
  print(line: string): void;
}

const serverMs = 30_000;
/** A session that is told to end saves what it has. */
const sessionMs = 20_000;

/** Answers whether everything could be ended; what could not is printed. */
export async function stop({ dataDir, databaseUrl, print }: StopOptions): Promise<boolean> {
  const server = await endServer(dataDir);
  if (server !== null) print(`The server (process ${server}) has ended.`);
  const found = await sessionsOf({ dataDir, databaseUrl, print });
  const ended = found ? await endSessions(found) : 0;
  if (ended)
    print(
      `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended; the next start goes on with them.`,
    );
  const database = await stopEmbedded(dataDir);
  if (database) print('The embedded PostgreSQL has ended.');
  if (server === null && !ended && !database) print(`Nothing of ${dataDir} was running.`);
  return found !== null;
}

async function endServer(dataDir: string): Promise<number | null> {
  const server = runningServer(dataDir);
  if (!server) return null;
  await end(server, serverMs);
  return server.pid;
}

/** SIGTERM, patience, SIGKILL: never another process that has the number by now. */
async function end(process_: { pid: number; pidStarted: string | null }, patienceMs: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', patienceMs],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isAlive(process_)) return;
    try {
      process.kill(process_.pid, signal);
    } catch {
      // It ended just now.
    }
    const until = Date.now() + waitMs;
    while (isAlive(process_) && Date.now() < until) await sleep(25);
  }
}

/** The sessions of this machine; null when the database cannot be asked. */
async function sessionsOf({ dataDir, databaseUrl, print }: StopOptions): Promise<HeldLease[] | null> {
  // Without a database a session ends by itself; one that lives has brought the embedded one back.
  const url = databaseUrl ?? runningEmbedded(dataDir);
  if (url === null) return [];
  const database = await openDatabase(url, { connections: 1 });
  try {
    return await leasesOf(database, hostName(dataDir));
  } catch (error) {
    // Never migrated: there was no session yet.
    if ((error as { code?: string }).code === '42P01') return [];
    print(`The sessions could not be looked up: ${(error as Error).message}`);
    return null;
  } finally {
    await database.close();
  }
}

async function endSessions(sessions: HeldLease[]): Promise<number> {
  const alive = sessions.filter(isAlive);
  await Promise.all(
    alive.map(async (session) => {
      await end(session, sessionMs);
      await endProcesses(session.mark, session.pid);
      if (session.sessionName) await endTmux(session.sessionName);
    }),
  );
  return alive.length;
}

/** Its window may stay open behind a process that was killed. */
async function endTmux(name: string): Promise<void> {
  await promisify(execFile)('tmux', ['kill-session', '-t', `=${name}`]).catch(() => {});
}
