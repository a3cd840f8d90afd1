/** The messages of a thread as its session sees them: what is still to be said, and what became of it. */
import type { Item } from '../../words/event.ts';
import type { Database, Queryable } from './database.ts';
import { LeaseLost } from './leases.ts';

/** What was sent to Claude for a message; kept, so that a restart says the same words. */
export interface Composed {
  /** Sent before the request and as it is: other people's text, marked as such. */
  material: string | null;
  materialId: string | null;
  text: string;
  /** No slash command and no `@path` in `text` is expanded. */
  verbatim: boolean;
}

export interface Message {
  /** The uuid that Claude Code knows it by. */
  id: string;
  seq: string;
  deliveryId: string | null;
  kind: 'task' | 'comment' | 'note';
  actor: string;
  body: string;
  item: Item | null;
  /** What carries the reactions. */
  nodeId: string | null;
  composed: Composed | null;
  state: 'queued' | 'delivered';
  failures: number;
}

const columns = `id, seq, delivery_id as "deliveryId", kind, actor, body, item, node_id as "nodeId", composed, state, failures`;

/** Not done yet, in order. */
export function openMessages(database: Queryable, key: string): Promise<Message[]> {
  return database.query<Message>(
    `select ${columns} from messages where thread_key = $1 and state in ('queued', 'delivered') order by seq`,
    [key],
  );
}

/** A session's right to write: its thread and its lease. */
export interface Held {
  key: string;
  lease: string;
}

/** From here on the message is said as composed: an edit of its comment comes too late. False when it was withdrawn. */
export async function keepComposed(
  database: Database,
  { key, lease }: Held,
  message: { id: string; composed: Composed },
): Promise<boolean> {
  return database.transaction(async (tx) => {
    await requireLease(tx, { key, lease });
    const rows = await tx.query(
      `update messages set composed = $2 where id = $1 and state = 'queued' returning id`,
      [message.id, JSON.stringify(message.composed)],
    );
    return rows.length > 0;
  });
}

/** The conversation durably holds them. Answers those for which that is news. */
export async function markDelivered(database: Database, held: Held, ids: string[]): Promise<Message[]> {
  return database.transaction(async (tx) => {
    await requireLease(tx, held);
    return tx.query<Message>(
      `update messages set state = 'delivered', delivered_at = now()
       where id = any($1::uuid[]) and state = 'queued' returning ${columns}`,
      [ids],
    );
  });
}

/** Answered, or given up: `set_aside`. */
export async function markEnded(
  tx: Queryable,
  ids: string[],
  state: 'done' | 'set_aside' = 'done',
): Promise<void> {
  await tx.query(
    `update messages set state = $2, done_at = now() where id = any($1::uuid[]) and state in ('queued', 'delivered')`,
    [ids, state],
  );
}

/** A session that ends in order, or for a reason that is not the message's, does not count against it. */
export async function forgiveHead(tx: Queryable, key: string): Promise<void> {
  await tx.query(
    `update messages set failures = greatest(failures - 1, 0) where id = (select id from messages
       where thread_key = $1 and state in ('queued', 'delivered') order by seq limit 1)`,
    [key],
  );
}

/** For a transaction that writes for a thread. @throws LeaseLost */
export async function requireLease(tx: Queryable, { key, lease }: Held): Promise<void> {
  const rows = await tx.query(
    `select 1 from threads where key = $1 and lease_owner = $2 and lease_until > now() for update`,
    [key, lease],
  );
  if (rows.length === 0) throw new LeaseLost(key);
}
