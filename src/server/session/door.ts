/** The engine's view of one session: where it works, with which settings, and what it must not show. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Door } from '../../engine/door.ts';
import type { Log } from '../../words/log.ts';
import { hostMark, runMark } from '../../words/mark.ts';
import type { Redact } from '../../words/redact.ts';
import { workspaceDirectory } from '../../workspace/places.ts';
import type { Configuration } from '../configuration.ts';
import type { ThreadRow } from '../store/session-threads.ts';

export interface SessionPlace {
  configuration: Configuration;
  thread: ThreadRow;
  /** Of every process of this session. */
  mark: string;
  signal: AbortSignal;
  log: Log;
  secrets: Set<string>;
  redact: Redact;
  warn(message: string): void;
}

/** What a thread keeps on this machine besides its workspace: gate, settings, patches. Private to us. */
export function threadDirectory(dataDir: string, key: string): string {
  return join(dataDir, 'threads', `${key.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80)}-${digestOf(key)}`);
}

/** Short, as sockets lie in it, whose paths may have 107 bytes; what a killed session left there may be removed. */
export function runDirectory(dataDir: string, key: string): string {
  return join(dataDir, 'run', digestOf(key));
}

function digestOf(key: string): string {
  // A name of its own for each thread whatever its repository is called, also where case does not count.
  return createHash('sha256').update(key.toLowerCase()).digest('hex').slice(0, 12);
}

export function sessionDoor(place: SessionPlace): Door {
  const { configuration, thread, mark, secrets } = place;
  const { server, engine, host, environment } = configuration;
  const directory = threadDirectory(server.dataDir, thread.key);
  return {
    config: engine,
    problems: [],
    host,
    oidc: null,
    job: { ...environment, [runMark]: hostMark(mark) },
    directory: workspaceDirectory(server.workspacesRoot, thread.key),
    scratch: join(directory, 'scratch'),
    toolCache: null,
    temp: directory,
    run: { workflow: 'forgehand', job: thread.key, id: String(thread.number), attempt: '1' },
    mark,
    jobUrl: null,
    log: place.log,
    redact: place.redact,
    addSecret: (value) => void secrets.add(value),
    secrets: () => secrets,
    seen: () => {},
    signal: place.signal,
    // What a session needs to go on is kept in its thread's row, by those who know it.
    remember: () => {},
    warn: place.warn,
    note: (message) => place.log.notice(message),
  };
}
