import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { isConnectionLoss } from './connection-loss.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';
import { sharedSecret } from './shared-secret.ts';
import { startTestStore } from './store.test-support.ts';

const add = "insert into cursors (name, value) values ('a', '1')";
const names = 'select name from cursors';

test('a transaction is kept as a whole or not at all', async () => {
  const { database } = await startTestStore();
  const thrown = database.transaction(async (tx) => {
    await tx.query(add);
    throw new Error('changed my mind');
  });
  await expect(thrown).rejects.toThrow('changed my mind');
  expect(await database.query(names)).toEqual([]);
  expect(await database.transaction((tx) => tx.query(`${add} returning name`))).toEqual([{ name: 'a' }]);
  expect(await database.query(names)).toEqual([{ name: 'a' }]);
});

test('a transaction in which a statement failed, and was passed over, is no success', async () => {
  const { database } = await startTestStore();
  const kept = database.transaction(async (tx) => {
    await tx.query(add);
    await tx.query('select nonsense').catch(() => {});
    return 'done';
  });
  await expect(kept).rejects.toThrow('nothing of it was kept');
  expect(await database.query(names)).toEqual([]);
});

test('a statement that is refused says why, and its connection serves the next one', async () => {
  const { database } = await startTestStore();
  const refused = await database.query('select nonsense').catch((error) => error);
  expect(refused.message).toMatch(/column "nonsense" does not exist/);
  expect(isConnectionLoss(refused)).toBe(false);
  expect(await database.query('select $1::int as one', [1])).toEqual([{ one: 1 }]);
});

test('a connection that is cut fails the transaction on it, and nothing else', async () => {
  const { database } = await startTestStore();
  const cut = database
    .transaction(async (tx) => {
      await tx.query(add);
      await tx.query('select pg_terminate_backend(pg_backend_pid())');
    })
    .catch((error) => error);
  expect(isConnectionLoss(await cut)).toBe(true);
  expect(await database.query(names)).toEqual([]);
});

test('migrating again changes nothing', async () => {
  const { database } = await startTestStore();
  await database.query(add);
  await migrate(database);
  expect(await database.query(names)).toEqual([{ name: 'a' }]);
});

test('a migration that fails half-way leaves nothing behind', async () => {
  const { database } = await startTestStore();
  const broken = [
    { id: 1, sql: '' },
    { id: 2, sql: 'create table half (n integer); create table half (n integer)' },
  ];
  await expect(migrate(database, broken)).rejects.toThrow('already exists');
  expect(await database.query("select to_regclass('half') as half")).toEqual([{ half: null }]);
  expect(await database.query('select max(id) as id from migrations')).toEqual([{ id: 1 }]);
});

test('notifications reach every listener of a channel until it stops', async () => {
  const { database } = await startTestStore();
  const heard: string[] = [];
  const first = await database.listen('threads', (payload) => heard.push(`1 ${payload}`));
  const second = await database.listen('threads', (payload) => heard.push(`2 ${payload}`));
  await database.query("select pg_notify('threads', 'x')");
  await expect.poll(() => heard.sort()).toEqual(['1 x', '2 x']);
  await first();
  await database.query("select pg_notify('threads', 'y')");
  await expect.poll(() => heard).toContain('2 y');
  expect(heard).not.toContain('1 y');
  await second();
});

test('a listener that throws does not keep the others from hearing', async () => {
  const { database } = await startTestStore();
  const heard: string[] = [];
  const first = await database.listen('threads', () => {
    throw new Error('mine alone');
  });
  const second = await database.listen('threads', (payload) => heard.push(payload));
  await database.query("select pg_notify('threads', 'x')");
  await expect.poll(() => heard).toEqual(['x']);
  await first();
  await second();
});

test('servers that start together share one generated secret', async () => {
  const { database } = await startTestStore();
  const all = await Promise.all([1, 2, 3].map(() => sharedSecret(database, 'operator_token')));
  expect(new Set(all.map((secret) => secret.reveal())).size).toBe(1);
  expect(all[0]!.reveal()).toMatch(/^[0-9a-f]{64}$/);
});

test('an address where nobody speaks PostgreSQL is an answer in words', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const database = await openDatabase(`postgres://u@127.0.0.1:${port}/f`, { patienceMs: 100 });
  await expect(database.query('select 1')).rejects.toMatchObject({ reason: 'internal' });
  await database.close();
  server.close();
});
