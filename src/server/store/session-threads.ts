/** A thread's row as its session reads and writes it: every write holds the lease. */
import type { Reason } from '../../words/result.ts';
import type { Task } from '../../words/task.ts';
import type { Database, Queryable } from './database.ts';
import { releaseLease } from './leases.ts';
import { forgiveHead, type Held, requireLease } from './session-messages.ts';

/** What `/continue` has granted on top of the operator's limits. */
export interface Granted {
  usd?: number;
  turns?: number;
  minutes?: number;
}

export interface ThreadRow {
  key: string;
  repository: string;
  number: number;
  kind: 'issue' | 'pull_request';
  installationId: string | null;
  title: string;
  state: 'open' | 'paused' | 'closed';
  pauseReason: Reason | null;
  task: Task | null;
  branch: string | null;
  pullNumber: number | null;
  pullUrl: string | null;
  progress: Record<string, unknown>;
  claudeSessionId: string | null;
  sessionName: string | null;
  workspaceHost: string | null;
  failures: number;
  spentUsd: number;
  turns: number;
  granted: Granted;
}

const columns = `key, repository, number, kind, installation_id as "installationId", title, state,
  pause_reason as "pauseReason", task, branch, pull_number as "pullNumber", pull_url as "pullUrl", progress,
  claude_session_id as "claudeSessionId", session_name as "sessionName", workspace_host as "workspaceHost", failures,
  spent_usd as "spentUsd", turns, granted`;

export async function readThread(database: Queryable, key: string): Promise<ThreadRow | null> {
  const [row] = await database.query<ThreadRow>(`select ${columns} from threads where key = $1`, [key]);
  return row ?? null;
}

/** Columns that a session may set. */
export interface ThreadChange {
  branch?: string;
  pullNumber?: number;
  pullUrl?: string;
  claudeSessionId?: string;
  workspaceHost?: string;
  activity?: 'preparing' | 'working' | 'idle';
}

const columnOf: Record<keyof ThreadChange, string> = {
  branch: 'branch',
  pullNumber: 'pull_number',
  pullUrl: 'pull_url',
  claudeSessionId: 'claude_session_id',
  workspaceHost: 'workspace_host',
  activity: 'activity',
};

/** @throws LeaseLost */
export async function changeThread(database: Database, held: Held, change: ThreadChange): Promise<void> {
  const entries = Object.entries(change) as [keyof ThreadChange, unknown][];
  const sets = entries.map(([name], index) => `${columnOf[name]} = $${index + 2}`);
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    await tx.query(`update threads set ${sets.join(', ')}, updated_at = now() where key = $1`, [
      held.key,
      ...entries.map(([, value]) => value),
    ]);
  });
}

/** Keeps one named value of what the session needs to go on. @throws LeaseLost */
export async function rememberProgress(
  database: Database,
  held: Held,
  { name, value }: { name: string; value: unknown },
): Promise<void> {
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    await writeProgress(tx, held.key, { name, value });
  });
}

/** The same in a transaction that holds the lease. */
export async function writeProgress(
  tx: Queryable,
  key: string,
  { name, value }: { name: string; value: unknown },
): Promise<void> {
  await tx.query(
    `update threads set progress = progress || jsonb_build_object($2::text, $3::jsonb), updated_at = now() where key = $1`,
    [key, name, JSON.stringify(value ?? null)],
  );
}

/** Ends the session with its messages open: the next one goes on with them, not before `delaySeconds`. */
export async function handBack(
  database: Database,
  held: Held,
  { delaySeconds, forgive }: { delaySeconds: number; forgive: boolean },
): Promise<void> {
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    if (forgive) await forgiveHead(tx, held.key);
    await tx.query(
      `update threads set failures = failures + $3, not_before = now() + make_interval(secs => $2) where key = $1`,
      [held.key, delaySeconds, delaySeconds > 0 ? 1 : 0],
    );
    await releaseLease(tx, held.key, held.lease);
  });
}

/** A turn came to its end: what failed before it does not count any more. */
export async function forgetFailures(tx: Queryable, key: string): Promise<void> {
  await tx.query(`update threads set failures = 0, not_before = null, updated_at = now() where key = $1`, [
    key,
  ]);
}

/** Takes a pause back that nobody could be told of. A person's own stays. @throws LeaseLost */
export async function takeBackPause(database: Database, held: Held, reason: Reason): Promise<void> {
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    await tx.query(
      `update threads set state = 'open', pause_reason = null, pause_message = null, updated_at = now()
       where key = $1 and state = 'paused' and pause_reason = $2`,
      [held.key, reason],
    );
  });
}

/** Waits for a person from now on. The lease stays until the session has said so. @throws LeaseLost */
export async function pauseThread(
  database: Database,
  held: Held,
  { reason, message }: { reason: Reason; message: string },
): Promise<void> {
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    await tx.query(
      `update threads set state = 'paused', pause_reason = $2, pause_message = $3, updated_at = now()
       where key = $1 and state <> 'closed'`,
      [held.key, reason, message],
    );
  });
}
