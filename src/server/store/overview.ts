/** What the server shows of itself: live sessions for /health, counts for /metrics; one query each. */
import type { Database } from './database.ts';

export interface LiveSession {
  key: string;
  repository: string;
  number: number;
  sessionName: string | null;
  branch: string | null;
  pullUrl: string | null;
  inTmux: boolean;
}

/** Sessions whose process holds its lease. */
export function liveSessions(database: Database): Promise<LiveSession[]> {
  return database.query<LiveSession>(
    `select key, repository, number, session_name as "sessionName", branch, pull_url as "pullUrl", in_tmux as "inTmux"
     from threads where lease_owner is not null and lease_until > now() order by key`,
  );
}

/** One number by the labels that it counts for. */
export interface Count {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Counts for /metrics, named as there without their prefix. */
export function counts(database: Database): Promise<Count[]> {
  return database.query<Count>(
    `select 'deliveries' as name,
       jsonb_build_object('verdict', coalesce(verdict, 'undecided'), 'reason', coalesce(reason, '')) as labels,
       count(*)::float8 as value from deliveries group by verdict, reason
     union all select 'threads', jsonb_build_object('state', state), count(*) from threads group by state
     union all select 'messages', jsonb_build_object('state', state), count(*) from messages group by state
     union all select 'session_events', jsonb_build_object('kind', kind), count(*) from session_events group by kind
     union all select 'sessions', jsonb_build_object('activity', coalesce(activity, 'unknown')), count(*) from threads
       where lease_owner is not null and lease_until > now() group by activity
     union all select 'sessions_parked', '{}', count(*) from threads
       where state = 'open' and claude_session_id is not null and (lease_owner is null or lease_until <= now())
     union all select 'progress_events', jsonb_build_object('status', status), count(*) from progress_events
       group by status
     union all select 'progress_outbox',
       jsonb_build_object('state', case when dead_at is null then 'waiting' else 'dead' end), count(*)
       from progress_outbox group by 2
     union all select 'turns', '{}', coalesce(sum(turns), 0) from threads
     union all select 'spent_usd', '{}', coalesce(sum(spent_usd), 0) from threads
     union all select 'oldest_undecided_seconds', '{}',
       coalesce(extract(epoch from now() - min(received_at)), 0) from deliveries where verdict is null`,
  );
}

/** Throws where the database is away, or has no schema that this version could work with. */
export async function probe(database: Database): Promise<void> {
  await database.query(`select 1 from deliveries, threads, messages limit 1`);
}
