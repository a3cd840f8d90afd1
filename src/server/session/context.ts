/** What the parts of one session share: its thread, its right to write, and the way to GitHub. */
import type { Connection } from '../../engine/connect.ts';
import type { Door } from '../../engine/door.ts';
import type { Log } from '../../words/log.ts';
import type { Task } from '../../words/task.ts';
import type { Configuration } from '../configuration.ts';
import type { Database } from '../store/database.ts';
import { addSessionEvent } from '../store/session-events.ts';
import type { Held } from '../store/session-messages.ts';
import { rememberProgress, type ThreadRow } from '../store/session-threads.ts';

export interface SessionContext {
  configuration: Configuration;
  database: Database;
  held: Held;
  /** As it was when the session began. */
  thread: ThreadRow;
  task: Task;
  door: Door;
  connection: Connection;
  /** Identifies machine and process table; workspaces of another one are not ours. */
  host: string;
  log: Log;
  /** Shows a line to whoever watches the session's terminal. */
  show(line: string): void;
}

/** Tells whoever watches: a row, a line in the server's log. Never throws: watching must not stop the work. */
export async function tell(
  context: Pick<SessionContext, 'database' | 'held' | 'host' | 'log' | 'show'>,
  kind: string,
  data: Record<string, unknown> = {},
): Promise<void> {
  const { database, held, host, log } = context;
  context.show(`${kind} ${Object.keys(data).length > 0 ? JSON.stringify(data) : ''}`.trim());
  await addSessionEvent(database, { threadKey: held.key, kind, data: { ...data, host } }).catch((error) =>
    log.warning(`The event ${kind} could not be kept: ${error.message}`),
  );
}

/** Keeps a value for the next session of this thread. @throws LeaseLost */
export function keep(context: SessionContext, name: string, value: unknown): Promise<void> {
  context.thread.progress[name] = value;
  return rememberProgress(context.database, context.held, { name, value });
}

/** What an earlier session of this thread has kept. */
export function kept<T>(context: SessionContext, name: string): T | null {
  return (context.thread.progress[name] as T | undefined) ?? null;
}
