/** What many issues on several servers must come to, whatever has died: everything once, and in order. */
import { expect } from 'vitest';
import type { Issue } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { effects, timesHeard, wish } from './chaos-claude.ts';
import { sessionProcesses } from './chaos-victims.ts';
import type { Fleet } from './fleet.ts';

/** One issue and what people wrote in it, in order. */
export interface Wished {
  repository: RepositoryView;
  issue: Issue;
  key: string;
  whats: string[];
}

export async function openIssue(fleet: Fleet, repository: RepositoryView): Promise<Wished> {
  const issue = fleet.github.createIssue(repository, { author: 'octocat', title: 'To do', body: '' });
  const what = `task-${repository.record.name}-${issue.number}`;
  issue.body = wish(what);
  await fleet.deliver(await fleet.github.event.issues(issue));
  return { repository, issue, key: `${repository.fullName}#${issue.number}`, whats: [what] };
}

export async function follow(fleet: Fleet, wished: Wished): Promise<void> {
  const { issue, repository, whats } = wished;
  const what = `more-${repository.record.name}-${issue.number}-${whats.length}`;
  whats.push(what);
  const comment = fleet.github.comment(issue, { author: 'octocat', body: wish(what) });
  await fleet.deliver(await fleet.github.event.issueComment(comment));
}

export async function allDone(fleet: Fleet, all: Wished[], timeoutMs: number): Promise<void> {
  const wanted = all.reduce((sum, { whats }) => sum + whats.length, 0);
  const left = () =>
    fleet.database.query(
      `select m.thread_key, m.state, m.failures, left(m.body, 60) as body, t.state as thread, t.activity,
         t.lease_until > now() as live, t.not_before > now() as later, t.lease_host
       from messages m join threads t on t.key = m.thread_key where m.state <> 'done' order by m.seq`,
    );
  try {
    await fleet.until(
      `${wanted} messages are done`,
      async () => {
        const [row] = await fleet.database.query<{ done: number; all: number }>(
          `select count(*) filter (where state = 'done')::int as done, count(*)::int as all from messages`,
        );
        return row!.done === wanted && row!.all === wanted;
      },
      timeoutMs,
    );
  } catch (error) {
    throw new Error(`Not done: ${JSON.stringify(await left(), null, 1)}\n${(error as Error).message}`);
  }
}

/** @throws unless everything that was asked was done, said and answered exactly once, in the order in which it was asked. */
export async function checkEnd(fleet: Fleet, { issue, repository, key, whats }: Wished): Promise<void> {
  const branch = `issue-${issue.number}`;
  const pulls = repository.pullRequests().filter(({ head }) => isOf(head.ref, branch));
  expect(
    pulls.map(({ head, draft }) => ({ ref: head.ref, draft })),
    key,
  ).toEqual([{ ref: branch, draft: true }]);
  const lines = (await repository.file(branch, effects))?.trim().split('\n') ?? [];
  expect(lines, `${key}: each effect once, in order`).toEqual(whats);
  const last = fleet.model.main.findLast((request) => request.firstText().includes(wish(whats[0]!)))!;
  expect(
    whats.map((what) => timesHeard(last, what)),
    `${key}: heard once`,
  ).toEqual(whats.map(() => 1));
  const places = whats.map((what) => JSON.stringify(last.body.messages).indexOf(wish(what)));
  expect(places, `${key}: heard in order`).toEqual(places.toSorted((one, other) => one - other));
  const answers = issue.comments
    .filter(({ author }) => author?.login === 'forgehand-bot')
    .map(({ body }) => body);
  expect(
    whats.map((what) => answers.filter((body) => body.includes(`I did ${what}.`)).length),
    `${key}: answered once in ${answers.join('\n=====\n')}`,
  ).toEqual(whats.map(() => 1));
}

/** A second branch of an issue would be called `issue-1-…`. */
function isOf(ref: string, branch: string): boolean {
  return ref === branch || ref.startsWith(`${branch}-`);
}

/** Sees whether two session processes of one thread are ever alive at once, on whatever host. */
export function watchSessions(fleet: Fleet) {
  let worst = '';
  const timer = setInterval(() => {
    const keys = fleet.hosts.flatMap(({ dataDir }) => sessionProcesses(dataDir)).map(({ key }) => key);
    worst ||= keys.find((key, index) => keys.indexOf(key) !== index) ?? '';
  }, 250);
  return { worst: () => worst, stop: () => clearInterval(timer) };
}

/** The number of threads that a host's sessions work on now. */
export async function heldBy(fleet: Fleet, dataDir: string): Promise<string[]> {
  const rows = await fleet.database.query<{ key: string }>(
    `select key from threads where lease_owner is not null and lease_until > now() and lease_host like '%' || $1`,
    [dataDir],
  );
  return rows.map(({ key }) => key);
}
