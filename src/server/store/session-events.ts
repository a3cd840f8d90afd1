/** What happens in sessions, as rows that others watch: the server's log, and later the dashboard. */
import type { Database, Queryable } from './database.ts';

export interface SessionEvent {
  id: string;
  threadKey: string;
  kind: string;
  data: Record<string, unknown>;
  createdAt: Date;
}

export async function addSessionEvent(
  database: Queryable,
  { threadKey, kind, data }: { threadKey: string; kind: string; data: Record<string, unknown> },
): Promise<void> {
  await database.query(
    `with added as (
       insert into session_events (thread_key, kind, data) values ($1, $2, $3) returning id
     ) select pg_notify('session_events', id::text) from added`,
    [threadKey, kind, JSON.stringify(data)],
  );
}

/** Events after `id`, of the sessions of one machine. */
export function sessionEventsSince(
  database: Database,
  { id, host }: { id: string; host: string },
): Promise<SessionEvent[]> {
  return database.query<SessionEvent>(
    `select e.id, e.thread_key as "threadKey", e.kind, e.data, e.created_at as "createdAt"
     from session_events e where e.id > $1 and e.data->>'host' = $2 order by e.id limit 500`,
    [id, host],
  );
}

export async function lastSessionEvent(database: Database): Promise<string> {
  const [row] = await database.query<{ id: string | null }>(`select max(id)::text as id from session_events`);
  return row?.id ?? '0';
}
