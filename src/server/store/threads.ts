/** A thread's row as the inbox reads and changes it; sessions have their own way, by lease. */
import { randomBytes } from 'node:crypto';
import type { Reason } from '../../words/result.ts';
import type { Task } from '../../words/task.ts';
import { toJson } from './clean.ts';
import type { Queryable } from './database.ts';
import type { Granted } from './session-threads.ts';

export interface InboxThread {
  key: string;
  repository: string;
  number: number;
  kind: 'issue' | 'pull_request';
  installationId: string | null;
  pullNumber: number | null;
  state: 'open' | 'paused' | 'closed';
  pauseReason: Reason | null;
  pauseMessage: string | null;
  granted: Granted;
  /** A session process holds the lease. */
  live: boolean;
  failures: number;
  spentUsd: number;
  turns: number;
  activity: 'preparing' | 'working' | 'idle' | null;
  branch: string | null;
  pullUrl: string | null;
}

const columns = `key, repository, number, kind, installation_id as "installationId", pull_number as "pullNumber", state,
  pause_reason as "pauseReason", pause_message as "pauseMessage", granted,
  lease_owner is not null and lease_until > now() as live, failures, spent_usd as "spentUsd", turns, activity, branch,
  pull_url as "pullUrl"`;

/** By the number of its issue or pull request, or of the pull request that Forgehand opened for it. */
export async function findThread(
  database: Queryable,
  repository: string,
  number: number,
): Promise<InboxThread | null> {
  const [row] = await database.query<InboxThread>(
    `select ${columns} from threads where repository = $1 and (pull_number = $2 or number = $2)
     order by pull_number = $2 desc nulls last limit 1`,
    [repository, number],
  );
  return row ?? null;
}

/** The same row, held to the end of the transaction: a session that parks sees what is written now, or we see it parked. */
export async function lockThread(tx: Queryable, key: string): Promise<InboxThread | null> {
  const [row] = await tx.query<InboxThread>(`select ${columns} from threads where key = $1 for update`, [
    key,
  ]);
  return row ?? null;
}

/** @returns the key: the task's, or, when a repository of that name has moved away with its threads, one beside it. */
export async function createThread(
  tx: Queryable,
  { task, installationId }: { task: Task; installationId: string | null },
): Promise<string> {
  const { owner, name } = task.repository;
  const subject = task.subject!;
  for (const key of [task.key, `${task.key}~${randomBytes(2).toString('hex')}`]) {
    const rows = await tx.query(
      `insert into threads (key, repository, number, kind, installation_id, title, task)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (key) do nothing returning key`,
      [
        key,
        `${owner}/${name}`,
        subject.number,
        subject.kind,
        installationId,
        subject.title.replaceAll('\u0000', '\ufffd'),
        toJson({ ...task, key }),
      ],
    );
    if (rows.length > 0) return key;
  }
  throw new Error(`No free key for thread ${task.key}`);
}

export async function readTask(tx: Queryable, key: string): Promise<Task | null> {
  const [row] = await tx.query<{ task: Task | null }>(`select task from threads where key = $1`, [key]);
  return row?.task ?? null;
}

export async function writeTask(tx: Queryable, key: string, task: Task): Promise<void> {
  await tx.query(
    `update threads set task = $2, title = coalesce($3, title), updated_at = now() where key = $1`,
    [key, toJson(task), task.subject?.title.replaceAll('\u0000', '\ufffd') ?? null],
  );
}

/** Ends a pause, forgets failures, and wakes what was closed. */
export async function openThread(tx: Queryable, key: string): Promise<void> {
  await tx.query(
    `update threads set state = 'open', pause_reason = null, pause_message = null, failures = 0, not_before = null,
       closed_at = null, updated_at = now() where key = $1`,
    [key],
  );
}

export async function pauseByPerson(tx: Queryable, key: string, message: string): Promise<void> {
  await tx.query(
    `update threads set state = 'paused', pause_reason = 'cancelled', pause_message = $2, updated_at = now()
     where key = $1`,
    [key, message],
  );
}

/** @returns the keys of the threads that were open. */
export async function closeThreads(
  tx: Queryable,
  which: { key: string } | { repository: string },
): Promise<string[]> {
  const [column, value] = 'key' in which ? ['key', which.key] : ['repository', which.repository];
  const rows = await tx.query<{ key: string }>(
    `update threads set state = 'closed', closed_at = now(), updated_at = now()
     where ${column} = $1 and state <> 'closed' returning key`,
    [value],
  );
  return rows.map(({ key }) => key);
}

export async function grant(tx: Queryable, key: string, granted: Granted): Promise<void> {
  await tx.query(`update threads set granted = $2, updated_at = now() where key = $1`, [
    key,
    toJson(granted),
  ]);
}

/**
 * The rows follow their repository, and so does what their sessions have planned; their keys stay what they were.
 * @returns the keys.
 */
export async function renameRepository(
  tx: Queryable,
  names: { from: string; to: string },
  installationId: string | null,
): Promise<string[]> {
  const rows = await tx.query<{ key: string }>(
    `update threads set repository = $2, updated_at = now(),
       installation_id = coalesce($3::bigint, installation_id),
       task = jsonb_set(jsonb_set(task, '{repository,owner}', to_jsonb(split_part($2, '/', 1))),
         '{repository,name}', to_jsonb(split_part($2, '/', 2))),
       -- No text can hold these words: within a string its quotes have backslashes.
       progress = replace(progress::text, format('"repository": "%s"', $1::text),
         format('"repository": "%s"', $2::text))::jsonb,
       pull_url = replace(pull_url, format('/%s/pull/', $1::text), format('/%s/pull/', $2::text))
     where repository = $1 returning key`,
    [names.from, names.to, installationId],
  );
  return rows.map(({ key }) => key);
}

/** The App was installed anew: its old installation is good for nothing. */
export async function keepInstallation(
  tx: Queryable,
  key: string,
  installationId: string | null,
): Promise<void> {
  if (installationId === null) return;
  await tx.query(
    `update threads set installation_id = $2 where key = $1 and installation_id is distinct from $2::bigint`,
    [key, installationId],
  );
}

/** Wakes whoever waits for this thread, once the transaction is committed. */
export async function announce(tx: Queryable, key: string): Promise<void> {
  await tx.query(`select pg_notify('threads', $1)`, [key]);
}
