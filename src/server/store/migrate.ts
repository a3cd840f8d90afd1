/** Brings a database to this version's schema: under one lock, in one transaction, or not at all. */
import { AppError } from '../../words/errors.ts';
import { type Database, type Queryable, schemaName } from './database.ts';
import { type Migration, migrations } from './schema.ts';

const oldest = 15;
/** Any number, as long as everybody who migrates takes the same. */
const lock = 7_305_816_214;

/** @throws AppError `invalid_input` for a PostgreSQL or a schema that this version cannot work with. */
export async function migrate(database: Database, wanted: Migration[] = migrations): Promise<void> {
  await checkServer(database);
  await database.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query('select pg_advisory_xact_lock($1)', [lock]);
    const applied = await prepare(tx);
    const newest = wanted.at(-1)?.id ?? 0;
    if (applied > newest) {
      throw new AppError(
        'invalid_input',
        `The database has schema ${applied}, and this version of Forgehand knows no newer one than ${newest}.`,
        { remedy: 'Start the newer Forgehand again, or give this one another database in DATABASE_URL.' },
      );
    }
    for (const { id, sql } of wanted.filter((one) => one.id > applied)) {
      await tx.query(sql);
      await tx.query('insert into migrations (id) values ($1)', [id]);
    }
  });
}

/** Answers the id of the newest migration that the database has; 0 for an empty one. */
async function prepare(tx: Queryable): Promise<number> {
  try {
    // 'if not exists' asks for the right to create one even where there is one.
    const [there] = await tx.query('select from pg_namespace where nspname = $1', [schemaName]);
    if (!there) await tx.query(`create schema ${schemaName}`);
    await tx.query(
      `create table if not exists migrations (id integer primary key, applied_at timestamptz not null default now())`,
    );
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
    throw new AppError(
      'invalid_input',
      `The database does not let Forgehand make its tables: ${(error as Error).message}.`,
      {
        cause: error,
        remedy: `Grant the user of DATABASE_URL "create" on the database, or make the schemas ${schemaName} and pgboss for it.`,
      },
    );
  }
  const [row] = await tx.query<{ newest: number | null }>('select max(id) as newest from migrations');
  return row?.newest ?? 0;
}

async function checkServer(database: Queryable): Promise<void> {
  const [server] = await database.query<{ version: string; encoding: string }>(
    `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`,
  );
  const major = Math.floor(Number(server!.version) / 10_000);
  if (major < oldest) {
    throw new AppError('invalid_input', `DATABASE_URL leads to PostgreSQL ${major}.`, {
      remedy: `Use PostgreSQL ${oldest} or newer.`,
    });
  }
  if (server!.encoding !== 'UTF8') {
    throw new AppError('invalid_input', `The database of DATABASE_URL has encoding ${server!.encoding}.`, {
      remedy: "Create it with: create database forgehand encoding 'UTF8' template template0",
    });
  }
}
