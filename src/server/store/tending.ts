/** What the care for closed threads needs of the database, and the removal of what is old. */
import type { Task } from '../../words/task.ts';
import type { Database } from './database.ts';

export interface Tended {
  key: string;
  repository: string;
  number: number;
  kind: 'issue' | 'pull_request';
  installationId: string | null;
  branch: string | null;
  pullNumber: number | null;
  task: Task | null;
  progress: Record<string, unknown>;
}

/** Closed, without a session, and not yet looked after since. */
export function threadsToTend(database: Database): Promise<Tended[]> {
  return database.query<Tended>(
    `select key, repository, number, kind, installation_id as "installationId", branch, pull_number as "pullNumber",
       task, progress
     from threads where state = 'closed' and not (progress ? 'tended')
       and (lease_owner is null or lease_until <= now())
       and branch is not null
     order by closed_at limit 20`,
  );
}

/** A closed empty thread forgets its branch and pull request, which are gone; reopened it begins anew. */
export async function markTended(database: Database, key: string): Promise<void> {
  await database.query(
    `update threads set progress = progress || '{"tended": true}' where key = $1 and state = 'closed'`,
    [key],
  );
}

/** @returns the keys of their threads. */
export async function workspacesToRemove(
  database: Database,
  { place, hours }: { place: string; hours: number },
): Promise<string[]> {
  const rows = await database.query<{ key: string }>(
    `select key from threads
     where state = 'closed' and workspace_host = $1 and (lease_owner is null or lease_until <= now())
       and closed_at < now() - make_interval(secs => $2)`,
    [place, hours * 3600],
  );
  return rows.map(({ key }) => key);
}

export async function forgetWorkspace(database: Database, key: string): Promise<void> {
  await database.query(
    `update threads set workspace_host = null, progress = progress - 'publishing' where key = $1`,
    [key],
  );
}

/** Removes what is older than `days`: deliveries, events, spend, progress, and closed threads with all that was said. */
export async function removeOld(database: Database, days: number): Promise<void> {
  const old = `now() - make_interval(days => $1)`;
  await database.query(`delete from deliveries where received_at < ${old} and verdict is not null`, [days]);
  await database.query(`delete from session_events where created_at < ${old}`, [days]);
  await database.query(`delete from spend where at < ${old}`, [days]);
  await database.query(`delete from progress_runs where updated_at < ${old}`, [days]);
  await database.query(
    `delete from transcript t using threads h where t.thread_key = h.key and h.state = 'closed'
       and h.updated_at < ${old}`,
    [days],
  );
  await database.query(
    `delete from threads where state = 'closed' and workspace_host is null and updated_at < ${old}`,
    [days],
  );
}
