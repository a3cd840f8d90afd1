/** One story in which somebody is killed: an issue, a follow-up while Claude works, one afterwards; and its one end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { WebhookEvent } from '../../testkit/github/deliveries.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { diligent, effects, timesHeard, wish } from './chaos-claude.ts';
import type { Point } from './chaos-points.ts';
import { arm, type Facts, type Strike } from './chaos-strike.ts';
import { kill, sessionsOf, type Victim } from './chaos-victims.ts';
import type { ServerStage } from './server-stage.ts';

/** What is slow on a busy machine is not lost: nothing here is about time. Milliseconds. */
const patience = 150_000;

interface Message {
  state: string;
  kind: string;
}

/** Runs the story and checks its end. @throws with everything that is known when it ends otherwise. */
export async function survive(stage: ServerStage, point: Point, victim: Victim): Promise<void> {
  const issue = stage.github.createIssue(stage.repository, { author: 'octocat', title: 'To do', body: '' });
  const { number } = issue;
  const [task, busy, later] = [`task-${number}`, `busy-${number}`, `later-${number}`] as const;
  issue.body = wish(task);
  const facts: Facts = {
    key: `octo-org/hello#${number}`,
    number,
    workspace: stage.path(issue, '.'),
  };
  const blow = () => kill(victim, { dataDir: stage.dataDir, key: facts.key });
  const strike = await arm(stage, { trigger: point.at, victim, facts, blow });
  const life = watchSessions(stage, facts.key);
  const restarted = victim === 'server' ? strike.struck.then(() => stage.start()) : null;
  restarted?.catch(() => {});
  let followUp: Promise<void> | null = null;
  stage.model.when(
    task,
    diligent({
      lingerMs: point.lingerMs,
      atRequest: async () => {
        followUp ??= say(stage, issue, busy);
        await followUp;
      },
    }),
  );
  try {
    await deliver(stage, await stage.github.event.issues(issue));
    await done(stage, issue, 2);
    if (point.parks) await park(stage, facts.key);
    await say(stage, issue, later);
    await done(stage, issue, 3);
    await park(stage, facts.key);
    await restarted;
    await checkEnd(stage, issue, [task, busy, later]);
    expect(strike.hasStruck(), 'the point was never reached').toBe(true);
    expect(await strike.struck, `nobody was there to kill: ${victim}`).toBeGreaterThan(0);
    expect(life.most(), 'session processes of one thread at once').toBe(1);
  } catch (error) {
    throw await explained(stage, facts, { error, strike, most: life.most() });
  } finally {
    life.stop();
    await strike.end();
  }
}

/** As GitHub's redelivery or the look at its log would: again under the same id until it is taken. */
export async function deliver(stage: ServerStage, event: WebhookEvent): Promise<void> {
  const { guid, statusCode } = await stage.deliver(event);
  for (let status = statusCode; status !== 202; ) {
    await sleep(50);
    status = (await stage.deliver(event, guid)).statusCode;
  }
}

async function say(stage: ServerStage, issue: Issue, what: string): Promise<void> {
  const comment = stage.github.comment(issue, { author: 'octocat', body: wish(what) });
  await deliver(stage, await stage.github.event.issueComment(comment));
  // In the thread, so that Claude can hear it at the next tool.
  const isThere = async () => (await messages(stage, issue)).some(({ body }) => body.includes(what));
  await stage.until(`“${what}” is a message`, isThere, patience);
}

async function messages(stage: ServerStage, issue: Issue): Promise<(Message & { body: string })[]> {
  const database = await stage.database();
  // The database may be away just now.
  return database
    .query<Message & { body: string }>(
      `select state, kind, body from messages where thread_key = $1 order by seq`,
      [`octo-org/hello#${issue.number}`],
    )
    .catch(() => []);
}

export async function done(stage: ServerStage, issue: Issue, count: number): Promise<void> {
  const areDone = async () => {
    const all = await messages(stage, issue);
    return all.length === count && all.every(({ state }) => state === 'done');
  };
  await stage.until(`${count} messages of #${issue.number} are done`, areDone, patience);
}

