/** Leases: who may write for a thread. Every write of a session names its lease, and a lost one stops it. */
import { AppError } from '../../words/errors.ts';
import type { Database, Queryable } from './database.ts';

/** Seconds that a lease lives without being renewed. */
export const leaseSeconds = 30;

/** The process that holds a lease, so that others on its machine can tell whether it still lives. */
export interface Holder {
  /** Machine and process table: a process id means nothing outside of it. */
  host: string;
  pid: number;
  /** When the process started, as its kernel counts; null where that is not known. */
  pidStarted: string | null;
  /** Mark of every process that belongs to the session. */
  mark: string;
}

/** Thrown by a write whose lease has run out or gone to another: whoever sees it must stop at once. */
export class LeaseLost extends AppError {
  constructor(key: string) {
    super('handed_over', `Another process works on ${key} now.`);
    this.name = 'LeaseLost';
  }
}

export interface ClaimRequest {
  lease: string;
  holder: Holder;
  maxSessions: number;
  maxSessionsPerRepository: number;
}

export interface Claim {
  key: string;
  /** Whose lease ran out without having been given back: its process may be there still. */
  former: Holder | null;
}

/**
 * Takes a thread that has something to say and that nobody works on: repositories with the fewest sessions first, then
 * who has waited longest. Null when there is none, or no room for one.
 */
export async function claimThread(database: Database, request: ClaimRequest): Promise<Claim | null> {
  const { lease, holder, maxSessions, maxSessionsPerRepository } = request;
  return database.transaction(async (tx) => {
    // Claims stand in line: two at once could both take the last place of a repository.
    await tx.query(`select pg_advisory_xact_lock(hashtext('forgehand claims'))`);
    const [taken] = await tx.query<{ key: string } & Holder>(
      `with live as (
         select repository, count(*) as sessions, count(*) filter (where lease_host = $2) as here
         from threads where lease_owner is not null and lease_until > now() group by repository
       ), waiting as (
         select thread_key as key, min(seq) as first
         from messages where state in ('queued', 'delivered') group by thread_key
       ), chosen as (
         select t.key, t.lease_host as host, t.lease_pid as pid, t.lease_pid_started as "pidStarted",
           t.lease_mark as mark
         from waiting w join threads t on t.key = w.key left join live on live.repository = t.repository
         where t.state = 'open' and (t.lease_owner is null or t.lease_until <= now())
           and (t.not_before is null or t.not_before <= now())
           and (select coalesce(sum(here), 0) from live) < $6
           and coalesce(live.sessions, 0) < $7
         order by coalesce(live.sessions, 0), w.first
         limit 1
       )
       update threads t set lease_owner = $1, lease_until = now() + make_interval(secs => ${leaseSeconds}),
         lease_host = $2, lease_pid = $3, lease_pid_started = $4, lease_mark = $5, activity = 'preparing',
         in_tmux = false, updated_at = now()
       from chosen where t.key = chosen.key
       returning t.key, chosen.host, chosen.pid, chosen."pidStarted", chosen.mark`,
      [lease, holder.host, holder.pid, holder.pidStarted, holder.mark, maxSessions, maxSessionsPerRepository],
    );
    if (!taken) return null;
    // A message that ends its session time after time is found by this count; the end of a turn forgets it.
    await tx.query(
      `update messages set failures = failures + 1 where id = (select id from messages
         where thread_key = $1 and state in ('queued', 'delivered') order by seq limit 1)`,
      [taken.key],
    );
    const { key, ...former } = taken;
    return { key, former: former.mark === null ? null : former };
  });
}

/** The session process takes the lease over from the worker that started it. @throws LeaseLost */
export async function takeOver(
  database: Database,
  key: string,
  lease: string,
  holder: Holder,
): Promise<void> {
  const rows = await database.query(
    `update threads set lease_until = now() + make_interval(secs => ${leaseSeconds}), lease_pid = $3,
       lease_pid_started = $4, lease_mark = $5, lease_host = $6
     where key = $1 and lease_owner = $2 and lease_until > now() returning key`,
    [key, lease, holder.pid, holder.pidStarted, holder.mark, holder.host],
  );
  if (rows.length === 0) throw new LeaseLost(key);
}

