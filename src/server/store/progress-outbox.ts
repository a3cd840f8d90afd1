/** Events on their way to the operator's backend: one at a time of each stream, by one process, until it has them. */
import { cleanText } from './clean.ts';
import type { Database, Queryable } from './database.ts';

export interface Letter {
  eventId: string;
  correlationId: string;
  /** The event as JSON. */
  body: string;
  /** Failures so far, and how many of them were refusals. */
  attempts: number;
  refusals: number;
  /** Its time is up: a failure is the last one. */
  isLast: boolean;
}

export type Outcome =
  | { kind: 'acknowledged' }
  | { kind: 'failed'; error: string; isRefusal: boolean; againInMs: number }
  | { kind: 'dead'; error: string };

interface Head extends Letter {
  id: string;
  isOvertaken: boolean;
}

/**
 * Sends the letter that has waited longest, and notes what came of it. The row's lock is held meanwhile, so that nobody
 * else sends for the stream; a process that dies loses it at once, and another sends the same letter again.
 * @returns false when nothing is due. @throws what `send` throws; the letter is then as it was.
 */
export function forwardNext(
  database: Database,
  send: (letter: Letter) => Promise<Outcome>,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const head = await lockHead(tx);
    if (!head) return false;
    const outcome: Outcome = head.isOvertaken ? { kind: 'acknowledged' } : await send(head);
    await note(tx, head.id, outcome);
    return true;
  });
}

/** Only the first of a stream that is not dead is ever looked at: that is what keeps the order. */
async function lockHead(tx: Queryable): Promise<Head | undefined> {
  const [head] = await tx.query<Head>(
    `select o.id, e.event_id as "eventId", o.correlation_id as "correlationId", e.event as body, o.attempts,
       o.refusals, o.give_up_at <= now() as "isLast",
       -- Raised from the dead after the backend has been told of the end.
       not e.terminal and exists (select 1 from progress_events t
         where t.correlation_id = o.correlation_id and t.run_attempt = o.run_attempt and t.terminal
           and not exists (select 1 from progress_outbox w where w.id = t.id)) as "isOvertaken"
     from progress_outbox o join progress_events e on e.id = o.id
     where o.dead_at is null and o.not_before <= now()
       and not exists (select 1 from progress_outbox p where p.correlation_id = o.correlation_id
         and p.run_attempt = o.run_attempt and p.id < o.id and p.dead_at is null)
     order by o.not_before limit 1 for update of o skip locked`,
  );
  return head;
}

/** By the clock, not by the transaction's beginning: sending may have taken long. */
async function note(tx: Queryable, id: string, outcome: Outcome): Promise<void> {
  if (outcome.kind === 'acknowledged') {
    await tx.query(`delete from progress_outbox where id = $1`, [id]);
    return;
  }
  const error = cleanText(outcome.error).slice(0, 500);
  if (outcome.kind === 'dead') {
    await tx.query(
      `update progress_outbox set attempts = attempts + 1, dead_at = clock_timestamp(), error = $2 where id = $1`,
      [id, error],
    );
    return;
  }
  await tx.query(
    `update progress_outbox set attempts = attempts + 1, refusals = refusals + $3::int, error = $2,
       not_before = clock_timestamp() + make_interval(secs => $4) where id = $1`,
    [id, error, Number(outcome.isRefusal), outcome.againInMs / 1_000],
  );
}
