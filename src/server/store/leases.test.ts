/** Who may write for a thread: one at a time, the right one, and nobody for a dead one's sake. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Database } from './database.ts';
import {
  adoptLease,
  claimThread,
  LeaseLost,
  longestIdle,
  nameSession,
  releaseLease,
  renewLease,
  somebodyWaits,
  takeOver,
} from './leases.ts';
import { keepComposed, markDelivered, openMessages } from './session-messages.ts';
import { changeThread, handBack, pauseThread, readThread, rememberProgress } from './session-threads.ts';
import { startTestStore } from './store.test-support.ts';
import { transcriptOf } from './transcript.ts';

let database: Database;
beforeEach(async () => {
  ({ database } = await startTestStore());
});

const holder = { host: 'here', pid: 1, pidStarted: null, mark: 'mark' };

async function thread(key: string, messages = 1): Promise<void> {
  const [repository, number] = key.split('#');
  await database.query(`insert into threads (key, repository, number, kind) values ($1, $2, $3, 'issue')`, [
    key,
    repository,
    Number(number),
  ]);
  for (let count = 0; count < messages; count += 1) await message(key);
}

async function message(key: string): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `insert into messages (thread_key, kind, actor, body) values ($1, 'comment', 'octocat', 'words') returning id`,
    [key],
  );
  return row!.id;
}

function claim(host = 'here', max = 4, perRepository = 2) {
  const lease = randomUUID();
  return claimThread(database, {
    lease,
    holder: { ...holder, host },
    maxSessions: max,
    maxSessionsPerRepository: perRepository,
  }).then((claimed) => (claimed ? { ...claimed, lease } : null));
}

async function expire(key: string): Promise<void> {
  await database.query(`update threads set lease_until = now() - interval '1 second' where key = $1`, [key]);
}

describe('claims', () => {
  test('only what is open, has something to say and is not waiting', async () => {
    await thread('o/quiet#1', 0);
    await thread('o/paused#2');
    await database.query(`update threads set state = 'paused' where key = 'o/paused#2'`);
    await thread('o/later#3');
    await database.query(`update threads set not_before = now() + interval '1 hour' where key = 'o/later#3'`);
    await thread('o/ready#4');
    expect((await claim())?.key).toBe('o/ready#4');
    expect(await claim()).toBeNull();
  });

  test('whoever takes a thread learns whose lease ran out, but not whose was given back', async () => {
    await thread('o/hung#1');
    const first = await claim();
    expect(first?.former).toBeNull();
    await expire('o/hung#1');
    const second = await claim('there');
    expect(second?.former).toEqual({ ...holder, host: 'here' });
    await releaseLease(database, 'o/hung#1', second!.lease);
    expect((await claim())?.former).toBeNull();
  });

  test('repositories take turns, and each has its share at most', async () => {
    for (const key of ['o/busy#1', 'o/busy#2', 'o/busy#3', 'o/other#4']) await thread(key);
    const keys = [(await claim())?.key, (await claim())?.key, (await claim())?.key, (await claim())?.key];
    expect(keys).toEqual(['o/busy#1', 'o/other#4', 'o/busy#2', undefined]);
  });

  test('a machine has its share at most; another one may take more', async () => {
    for (const number of [1, 2, 3]) await thread(`o/r${number}#1`);
    expect([await claim('here', 1), await claim('here', 1)].map((held) => held !== null)).toEqual([
      true,
      false,
    ]);
    expect(await somebodyWaits(database)).toBe(true);
    expect(await claim('there', 1)).not.toBeNull();
  });

  test('many claims at once never take one thread twice', async () => {
    for (let number = 1; number <= 12; number += 1) await thread(`o/r${number}#1`);
    const held = await Promise.all(Array.from({ length: 20 }, () => claim('here', 50)));
    const keys = held.filter((one) => one !== null).map(({ key }) => key);
    expect(new Set(keys).size).toBe(12);
    expect(keys).toHaveLength(12);
  });

  test('a message counts the sessions that began with it; who ends in order is forgiven', async () => {
    await thread('o/r#1');
    for (let round = 0; round < 3; round += 1) {
      await claim();
      await expire('o/r#1');
    }
    expect((await openMessages(database, 'o/r#1'))[0]?.failures).toBe(3);
    const held = (await claim())!;
    await handBack(database, held, { delaySeconds: 0, forgive: true });
    expect((await openMessages(database, 'o/r#1'))[0]?.failures).toBe(3);
  });
});

describe('a lease', () => {
  test('is taken over by the session, renewed, and released', async () => {
    await thread('o/r#1');
    const held = (await claim())!;
    await adoptLease(database, held, { ...holder, pid: 7, inTmux: true });
    await takeOver(database, held.key, held.lease, { ...holder, pid: 8 });
    await renewLease(database, held.key, held.lease);
    await releaseLease(database, held.key, held.lease);
    await expect(renewLease(database, held.key, held.lease)).rejects.toThrow(LeaseLost);
  });

  test('lost, it lets nothing through: each write names it', async () => {
    await thread('o/r#1');
    const old = (await claim())!;
    await expire('o/r#1');
    const now = (await claim())!;
    expect(now.lease).not.toBe(old.lease);
    const id = (await openMessages(database, 'o/r#1'))[0]!.id;
    const composed = { material: null, materialId: null, text: 'x', verbatim: true };
    const writes: [string, () => Promise<unknown>][] = [
      ['renew', () => renewLease(database, old.key, old.lease)],
      ['take over', () => takeOver(database, old.key, old.lease, holder)],
      ['transcript', () => transcriptOf(database, old.key, old.lease).append('s', '', [{ type: 'user' }])],
      ['compose', () => keepComposed(database, old, { id, composed })],
      ['deliver', () => markDelivered(database, old, [id])],
      ['change', () => changeThread(database, old, { branch: 'x' })],
      ['remember', () => rememberProgress(database, old, { name: 'x', value: 1 })],
      ['hand back', () => handBack(database, old, { delaySeconds: 0, forgive: true })],
      ['pause', () => pauseThread(database, old, { reason: 'budget', message: '' })],
    ];
    for (const [name, write] of writes) await expect(write(), name).rejects.toThrow(LeaseLost);
    // Releasing what is another's already changes nothing.
    await releaseLease(database, old.key, old.lease);
    await renewLease(database, now.key, now.lease);
    expect(await database.query('select 1 from transcript')).toEqual([]);
  });
});

describe('a session', () => {
  test('what is composed is not composed again, and what was withdrawn is not said', async () => {
    await thread('o/r#1', 2);
    const held = (await claim())!;
    const [one, two] = await openMessages(database, 'o/r#1');
    const composed = { material: 'm', materialId: randomUUID(), text: 'x', verbatim: false };
    expect(await keepComposed(database, held, { id: one!.id, composed })).toBe(true);
    await database.query(`update messages set state = 'withdrawn' where id = $1`, [two!.id]);
    expect(await keepComposed(database, held, { id: two!.id, composed })).toBe(false);
    expect((await openMessages(database, 'o/r#1')).map((message) => message.composed)).toEqual([composed]);
  });

  test('a transcript keeps every entry, in order, whatever is in it', async () => {
    await thread('o/r#1');
    const held = (await claim())!;
    const store = transcriptOf(database, held.key, held.lease);
    const entries = [
      { z: 1, a: 'nul \u0000 and 🦊' },
      { type: 'user', nested: { b: [1, 2] } },
    ];
    await store.append('s', '', entries);
    await store.append('s', 'subagents/one', [{ sub: true }]);
    await store.append('s', '', [{ last: true }]);
    expect(await store.load('s', '')).toEqual([...entries, { last: true }]);
    expect(JSON.stringify((await store.load('s', ''))?.[0])).toBe(JSON.stringify(entries[0]));
    expect(await store.subpaths('s')).toEqual(['subagents/one']);
    expect(await store.load('other', '')).toBeNull();
  });

  test('the thread remembers what a session needs to go on', async () => {
    await thread('o/r#1');
    const held = (await claim())!;
    await rememberProgress(database, held, { name: 'plan', value: { base: 'main' } });
    await rememberProgress(database, held, { name: 'answer', value: null });
    await changeThread(database, held, { branch: 'issue-1', pullNumber: 9, activity: 'idle' });
    expect(await readThread(database, 'o/r#1')).toMatchObject({
      branch: 'issue-1',
      pullNumber: 9,
      progress: { plan: { base: 'main' }, answer: null },
    });
    expect(await longestIdle(database, 'here')).toBe('o/r#1');
  });

  test('has a name of its own, the same one each time', async () => {
    await thread('o/a.b#1');
    await thread('o/a_b#1');
    const [one, two] = [(await claim())!, (await claim())!];
    const plain = (isTaken: (name: string) => boolean) => (isTaken('n') ? 'n-2' : 'n');
    expect(await nameSession(database, one, plain)).toBe('n');
    expect(await nameSession(database, two, plain)).toBe('n-2');
    expect(await nameSession(database, one, plain)).toBe('n');
  });
});