/** Asks the session for its place until it has given it back. */
export async function park(stage: ServerStage, key: string): Promise<void> {
  const database = await stage.database();
  const isParked = async () => {
    const [row] = await database
      .query<{ free: boolean }>(
        `select lease_owner is null as free, pg_notify('make_room', key) from threads where key = $1`,
        [key],
      )
      .catch(() => []);
    return row?.free;
  };
  await stage.until(`${key} is parked`, isParked, patience);
}

/** The most session processes of the thread that were seen at once. */
function watchSessions({ dataDir }: ServerStage, key: string) {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, sessionsOf(dataDir, key).length);
  }, 60);
  return { most: () => most, stop: () => clearInterval(timer) };
}

async function checkEnd(stage: ServerStage, issue: Issue, whats: string[]): Promise<void> {
  const { number } = issue;
  const key = `octo-org/hello#${number}`;
  const branch = `issue-${number}`;
  const isOf = (ref: string) => ref === branch || ref.startsWith(`${branch}-`);
  const pulls = stage.pulls().filter(({ head }) => isOf(head.ref));
  expect(pulls.map(({ head, draft, state }) => ({ ref: head.ref, draft, state }))).toEqual([
    { ref: branch, draft: true, state: 'open' },
  ]);
  expect(pulls[0]!.body).toContain(`Closes #${number}`);
  expect(Object.keys(stage.repository.branches()).filter(isOf)).toEqual([branch]);

  const lines = (await stage.repository.file(branch, effects))?.trim().split('\n') ?? [];
  expect(lines.toSorted(), 'each effect once').toEqual(whats.toSorted());
  const commits = (await stage.repository.log(`main..${branch}`)).map(
    ({ message }) => message.split('\n')[0],
  );
  expect(commits.filter((message) => message === `Start work on ${key}`)).toHaveLength(1);

  const last = stage.model.main.findLast((request) => request.firstText().includes(wish(whats[0]!)))!;
  expect(
    whats.map((what) => [what, timesHeard(last, what)]),
    'heard once',
  ).toEqual(whats.map((what) => [what, 1]));

  const answers = stage.answers(issue);
  expect(
    whats.map((what) => [what, answers.filter((body) => body.includes(`I did ${what}.`)).length]),
    `answered once in: ${answers.join('\n=====\n')}`,
  ).toEqual(whats.map((what) => [what, 1]));
  for (const answer of answers) expect(answer, 'an answer without an end').toMatch(/I did [\w-]+\./);

  const [row] = await (await stage.database()).query<Record<string, unknown>>(
    `select t.state, lease_owner as lease,
       (select array_agg(m.state order by m.seq) from messages m where m.thread_key = t.key) as messages,
       (select array_agg(coalesce(d.verdict, 'none') order by d.seq) from deliveries d where d.thread_key = t.key) as deliveries
     from threads t where t.key = $1`,
    [key],
  );
  expect(row).toEqual({
    state: 'open',
    lease: null,
    messages: ['done', 'done', 'done'],
    deliveries: ['run', 'run', 'run'],
  });
  expect(stage.github.violations).toEqual([]);
}

async function explained(
  stage: ServerStage,
  { key }: Facts,
  { error, strike, most }: { error: unknown; strike: Strike<number>; most: number },
): Promise<Error> {
  const events = await (await stage.database())
    .query<{ at: string; kind: string; data: unknown }>(
      `select to_char(created_at, 'HH24:MI:SS.MS') as at, kind, data from session_events where thread_key = $1 order by id`,
      [key],
    )
    .catch(() => []);
  const said = [
    (error as Error).message,
    `struck: ${strike.hasStruck()}, most sessions at once: ${most}`,
    ...events.map(({ at, kind, data }) => `${at} ${kind} ${JSON.stringify(data)}`),
    stage.output().split('\n').slice(-60).join('\n'),
  ];
  const all = new Error(said.join('\n'));
  all.stack = `${said.join('\n')}\n${(error as Error).stack}`;
  return all;
}
