/** Secrets that all servers on one database share, made by the first that asks. */
import { randomBytes } from 'node:crypto';
import { Secret } from '../../words/secret.ts';
import type { Database } from './database.ts';

export async function sharedSecret(database: Database, name: string): Promise<Secret> {
  const own = JSON.stringify(randomBytes(32).toString('hex'));
  await database.query('insert into cursors (name, value) values ($1, $2) on conflict do nothing', [
    name,
    own,
  ]);
  const [row] = await database.query<{ value: string }>('select value from cursors where name = $1', [name]);
  return new Secret(row!.value);
}