/** @throws LeaseLost when it is not ours any more. */
export async function renewLease(database: Database, key: string, lease: string): Promise<void> {
  const rows = await database.query(
    `update threads set lease_until = now() + make_interval(secs => ${leaseSeconds})
     where key = $1 and lease_owner = $2 and lease_until > now() returning key`,
    [key, lease],
  );
  if (rows.length === 0) throw new LeaseLost(key);
}

/** Gives the thread back; nothing happens when it is another's already. */
export async function releaseLease(tx: Queryable, key: string, lease: string): Promise<void> {
  await tx.query(
    `update threads set lease_owner = null, lease_until = null, lease_pid = null, lease_mark = null,
       activity = null, updated_at = now()
     where key = $1 and lease_owner = $2`,
    [key, lease],
  );
  await tx.query(`select pg_notify('threads', $1)`, [key]);
}

export interface HeldLease {
  key: string;
  lease: string;
  pid: number;
  pidStarted: string | null;
  mark: string;
  sessionName: string | null;
}

/** Leases whose holder is said to run on this machine. */
export function leasesOf(database: Database, host: string): Promise<HeldLease[]> {
  return database.query<HeldLease>(
    `select key, lease_owner as lease, lease_pid as pid, lease_pid_started as "pidStarted", lease_mark as mark,
       session_name as "sessionName"
     from threads where lease_owner is not null and lease_until > now() and lease_host = $1`,
    [host],
  );
}

/** The worker names the process that it has started: its life tells from now on whether the lease is held. */
export async function adoptLease(
  database: Database,
  { key, lease }: { key: string; lease: string },
  holder: Holder & { inTmux: boolean },
): Promise<void> {
  // Unless the process has taken the lease over by itself already, with its own mark.
  await database.query(
    `update threads set lease_pid = $3, lease_pid_started = $4, in_tmux = $5
     where key = $1 and lease_owner = $2`,
    [key, lease, holder.pid, holder.pidStarted, holder.inTmux],
  );
}

/** Gives the thread's session a name that no other thread has; the same one each time. */
export async function nameSession(
  database: Database,
  { key, lease }: { key: string; lease: string },
  nameFor: (isTaken: (name: string) => boolean) => string,
): Promise<string> {
  return database.transaction(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext('forgehand session names'))`);
    const [own] = await tx.query<{ name: string | null }>(
      `select session_name as name from threads where key = $1`,
      [key],
    );
    if (own?.name) return own.name;
    const plain = nameFor(() => false);
    const others = await tx.query(`select 1 from threads where session_name = $1 and key <> $2`, [
      plain,
      key,
    ]);
    const name = nameFor(() => others.length > 0);
    await tx.query(`update threads set session_name = $3 where key = $1 and lease_owner = $2`, [
      key,
      lease,
      name,
    ]);
    return name;
  });
}

/** Asks an idle session for its place. */
export async function makeRoom(database: Database, key: string): Promise<void> {
  await database.query(`select pg_notify('make_room', $1)`, [key]);
}

/** True when a thread could be claimed if there were room for it. */
export async function somebodyWaits(database: Database): Promise<boolean> {
  const rows = await database.query(
    `select 1 from messages m join threads t on t.key = m.thread_key
     where m.state in ('queued', 'delivered') and t.state = 'open'
       and (t.lease_owner is null or t.lease_until <= now())
       and (t.not_before is null or t.not_before <= now())
     limit 1`,
  );
  return rows.length > 0;
}

/** The session of this machine that has been idle longest, so that it can make room. */
export async function longestIdle(database: Database, host: string): Promise<string | null> {
  const [found] = await database.query<{ key: string }>(
    `select key from threads where lease_host = $1 and lease_until > now() and activity = 'idle'
     order by updated_at limit 1`,
    [host],
  );
  return found?.key ?? null;
}
