import { expect, test } from 'vitest';
import { startTestStore } from './store.test-support.ts';

test('a fresh database a call, migrated', async () => {
  const one = await startTestStore();
  const two = await startTestStore();
  await one.database.query("insert into cursors (name, value) values ('a', '1')");
  expect(await one.database.query('select name from cursors')).toEqual([{ name: 'a' }]);
  expect(await two.database.query('select name from cursors')).toEqual([]);
});
