/** With DATABASE_URL: the machine's own PostgreSQL, of another version than the one that Forgehand brings along. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isConnectionLoss } from './connection-loss.ts';
import { openDatabase } from './database.ts';
import {
  debianPostgres,
  type OperatorsPostgres,
  startDebianPostgres,
} from './debian-postgres.test-support.ts';
import { openJobs } from './jobs.ts';
import { migrate } from './migrate.ts';
import { quietLog } from './store.test-support.ts';
import { openStore } from './store.ts';

const reason = debianPostgres ? '' : ' (skipped: no PostgreSQL in /usr/lib/postgresql)';

describe.skipIf(!debianPostgres)(`a PostgreSQL of the operator${reason}`, () => {
  let postgres: OperatorsPostgres;
  beforeAll(async () => {
    postgres = await startDebianPostgres();
  });
  afterAll(() => postgres.close());

  const open = (url = postgres.url) => openStore({ databaseUrl: url, dataDir: '/nowhere', log: quietLog });

  test('is migrated once, however many servers start at the same time', async () => {
    const stores = await Promise.all([open(), open(), open()]);
    const [{ n }] = (await stores[0]!.database.query<{ n: number }>(
      'select count(*)::int as n from migrations',
    )) as [{ n: number }];
    expect(n).toBe(1);
    expect(stores.map(({ embedded }) => embedded)).toEqual([false, false, false]);
    for (const store of stores) await store.close();
  });

  test('carries jobs', async () => {
    const store = await open();
    const jobs = await openJobs(store, quietLog);
    const seen: unknown[] = [];
    await jobs.work('route', async ({ data }) => void seen.push(data));
    await jobs.enqueue(store.database, 'route', { n: 1 });
    await expect.poll(() => seen).toEqual([{ n: 1 }]);
    await jobs.stop();
    await store.close();
  });

  test('may be owned by somebody else, if the schemas are there', async () => {
    const owner = await openDatabase(postgres.url);
    await owner.query('create role plain login');
    const refused = await openDatabase(postgres.url.replace('operator:any', 'plain:any'));
    await owner.query('alter schema forgehand rename to elsewhere');
    await expect(migrate(refused)).rejects.toMatchObject({
      reason: 'invalid_input',
      remedy: expect.stringContaining('Grant'),
    });
    await owner.query('create schema forgehand authorization plain');
    await migrate(refused);
    await owner.query('drop schema forgehand cascade');
    await owner.query('alter schema elsewhere rename to forgehand');
    await refused.close();
    await owner.close();
  });

  test('that a newer Forgehand has worked on is left alone', async () => {
    const database = await openDatabase(postgres.url);
    await database.query('insert into migrations (id) values (999)');
    await expect(migrate(database)).rejects.toThrow(/has schema 999/);
    await database.query('delete from migrations where id = 999');
    await database.close();
  });

  test('in another encoding is refused in words', async () => {
    const database = await openDatabase(postgres.url);
    await database.query("create database latin encoding 'LATIN1' template template0");
    await expect(open(postgres.url.replace(/postgres$/, 'latin'))).rejects.toMatchObject({
      reason: 'invalid_input',
      message: expect.stringContaining('LATIN1'),
    });
    await database.close();
  });

  test('that goes away and comes back: reading waits, listening goes on and says that it may have missed something', async () => {
    const store = await open();
    const heard: string[] = [];
    const stop = await store.database.listen('threads', (payload) => heard.push(payload));
    await store.database.query("select pg_notify('threads', 'octo-org/hello#1')");
    await expect.poll(() => heard).toEqual(['octo-org/hello#1']);
    await postgres.kill();
    const waiting = store.database.query('select 1 as one');
    await postgres.start();
    expect(await waiting).toEqual([{ one: 1 }]);
    await expect.poll(() => heard).toEqual(['octo-org/hello#1', '']);
    await store.database.query("select pg_notify('threads', 'octo-org/hello#2')");
    await expect.poll(() => heard).toContain('octo-org/hello#2');
    await stop();
    await store.close();
  });

  test('that stays away is an answer in words, soon', async () => {
    const database = await openDatabase(postgres.url, { patienceMs: 200 });
    await database.query('select 1');
    await postgres.kill();
    const error = await database
      .query('insert into cursors values ($1, $2)', ['x', '1'])
      .catch((cause) => cause);
    expect(isConnectionLoss(error)).toBe(true);
    const later = await database.query('select 1').catch((cause) => cause);
    expect(later).toMatchObject({ reason: 'internal', message: expect.stringContaining('does not answer') });
    await expect(database.transaction(async () => {})).rejects.toThrow('does not answer');
    await postgres.start();
    expect(await database.query("select name from forgehand.cursors where name = 'x'")).toEqual([]);
    await database.close();
  });

  test('that goes away under jobs: they go on when it is back', async () => {
    const store = await open();
    const jobs = await openJobs(store, quietLog);
    const seen: unknown[] = [];
    await jobs.work<{ n: number }>('recover', async ({ data }) => void seen.push(data.n));
    await postgres.kill();
    await sleep(500);
    await postgres.start();
    await jobs.enqueue(store.database, 'recover', { n: 4 });
    await expect.poll(() => seen).toEqual([4]);
    await jobs.stop();
    await store.close();
  });
});
