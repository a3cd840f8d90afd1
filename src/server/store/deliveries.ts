/** What GitHub delivered, as the inbox writes and reads it: each once, in order, with what was decided and why. */
import type { Reason } from '../../words/result.ts';
import type { Fact } from '../../words/task.ts';
import { cleanText, toJson } from './clean.ts';
import type { Queryable } from './database.ts';

export interface Verdict {
  verdict: 'run' | 'ignore' | 'deny' | 'set_aside';
  reason: Reason | null;
  message: string | null;
  facts: Fact[];
}

export interface NewDelivery {
  id: string;
  event: string;
  action: string | null;
  /** `owner/name`; null where the payload names none. */
  repository: string | null;
  /** Of the issue or pull request; null where the payload names none. */
  number: number | null;
  installationId: number | null;
  source: 'webhook' | 'fetched';
  payload: string;
  digest: string;
  /** What the payload alone decides. */
  decision: Verdict | null;
}

export interface StoredDelivery {
  id: string;
  seq: string;
  event: string;
  action: string | null;
  repository: string | null;
  threadKey: string;
  installationId: string | null;
  payload: string;
  digest: string | null;
  receivedAt: Date;
  attempts: number;
}

const columns = `id, seq, event, action, repository, thread_key as "threadKey", installation_id as "installationId",
  payload, digest, received_at as "receivedAt", attempts`;

/**
 * Stores those that are not known yet, in the given order; answers them with the lane that each is in: its thread's,
 * which for a pull request that Forgehand opened is its issue's, or its repository's. Payloads are parameters of their
 * own: in an array's text every quote of their JSON would be escaped here and read again there.
 */
export function insertDeliveries(
  tx: Queryable,
  list: NewDelivery[],
): Promise<{ id: string; threadKey: string | null; decided: boolean }[]> {
  const column = <T>(pick: (one: NewDelivery) => T) => list.map(pick);
  const text = (value: string | null) => (value === null ? null : cleanText(value));
  const payloads = list.map((_, index) => `$${index + 13}::text`).join(', ');
  return tx.query(
    `insert into deliveries (id, event, action, repository, thread_key, installation_id, source, payload, digest,
       verdict, reason, message, facts, decided_at)
     select g.id, g.event, g.action, g.repository,
       coalesce(
         (select t.key from threads t where t.repository = g.repository and t.pull_number = g.number limit 1),
         (select t.key from threads t where t.repository = g.repository and t.number = g.number limit 1),
         g.repository || coalesce('#' || g.number, '')),
       g.installation_id, g.source, (array[${payloads}])[g.place], g.digest, g.verdict, g.reason, g.message,
       g.facts::jsonb, case when g.verdict is null then null else now() end
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::text[], $12::text[]) with ordinality
       as g(id, event, action, repository, number, installation_id, source, digest, verdict, reason, message, facts,
         place)
     order by g.place
     on conflict (id) do nothing
     returning id, thread_key as "threadKey", verdict is not null as decided`,
    [
      column((one) => one.id),
      column((one) => one.event),
      column((one) => text(one.action)),
      column((one) => one.repository),
      column((one) => one.number),
      column((one) => one.installationId),
      column((one) => one.source),
      column((one) => one.digest),
      column((one) => one.decision?.verdict ?? null),
      column((one) => one.decision?.reason ?? null),
      column((one) => text(one.decision?.message ?? null)),
      column((one) => (one.decision ? toJson(one.decision.facts) : null)),
      ...column((one) => one.payload),
    ],
  );
}

/** The lane's first delivery that nobody has decided on. */
export async function nextUndecided(database: Queryable, lane: string): Promise<StoredDelivery | null> {
  const [row] = await database.query<StoredDelivery>(
    `select ${columns} from deliveries where thread_key = $1 and verdict is null order by seq limit 1`,
    [lane],
  );
  return row ?? null;
}

/**
 * From here to the end of the transaction nobody else decides in the lane. False when this delivery is not the next
 * one (any more): somebody was faster. So order holds whoever works on a lane, without a lock while GitHub is asked.
 */
