/** Two never write for one thread: who has lost the lease stops Claude and writes nothing more. */
import { afterEach, expect, test } from 'vitest';
import { diligent, effects, timesHeard, wish } from './chaos-claude.ts';
import { isScale } from './chaos-run.ts';
import { find, isAlive } from './chaos-victims.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';
import { withoutTmux } from './without-tmux.ts';

/** Only `npm run test:scale` has so much time. */
const whenScaled: (name: string, story: () => Promise<void>, timeoutMs: number) => void = isScale
  ? test
  : () => {};

let stage: ServerStage;
afterEach(() => stage?.[Symbol.asyncDispose]());

/** An issue whose first Claude waits for its model; the next ones do not. */
async function atWork() {
  // tmux lets nothing sleep: it wakes what was stopped.
  stage = await setServerStage({ env: withoutTmux() });
  const issue = stage.github.createIssue(stage.repository, {
    author: 'octocat',
    title: 'To do',
    body: wish('task'),
  });
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let requests = 0;
  stage.model.when(
    'Please do task',
    diligent({
      atRequest: async () => {
        requests += 1;
        if (requests > 1) return;
        asked.resolve();
        await go.promise;
      },
    }),
  );
  await stage.deliver(await stage.github.event.issues(issue));
  await asked.promise;
  // All that it says of its beginning is said: what is written from now on comes later.
  await stage.until('🚀', () => issue.reactions.some(({ content }) => content === 'rocket'));
  const place = { dataDir: stage.dataDir, key: `octo-org/hello#${issue.number}` };
  const [session] = find('session', place);
  const [claude] = find('claude', place);
  expect([session, claude]).toEqual([expect.any(Number), expect.any(Number)]);
  return { issue, key: place.key, session: session!, claude: claude!, go: go.resolve };
}

async function leaseOf(key: string): Promise<string | null> {
  const [row] = await (await stage.database()).query<{ lease: string | null }>(
    `select lease_owner as lease from threads where key = $1`,
    [key],
  );
  return row!.lease;
}

async function checkOnce(issue: Awaited<ReturnType<typeof atWork>>['issue']) {
  await stage.answered(issue, 'I did task.');
  expect(await stage.repository.file(`issue-${issue.number}`, effects)).toBe('task\n');
  expect(timesHeard(stage.model.main.at(-1)!, 'task')).toBe(1);
  expect(stage.answers(issue)).toHaveLength(1);
  expect(stage.pulls()).toHaveLength(1);
}

test('a session whose lease another host has taken stops its Claude and writes nothing more', async () => {
  const { issue, key, session, claude, go } = await atWork();
  const database = await stage.database();
  const before = await leaseOf(key);
  const foreign = crypto.randomUUID();
  await database.query(
    `update threads set lease_owner = $2, lease_host = 'another', lease_until = now() + interval '1 hour' where key = $1`,
    [key, foreign],
  );
  const written = `select
    (select count(*)::int from transcript where thread_key = $1) as said,
    (select string_agg(state, ' ') from messages where thread_key = $1) as messages`;
  const [was] = await database.query(written, [key]);
  const requests = stage.github.requests.length;
  // Its Claude wants to go on.
  go();
  await stage.until('its processes are gone', () => !isAlive(session) && !isAlive(claude));
  expect(await database.query(written, [key])).toEqual([was]);
  expect(
    stage.github.requests.slice(requests).filter(({ method, kind }) => kind === 'rest' && method !== 'GET'),
  ).toEqual([]);
  expect(await leaseOf(key)).toBe(foreign);

  // The other host is gone as well.
  await database.query(`update threads set lease_until = now() where key = $1`, [key]);
  await checkOnce(issue);
  expect([before, foreign]).not.toContain(await leaseOf(key));
}, 240_000);

test('a session that hangs past its lease is ended with its Claude before another one begins here', async () => {
  const { issue, key, session, claude, go } = await atWork();
  process.kill(session, 'SIGSTOP');
  // By default nobody waits until it has run out by itself.
  if (!isScale)
    await (await stage.database()).query(`update threads set lease_until = now() where key = $1`, [key]);
  go();
  await checkOnce(issue);
  expect(isAlive(session)).toBe(false);
  expect(isAlive(claude)).toBe(false);
  expect(stage.output()).toContain('The former session hangs and has lost its lease; it is ended.');
}, 240_000);

whenScaled(
  'a session that was asleep past its lease finds that another host has its thread',
  async () => {
    const { issue, key, session, claude, go } = await atWork();
    await stage.kill('SIGKILL');
    process.kill(session, 'SIGSTOP');
    const database = await stage.database();
    await stage.until(
      'the lease has run out',
      async () =>
        (await database.query(`select from threads where key = $1 and lease_until < now()`, [key])).length,
      240_000,
    );
    await database.query(
      `update threads set lease_owner = gen_random_uuid(), lease_host = 'another', lease_until = now() + interval '1 hour' where key = $1`,
      [key],
    );
    process.kill(session, 'SIGCONT');
    go();
    await stage.until('its processes are gone', () => !isAlive(session) && !isAlive(claude));
    await database.query(`update threads set lease_until = now() where key = $1`, [key]);
    await stage.start();
    await checkOnce(issue);
  },
  180_000,
);

whenScaled(
  'while the database hangs, Claude is stopped before anybody else may take its thread over',
  async () => {
    const { issue, key, session, claude, go } = await atWork();
    const paused = find('database', { dataDir: stage.dataDir, key });
    for (const pid of paused) process.kill(pid, 'SIGSTOP');
    await stage.until('Claude is gone', () => !isAlive(claude), 60_000);
    for (const pid of paused) process.kill(pid, 'SIGCONT');
    go();
    await checkOnce(issue);
    expect(isAlive(session)).toBe(false);
  },
  180_000,
);
