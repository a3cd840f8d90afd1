/** This run among those of its issue or pull request: waits for the earlier ones, and takes in what is said while it works. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionResult } from '../../claude/session.ts';
import { type GitHubClient, GraphqlRefusal } from '../../github/client.ts';
import { ThreadFeed } from '../../github/thread-feed.ts';
import type { TrackingComment } from '../../report/comment.ts';
import type { Reporter } from '../../words/result.ts';
import { type Decision, hasBranch, type Task } from '../../words/task.ts';
import type { ClaudeRun, Prompts } from '../claude-run.ts';
import type { Connection } from '../connect.ts';
import type { Gathered } from '../context.ts';
import type { Door } from '../door.ts';
import { FollowUps } from './follow-ups.ts';
import { Precedence, type Sight, seeOthers } from './precedence.ts';

/** Milliseconds. How far back is looked: farther than a run that lives leaves its comment alone, for clocks that differ. */
const lookBackMs = 15 * 60_000;
/** A comment that was just posted may not be listed yet. */
const looks = 3;
const lookAgainMs = 1_000;

export interface ThreadRunsOptions {
  door: Door;
  task: Task;
  connection: Connection;
  comment: TrackingComment;
}

/** Whose turn it is: this run's with the thread as it is by now, or none, as another has the request. */
export type Turn =
  | { thread: Gathered; handedOver: null }
  | { thread: null; handedOver: Exclude<Decision, { verdict: 'run' }> };

export interface ThreadRuns {
  /** Told how the run goes, for the requests that it takes in besides its own. */
  reporters: Reporter[];
  /** People can say more while Claude works. */
  hearsMore: boolean;
  /** Looks which other runs are at work, once our comment is there: who looks later sees it. Never throws. */
  look(started: Promise<void>): Promise<void>;
  /**
   * Waits for the runs that are ahead. @param early the thread as it was read at the start @param gather reads it anew
   * @throws AppError `cancelled`, and what GitHub's client throws
   */
  turn(early: Gathered, gather: () => Promise<Gathered>): Promise<Turn>;
  /** Claude works on the prompt, and on what permitted people add meanwhile. */
  work(claude: ClaudeRun, prompt: Prompts): Promise<SessionResult>;
}

/** A run that shows no comment, or has no branch to share: others neither see it nor are waited for. */
export const aloneOnThread: ThreadRuns = {
  reporters: [],
  hearsMore: false,
  look: async () => {},
  turn: async (early) => ({ thread: early, handedOver: null }),
  work: (claude, prompt) => claude.work(prompt),
};

export function threadRunsOf({
  comment,
  ...options
}: Omit<ThreadRunsOptions, 'comment'> & { comment: TrackingComment | null }): ThreadRuns {
  return comment && hasBranch(options.task) ? new WatchedThread({ ...options, comment }) : aloneOnThread;
}

class WatchedThread implements ThreadRuns {
  readonly reporters: Reporter[];
  private readonly followUps: FollowUps;
  private readonly options: ThreadRunsOptions;
  private readonly feed: ThreadFeed;
  private sight: Sight | null = null;

  constructor(options: ThreadRunsOptions) {
    const { task, connection } = options;
    this.options = options;
    this.feed = new ThreadFeed(connection.client, {
      repository: task.repository,
      number: task.subject!.number,
      kind: task.subject!.kind,
      since: this.since(),
    });
    this.followUps = new FollowUps({ ...options, feed: this.feed });
    this.reporters = [this.followUps];
  }

  /** Where every event gets the workflow's prompt, nobody asks for anything. */
  get hearsMore(): boolean {
    return this.options.door.config.prompt.trim() === '';
  }

  async look(started: Promise<void>): Promise<void> {
    const { comment, door } = this.options;
    await started;
    const own = comment.ref();
    if (!own) return;
    try {
      for (let look = 1; look <= looks && !this.sight; look += 1) {
        if (look > 1) await sleep(lookAgainMs, undefined, { signal: door.signal });
        this.sight = seeOthers(await this.feed.poll(), own);
      }
    } catch (error) {
      door.warn(`Other runs of this thread could not be looked for: ${(error as Error).message}`);
    }
  }

