/** Does something once at one point of a thread's life: a request, a change of a row before or after its commit, a file. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelRequest } from '../../testkit/claude/request.ts';
import type { LoggedRequest } from '../../testkit/github/request-log.ts';
import type { Victim } from './chaos-victims.ts';
import type { ServerStage } from './server-stage.ts';

export type Phase = 'before' | 'after';

/** Where a story can be struck; everything is of the story's own thread. */
export type Trigger =
  | {
      kind: 'github';
      phase: Phase;
      /** Whose request it is: killed before it takes effect, nothing comes of it. */
      by: 'server' | 'session';
      fits(request: LoggedRequest, facts: Facts): boolean;
    }
  | { kind: 'model'; phase: Phase; fits(request: ModelRequest, facts: Facts): boolean }
  /** `before`: in the transaction, which is not committed yet. `new` and `old` are the row, `:key` the thread's. */
  | { kind: 'row'; phase: Phase; table: string; on: 'insert' | 'update'; when: string }
  | { kind: 'file'; path(facts: Facts): string };

export interface Facts {
  key: string;
  number: number;
  workspace: string;
}

export interface Strike<T> {
  /** What came of it. */
  struck: Promise<T>;
  hasStruck(): boolean;
  /** Takes it away. */
  end(): Promise<void>;
}

export interface Aim<T> {
  trigger: Trigger;
  facts: Facts;
  /** Who is gone afterwards, so that its request comes to nothing. */
  victim?: Victim;
  /** What is done at the point, which waits for it. */
  blow(): Promise<T>;
}

export async function arm<T>(
  stage: ServerStage,
  { trigger, victim, facts, blow }: Aim<T>,
): Promise<Strike<T>> {
  const outcome = Promise.withResolvers<T>();
  outcome.promise.catch(() => {});
  let done = false;
  const strike = async () => {
    if (done) return false;
    done = true;
    await blow().then(outcome.resolve, outcome.reject);
    return true;
  };
  const end = await watch(stage, { trigger, victim, facts, strike });
  return { struck: outcome.promise, hasStruck: () => done, end };
}

interface Watching {
  trigger: Trigger;
  victim: Victim | undefined;
  facts: Facts;
  /** True for the one time that it struck. */
  strike(): Promise<boolean>;
}

async function watch(stage: ServerStage, watching: Watching): Promise<() => Promise<void>> {
  const { trigger, victim, facts, strike } = watching;
  if (trigger.kind === 'row') return watchRow(stage, { ...watching, trigger });
  if (trigger.kind === 'file') return watchFile(trigger.path(facts), strike);
  if (trigger.kind === 'github') {
    const stop = stage.github.onRequest(async ({ request, phase }) => {
      if (phase !== trigger.phase || !trigger.fits(request, facts)) return null;
      return (await strike()) && victim === trigger.by ? 'drop' : null;
    });
    return async () => stop();
  }
  const stop = stage.model.onRequest(async ({ request, phase }) => {
    if (phase !== trigger.phase || request.kind !== 'main') return null;
    // Of this story's conversation: an earlier one may still be asked for.
    if (!request.firstText().includes(`task-${facts.number}`) || !trigger.fits(request, facts)) return null;
    return (await strike()) && (victim === 'session' || victim === 'claude') ? 'drop' : null;
  });
  return async () => stop();
}

function watchFile(path: string, strike: () => Promise<boolean>): () => Promise<void> {
  let goesOn = true;
  const watching = (async () => {
    while (goesOn && !existsSync(path)) await sleep(3);
    if (goesOn) await strike();
  })();
  return async () => {
    goesOn = false;
    await watching;
  };
}

/** A lock on which the transaction waits that is to be struck before it is committed. */
const lockId = 471_147;
const waiting = `select count(*)::int as count from pg_locks where locktype = 'advisory' and objid = ${lockId} and not granted`;

async function watchRow(
  stage: ServerStage,
  { trigger, facts, strike }: Watching & { trigger: Extract<Trigger, { kind: 'row' }> },
): Promise<() => Promise<void>> {
  const database = await stage.database();
  const { table, on, phase } = trigger;
  const when = trigger.when.replaceAll(':key', `'${facts.key}'`);
  await database.query(strikeFunction);
  await database.query(`drop trigger if exists chaos on ${table}`);
  await database.query(
    `create trigger chaos after ${on} on ${table} for each row when (${when})
     execute function chaos_strike('${phase}')`,
  );
  const remove = () => insistently(() => database.query(`drop trigger if exists chaos on ${table}`));
  if (phase === 'after') {
    const stop = await database.listen('chaos', (payload) => void (payload && strike()));
    return async () => {
      await stop();
      await remove();
    };
  }
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  // Held on a connection of its own until somebody waits for it, or the story is over.
  const holding = database
    .transaction(async (tx) => {
      await tx.query(`set local idle_in_transaction_session_timeout = 0`);
      await tx.query(`select pg_advisory_xact_lock(${lockId})`);
      held.resolve();
      await release.promise;
    })
    // The database itself may be the victim.
    .catch((error) => held.reject(error));
  await held.promise;
  let goesOn = true;
  const looking = (async () => {
    while (goesOn) {
      const [found] = await database.query<{ count: number }>(waiting).catch(() => []);
      if (found && found.count > 0) {
        await strike();
        goesOn = false;
      } else await sleep(5);
    }
    release.resolve();
    await holding;
  })();
  return async () => {
    goesOn = false;
    await looking;
    await remove();
  };
}

/** Says so after the commit; before it, waits for the lock. Once the lock is gone nobody waits any more. */
const strikeFunction = `create or replace function chaos_strike() returns trigger language plpgsql as $$
begin
  if tg_argv[0] = 'before' then perform pg_advisory_xact_lock_shared(${lockId});
  else perform pg_notify('chaos', 'now'); end if;
  return null;
end $$`;

async function insistently<T>(work: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + 20_000; ; ) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}
