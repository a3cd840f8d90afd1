/** What runs have reported of themselves, as the Progress API writes and reads it: each event once, in order. */
import { isTerminal, type ProgressEvent } from '../../words/progress.ts';
import type { Database } from './database.ts';

/** `taken`: the correlation id is another run's. */
export type Acceptance = 'accepted' | 'duplicate' | 'taken';

/**
 * Stores an event, and in the same transaction what is to be forwarded of it. The first event of a correlation id binds
 * it to its run. Tells who listens on `progress` (the payload is the correlation id).
 */
export function acceptProgress(
  database: Database,
  event: ProgressEvent,
  { forward }: { forward: boolean },
): Promise<Acceptance> {
  const { correlation_id: correlationId, repository, run_id: runId } = event;
  return database.transaction(async (tx) => {
    // Locks the row: whatever is accepted for one correlation id is accepted one after the other.
    const [own] = await tx.query(
      `insert into progress_runs as r (correlation_id, repository, run_id) values ($1, $2, $3)
       on conflict (correlation_id) do update set updated_at = now()
         where r.repository = excluded.repository and r.run_id = excluded.run_id
       returning 1`,
      [correlationId, repository, runId],
    );
    if (!own) return 'taken';
    // What comes late is kept and shown in its place, but a backend that knows the end is told of no earlier state.
    const [added] = await tx.query<{ id: string }>(
      `with added as (
         insert into progress_events (correlation_id, event_id, run_attempt, sequence, terminal, status, event)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (correlation_id, event_id) do nothing returning id
       ), posted as (
         insert into progress_outbox (id, correlation_id, run_attempt)
         select id, $1, $3 from added where $8 and ($5 or not exists (
           select 1 from progress_events e where e.correlation_id = $1 and e.run_attempt = $3 and e.terminal))
       )
       select id from added`,
      [
        correlationId,
        event.event_id,
        event.run_attempt,
        event.sequence,
        isTerminal(event.status),
        event.status,
        JSON.stringify(event),
        forward,
      ],
    );
    if (!added) return 'duplicate';
    await tx.query(`select pg_notify('progress', $1)`, [correlationId]);
    return 'accepted';
  });
}

export interface StoredProgress {
  repository: string;
  runId: string;
  /** By attempt and sequence. */
  events: ProgressEvent[];
}

/** Null when nothing has been reported with this correlation id. */
export async function readProgress(
  database: Database,
  correlationId: string,
): Promise<StoredProgress | null> {
  const rows = await database.query<{ repository: string; runId: string; event: string }>(
    `select r.repository, r.run_id as "runId", e.event
     from progress_runs r join progress_events e using (correlation_id)
     where r.correlation_id = $1 order by e.run_attempt, e.sequence, e.id`,
    [correlationId],
  );
  const [first] = rows;
  if (!first) return null;
  const events = rows.map(({ event }) => JSON.parse(event) as ProgressEvent);
  return { repository: first.repository, runId: first.runId, events };
}

/** Events that were accepted after the one with the id `after`, in the order of acceptance. */
export function progressSince(
  database: Database,
  { correlationId, after, limit }: { correlationId: string; after: string; limit: number },
): Promise<{ id: string; event: string }[]> {
  return database.query(
    `select id, event from progress_events where correlation_id = $1 and id > $2 order by id limit $3`,
    [correlationId, after, limit],
  );
}

/** True when the newest attempt has ended, with an event that was accepted no later than the one with the id `upTo`. */
export async function hasEnded(database: Database, correlationId: string, upTo: string): Promise<boolean> {
  const rows = await database.query(
    `select 1 from progress_events where correlation_id = $1 and id <= $2 and terminal
       and run_attempt = (select max(run_attempt) from progress_events where correlation_id = $1)
     limit 1`,
    [correlationId, upTo],
  );
  return rows.length > 0;
}
