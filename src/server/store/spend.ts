/** What sessions have cost: per thread, repository and day. */
import type { Queryable } from './database.ts';

/** Adds what Claude has used, and counts its turns. */
export async function addSpend(
  tx: Queryable,
  { key, repository, usd, turns }: { key: string; repository: string; usd: number; turns: number },
): Promise<void> {
  if (usd > 0)
    await tx.query(`insert into spend (thread_key, repository, usd) values ($1, $2, $3)`, [
      key,
      repository,
      usd,
    ]);
  await tx.query(
    `update threads set spent_usd = spent_usd + $2, turns = turns + $3, updated_at = now() where key = $1`,
    [key, usd, turns],
  );
}

/** US dollars since midnight UTC: of the repository, and of all. */
export async function spentToday(
  database: Queryable,
  repository: string,
): Promise<{ repository: number; all: number }> {
  const [row] = await database.query<{ repository: number; all: number }>(
    `select coalesce(sum(usd) filter (where repository = $1), 0)::float8 as repository,
       coalesce(sum(usd), 0)::float8 as all
     from spend where at >= date_trunc('day', now() at time zone 'utc') at time zone 'utc'`,
    [repository],
  );
  return row ?? { repository: 0, all: 0 };
}