export async function holdTurn(tx: Queryable, { threadKey, id }: StoredDelivery): Promise<boolean> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('lane ' || $1, 0))`, [threadKey]);
  const [first] = await tx.query<{ id: string }>(
    `select id from deliveries where thread_key = $1 and verdict is null order by seq limit 1`,
    [threadKey],
  );
  return first?.id === id;
}

export async function decideDelivery(tx: Queryable, id: string, decision: Verdict): Promise<void> {
  await tx.query(
    `update deliveries set verdict = $2, reason = $3, message = $4, facts = $5, decided_at = now() where id = $1`,
    [
      id,
      decision.verdict,
      decision.reason,
      decision.message === null ? null : cleanText(decision.message),
      toJson(decision.facts),
    ],
  );
}

/** Notes why it is not decided yet. @param counts false for what is no fault of the delivery. */
export async function noteFailure(
  database: Queryable,
  id: string,
  { error, counts }: { error: string; counts: boolean },
): Promise<void> {
  await database.query(`update deliveries set error = $2, attempts = attempts + $3 where id = $1`, [
    id,
    cleanText(error),
    counts ? 1 : 0,
  ]);
}

/** Into another lane, where it stands by its time of arrival. */
export async function moveDelivery(tx: Queryable, id: string, lane: string): Promise<void> {
  await tx.query(`update deliveries set thread_key = $2 where id = $1 and verdict is null`, [id, lane]);
}

/** Lanes in which something has waited for so many seconds: their job was lost, or a failure holds them up. */
export async function waitingLanes(database: Queryable, seconds: number): Promise<string[]> {
  const rows = await database.query<{ lane: string }>(
    `select thread_key as lane from deliveries where verdict is null and thread_key is not null
     group by 1 having min(received_at) < now() - make_interval(secs => $1)`,
    [seconds],
  );
  return rows.map(({ lane }) => lane);
}

/** An earlier delivery with the same body that had an effect; null when there is none. */
export async function sameBodyBefore(database: Queryable, given: StoredDelivery): Promise<string | null> {
  if (!given.digest) return null;
  const [row] = await database.query<{ id: string }>(
    `select id from deliveries where digest = $1 and event = $2 and seq < $3 and verdict = 'run' limit 1`,
    [given.digest, given.event, given.seq],
  );
  return row?.id ?? null;
}

/** Earlier arrivals of the lane with one of these actions, oldest first. */
export function earlierDeliveries(
  database: Queryable,
  given: StoredDelivery,
  actions: string[],
): Promise<StoredDelivery[]> {
  return database.query<StoredDelivery>(
    `select ${columns} from deliveries where thread_key = $1 and seq < $2 and action = any($3) order by seq`,
    [given.threadKey, given.seq, actions],
  );
}

/** Comments that came before the opening of their issue found no session there: they are decided on once more. */
export async function reconsiderComments(tx: Queryable, opening: StoredDelivery): Promise<void> {
  await tx.query(
    `update deliveries set verdict = null, reason = null, message = null, facts = '[]', decided_at = null
     where thread_key = $1 and seq < $2 and event = 'issue_comment' and action = 'created'
       and verdict = 'ignore' and reason = 'not_mentioned'`,
    [opening.threadKey, opening.seq],
  );
}

/** Which of these delivery ids are known. */
export async function knownDeliveries(database: Queryable, ids: string[]): Promise<Set<string>> {
  const rows = await database.query<{ id: string }>(`select id from deliveries where id = any($1)`, [ids]);
  return new Set(rows.map(({ id }) => id));
}

/** Repositories that deliveries or threads have named, `owner/name`. */
export async function knownRepositories(database: Queryable): Promise<string[]> {
  const rows = await database.query<{ repository: string }>(
    `select repository from deliveries where repository is not null union select repository from threads order by 1`,
  );
  return rows.map(({ repository }) => repository);
}

export async function readCursor<Value>(database: Queryable, name: string): Promise<Value | null> {
  const [row] = await database.query<{ value: Value }>(`select value from cursors where name = $1`, [name]);
  return row?.value ?? null;
}

export async function writeCursor(database: Queryable, name: string, value: unknown): Promise<void> {
  await database.query(
    `insert into cursors (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value`,
    [name, toJson(value)],
  );
}