  async turn(early: Gathered, gather: () => Promise<Gathered>): Promise<Turn> {
    const { sight, options } = this;
    if (!sight) return { thread: early, handedOver: null };
    const { workflow, job } = options.door.run;
    const nodeId = this.isFirstAttempt ? requestOf(options.task) : null;
    const precedence = new Precedence(sight, { nodeId, workflow, job }, performance.now());
    const isFree = precedence.step().do === 'work';
    const handedTo = isFree ? null : await this.wait(precedence);
    if (handedTo) {
      await options.comment.show({ waitsFor: handedTo }).catch(() => {});
      const message = `The run that was at work has taken this request in: ${handedTo}`;
      return { thread: null, handedOver: { verdict: 'ignore', reason: 'handed_over', message, facts: [] } };
    }
    if (isFree) return { thread: early, handedOver: null };
    await this.pinHead(early, precedence.pushed);
    return { thread: await gather(), handedOver: null };
  }

  work(claude: ClaudeRun, prompt: Prompts): Promise<SessionResult> {
    const { sight, followUps, options } = this;
    if (!sight || !this.hearsMore) return claude.work(prompt);
    const { triggeredAt } = options.task;
    const after = (this.isFirstAttempt && triggeredAt) || sight.createdAt;
    const send = claude.send.bind(claude);
    return followUps.during({ send, after }, () => claude.work(prompt));
  }

  /** The tracking comment of the run that has taken the request in; null once it is this run's turn. */
  private async wait(precedence: Precedence): Promise<string | null> {
    const { comment, connection, door } = this.options;
    const begun = performance.now();
    let shown = '';
    for (;;) {
      const step = precedence.step();
      if (step.do === 'hand over') return step.to.url;
      const waited = performance.now() - begun;
      if (step.do === 'work') break;
      if (step.for.url !== shown) {
        shown = step.for.url;
        door.log.info(`This request waits for the run at work: ${shown}`);
        await comment.show({ waitsFor: shown }).catch(() => {});
      }
      // Quick at first, as most are taken in at once; GitHub's rate limit is for the whole repository.
      await sleep(Math.min(15_000, 1_000 + waited / 10), undefined, { signal: door.signal }).catch(() => {});
      door.signal.throwIfAborted();
      precedence.learn(await bodiesOf(connection.client, precedence.watched), performance.now());
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    door.note(`This request waited ${seconds} s for an earlier run on ${this.options.task.key}: ${shown}`);
    await comment.show({ waitsFor: null }).catch(() => {});
    return null;
  }

  /**
   * What those ahead have pushed is what this run goes on from. Nothing else that came meanwhile is: the head stays
   * where it was when the run was asked for, or first read.
   */
  private async pinHead(early: Gathered, pushed: string[]): Promise<void> {
    const { task, connection } = this.options;
    const { subject, repository } = task;
    const read = early?.thread.pullRequest?.head;
    if (!subject || !read) return;
    const { head } = await connection.client.rest<{ head: { sha: string } }>(
      'GET /repos/{owner}/{repo}/pulls/{pull_number}',
      { owner: repository.owner, repo: repository.name, pull_number: subject.number },
    );
    const pinned = subject.head?.sha ?? read.sha;
    // In place: the tools that Claude already has ask the same subject.
    subject.head = { ...read, sha: pushed.includes(head.sha) ? head.sha : pinned };
  }

  /** Somebody who lets a job run again wants it done, whoever had the request the first time. */
  private get isFirstAttempt(): boolean {
    return this.options.door.run.attempt === '1';
  }

  private since(): string {
    const recent = new Date(Date.now() - lookBackMs).toISOString();
    const asked = (this.isFirstAttempt && this.options.task.triggeredAt) || recent;
    return Date.parse(asked) < Date.parse(recent) ? asked : recent;
  }
}

/** Only somebody's words can be taken in by another run. */
function requestOf({ trigger }: Task): string | null {
  return trigger.kind === 'mention' ? (trigger.item.nodeId ?? null) : null;
}

interface Bodies {
  nodes: ({ id: string; body: string } | null)[] | null;
}

/** What these comments say now; a comment that is gone is left out. */
async function bodiesOf(client: GitHubClient, ids: string[]): Promise<Map<string, string>> {
  const query = `query runs($ids: [ID!]!) { nodes(ids: $ids) { ... on Comment { id body } } }`;
  const { nodes } = await client.graphql<Bodies>(query, { ids }).catch((error) => {
    // Beside the error of each comment that is gone stand the others.
    if (error instanceof GraphqlRefusal && error.types.every((type) => type === 'NOT_FOUND'))
      return (error.data ?? { nodes: [] }) as Bodies;
    throw error;
  });
  return new Map((nodes ?? []).flatMap((node) => (node ? [[node.id, node.body]] : [])));
}
