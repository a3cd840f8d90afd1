/** The messages of a thread as the inbox writes them, while nobody has said them yet. */
import type { Item } from '../../words/event.ts';
import { cleanText, toJson } from './clean.ts';
import type { Queryable } from './database.ts';

export interface NewMessage {
  threadKey: string;
  deliveryId: string | null;
  kind: 'task' | 'comment' | 'note';
  actor: string;
  body: string;
  item: Item | null;
  /** What carries the reactions. */
  nodeId: string | null;
}

/** The thread's row must be locked: otherwise a session that parks just now could miss the message. */
export async function addMessage(tx: Queryable, message: NewMessage): Promise<string> {
  const [row] = await tx.query<{ id: string }>(
    `insert into messages (thread_key, delivery_id, kind, actor, body, item, node_id)
     values ($1, $2, $3, $4, $5, $6, $7) returning id`,
    [
      message.threadKey,
      message.deliveryId,
      message.kind,
      message.actor,
      cleanText(message.body),
      message.item && toJson(message.item),
      message.nodeId,
    ],
  );
  return row!.id;
}

/** The message that a comment, review or body became; the latest when an edit made it one again. */
export async function messageOfItem(
  database: Queryable,
  threadKey: string,
  item: Pick<Item, 'kind' | 'id'>,
): Promise<{ id: string; state: string; composed: boolean } | null> {
  const [row] = await database.query<{ id: string; state: string; composed: boolean }>(
    `select id, state, composed is not null as composed from messages
     where thread_key = $1 and item->>'kind' = $2 and item->>'id' = $3 order by seq desc limit 1`,
    [threadKey, item.kind, String(item.id)],
  );
  return row ?? null;
}

/** Null when it was said meanwhile. */
export async function rewriteMessage(
  tx: Queryable,
  id: string,
  { body, item }: { body: string; item: Item },
): Promise<{ kind: string; threadKey: string } | null> {
  const [row] = await tx.query<{ kind: string; threadKey: string }>(
    `update messages set body = $2, item = $3 where id = $1 and state = 'queued' and composed is null
     returning kind, thread_key as "threadKey"`,
    [id, cleanText(body), toJson(item)],
  );
  return row ?? null;
}

export async function withdrawMessage(tx: Queryable, id: string): Promise<boolean> {
  const rows = await tx.query(
    `update messages set state = 'withdrawn', done_at = now() where id = $1 and state = 'queued' and composed is null
     returning id`,
    [id],
  );
  return rows.length > 0;
}

/** What failed too often gets another chance. */
export async function requeueSetAside(tx: Queryable, threadKey: string): Promise<void> {
  await tx.query(
    `update messages set state = 'queued', failures = 0, done_at = null where thread_key = $1 and state = 'set_aside'`,
    [threadKey],
  );
  await tx.query(
    `update messages set failures = 0 where thread_key = $1 and state in ('queued', 'delivered')`,
    [threadKey],
  );
}

export async function countMessages(
  database: Queryable,
  threadKey: string,
): Promise<{ queued: number; setAside: number }> {
  const [row] = await database.query<{ queued: number; setAside: number }>(
    `select count(*) filter (where state = 'queued')::int as queued,
       count(*) filter (where state = 'set_aside')::int as "setAside" from messages where thread_key = $1`,
    [threadKey],
  );
  return row!;
}

export async function isQueued(database: Queryable, id: string): Promise<boolean> {
  const rows = await database.query(`select 1 from messages where id = $1 and state = 'queued'`, [id]);
  return rows.length > 0;
}
