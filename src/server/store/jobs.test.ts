import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Jobs, openJobs } from './jobs.ts';
import { quietLog, startTestStore } from './store.test-support.ts';

interface Numbered {
  n: number;
}

async function start() {
  const store = await startTestStore();
  const jobs = await openJobs(store, quietLog);
  return { store, jobs };
}

async function handled(jobs: Jobs, options: { failures?: number } = {}) {
  const seen: number[] = [];
  let left = options.failures ?? 0;
  await jobs.work<Numbered>('route', async ({ data }) => {
    if (left > 0) {
      left -= 1;
      throw new Error('not yet');
    }
    seen.push(data.n);
  });
  return seen;
}

test('a job exists if and only if the transaction that added it was committed', async () => {
  const { store, jobs } = await start();
  const rolledBack = store.database.transaction(async (tx) => {
    await jobs.enqueue(tx, 'route', { n: 1 });
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  await store.database.transaction((tx) => jobs.enqueue(tx, 'route', { n: 2 }));
  await jobs.enqueue(store.database, 'route', { n: 3 });
  const seen = await handled(jobs);
  await expect.poll(() => seen.sort()).toEqual([2, 3]);
  await jobs.stop();
});

test('many jobs of one statement are all done, by several workers', async () => {
  const { store, jobs } = await start();
  const seen = await handled(jobs);
  const all = Array.from({ length: 200 }, (_, n) => ({ n }));
  await store.database.transaction((tx) => jobs.enqueueAll(tx, 'route', all));
  await expect.poll(() => seen.length).toBe(200);
  expect(new Set(seen).size).toBe(200);
  await jobs.stop();
});

test('a job that fails is run again', async () => {
  const { store, jobs } = await start();
  const seen = await handled(jobs, { failures: 1 });
  await jobs.enqueue(store.database, 'route', { n: 7 });
  await expect.poll(() => seen).toEqual([7]);
  await jobs.stop();
});

test('a job that failed for good is kept in the dead letters', async () => {
  const { store, jobs } = await start();
  await store.database.query("update pgboss.queue set retry_limit = 0 where name = 'route'");
  await jobs.enqueue(store.database, 'route', { n: 9 });
  await handled(jobs, { failures: 1 });
  const dead = () =>
    store.database.query<{ data: Numbered }>("select data from pgboss.job where name = 'route_dead'");
  await expect.poll(dead).toEqual([{ data: { n: 9 } }]);
  await jobs.stop();
});

test('a job whose worker was killed is run again by another', async () => {
  const { store, jobs } = await start();
  const script = `
    const { openDatabase } = await import(${JSON.stringify(new URL('./database.ts', import.meta.url).href)});
    const { openJobs } = await import(${JSON.stringify(new URL('./jobs.ts', import.meta.url).href)});
    const log = { warning() {} };
    const url = process.env.STORE_URL;
    const jobs = await openJobs({ url, database: await openDatabase(url) }, log);
    await jobs.work('route', async () => { process.stdout.write('began'); await new Promise(() => setInterval(() => {}, 1e6)); });
  `;
  const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, STORE_URL: store.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await jobs.enqueue(store.database, 'route', { n: 5 });
  await once(worker.stdout!, 'data');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  const seen = await handled(jobs);
  await expect.poll(() => seen, { timeout: 50_000, interval: 250 }).toEqual([5]);
  await jobs.stop();
});

test('the end waits for the job in hand, and gives back the one that does not end', async () => {
  const { store, jobs } = await start();
  let finished = false;
  let began = 0;
  await jobs.work<Numbered>('route', async ({ data, signal }) => {
    began += 1;
    if (data.n === 1) await sleep(300);
    else await once(signal, 'abort');
    if (data.n === 1) finished = true;
  });
  await jobs.enqueueAll(store.database, 'route', [{ n: 1 }, { n: 2 }]);
  await expect.poll(() => began).toBe(2);
  await jobs.stop(1);
  expect(finished).toBe(true);
  const states = await store.database.query(
    'select state::text, data from pgboss.job where name = $1 order by data',
    ['route'],
  );
  expect(states).toEqual([
    { state: 'completed', data: { n: 1 } },
    { state: 'retry', data: { n: 2 } },
  ]);
});
