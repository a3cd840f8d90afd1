/** DATA_DIR: private, writable, used by one server at a time, and where generated secrets are kept. */
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { Secret } from '../words/secret.ts';
import { writePrivately } from './private-file.ts';
import { isAlive, ourselves } from './session/holder.ts';

/** What `serve.json` says: the server that works on this directory. */
export interface RunningServer {
  pid: number;
  pidStarted: string | null;
  startedAt: string;
}

/** @throws AppError `invalid_input` when it cannot be made, `internal` when nothing can be written there. */
export function prepareDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new AppError('invalid_input', `DATA_DIR ${dataDir} cannot be made: ${(error as Error).message}.`, {
      cause: error,
      remedy: 'Make it, give it to the user that Forgehand runs as, or set DATA_DIR to another directory.',
    });
  }
  const probe = join(dataDir, '.probe');
  // More than a file system keeps in an inode: a full disk shows here, not in the middle of the work.
  writePrivately(probe, 'x'.repeat(64 * 1024));
  rmSync(probe, { force: true });
}

/** Takes the directory for this process. Answers how to give it back. @throws AppError `invalid_input` when it is taken. */
export function claimDataDirectory(dataDir: string): () => void {
  const path = join(dataDir, 'serve.json');
  const own: RunningServer = {
    pid: process.pid,
    pidStarted: ourselves(dataDir).pidStarted,
    startedAt: new Date().toISOString(),
  };
  const candidate = `${path}.claim-${process.pid}`;
  writePrivately(candidate, JSON.stringify(own));
  try {
    for (let attempt = 0; !linked(candidate, path); attempt += 1) {
      const other = runningServer(dataDir);
      if (other || attempt > 5) throw taken(dataDir, other);
      // Of a server that was killed.
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(candidate, { force: true });
  }
  return () => {
    if (runningServer(dataDir)?.pid === process.pid) rmSync(path, { force: true });
  };
}

/** The server that works on `dataDir`, when it is alive. */
export function runningServer(dataDir: string): RunningServer | null {
  try {
    const found = JSON.parse(readFileSync(join(dataDir, 'serve.json'), 'utf8')) as RunningServer;
    return isAlive(found) ? found : null;
  } catch {
    return null;
  }
}

/** The secret in a file of DATA_DIR, made there at the first start. */
export function keptSecret(dataDir: string, name: string): { secret: Secret; path: string } {
  const path = join(dataDir, name);
  if (!existsSync(path)) writePrivately(path, randomBytes(32).toString('hex'));
  const value = readFileSync(path, 'utf8').trim();
  if (!value) {
    throw new AppError('invalid_input', `${path} is empty.`, {
      remedy: 'Remove it; a new one is made at the next start.',
    });
  }
  return { secret: new Secret(value), path };
}

/**
 * Names this directory, and with it what lies beside it: a workspace is found again after a reboot or in a container's
 * next life, which both give the machine another name.
 */
export function placeName(dataDir: string): string {
  return keptSecret(dataDir, 'place').secret.reveal();
}

/** A link is made once only, by whoever is first. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false;
    throw error;
  }
}

function taken(dataDir: string, other: RunningServer | null): AppError {
  const who = other ? `process ${other.pid}, since ${other.startedAt}` : 'another one that is just starting';
  return new AppError('invalid_input', `A server works on ${dataDir} already (${who}).`, {
    remedy: 'End it with `forgehand stop`, or give this one a DATA_DIR of its own.',
  });
}
