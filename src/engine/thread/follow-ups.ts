/** Hears what permitted people say on the thread while Claude works, and tells Claude; what it has taken in is shown there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FurtherWords } from '../../claude/session.ts';
import type { GitHubClient } from '../../github/client.ts';
import { swapReaction } from '../../github/reactions.ts';
import type { FeedItem, ThreadFeed } from '../../github/thread-feed.ts';
import { followUpText } from '../../prompt/live.ts';
import type { TrackingComment } from '../../report/comment.ts';
import type { Taken } from '../../report/render.ts';
import { parseWritten } from '../../trigger/event.ts';
import { type FollowUp, followUpOf } from '../../trigger/follow-up.ts';
import type { Config } from '../../words/config.ts';
import type { Item } from '../../words/event.ts';
import type { Reporter, Result } from '../../words/result.ts';
import type { Task } from '../../words/task.ts';
import { decideAccess } from '../access.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';

/** Milliseconds between two looks; of a quiet thread GitHub sends nothing and counts nothing. */
const lookEveryMs = 5_000;

export interface FollowUpOptions {
  door: Door;
  task: Task;
  connection: Connection;
  comment: TrackingComment;
  feed: ThreadFeed;
}

export class FollowUps implements Reporter {
  readonly name = 'reaction on what was said later';
  private readonly options: FollowUpOptions;
  private readonly taken: Taken[] = [];
  private readonly looked = new Set<string>();
  private readonly telling: Promise<void>[] = [];

  constructor(options: FollowUpOptions) {
    this.options = options;
  }

  /**
   * Listens as long as `work` goes on. When it returns, whatever Claude has taken in is acknowledged, and nothing else.
   * @param after ISO 8601: what was said earlier is no follow-up
   */
  async during<T>(
    { send, after }: { send(words: FurtherWords): Promise<boolean>; after: string },
    work: () => Promise<T>,
  ): Promise<T> {
    const over = new AbortController();
    // A look that is under way need not be waited for: who sends now is told that it is over.
    void this.listen((words) => send(words), after, over.signal);
    try {
      return await work();
    } finally {
      over.abort();
      await Promise.all(this.telling);
    }
  }

  async started(): Promise<void> {}

  async progress(): Promise<void> {}

  /** The requests that were taken in end as the run's own does. */
  async finished({ conclusion }: Result): Promise<void> {
    const next = conclusion === 'success' ? 'THUMBS_UP' : 'CONFUSED';
    const { client } = this.options.connection;
    await Promise.all(this.taken.map(({ id }) => swapReaction(client, id, { former: 'ROCKET', next })));
  }

  private async listen(
    send: (words: FurtherWords) => Promise<boolean>,
    after: string,
    over: AbortSignal,
  ): Promise<void> {
    // What was said before Claude began is known already.
    let items = this.options.feed.latest;
    while (!over.aborted) {
      for (const item of items) if (!over.aborted) await this.consider(item, { send, after });
      await sleep(lookEveryMs, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      items = await this.options.feed.poll().catch((error: Error) => {
        this.options.door.log.info(`The thread could not be looked at: ${error.message}`);
        return [];
      });
    }
  }

  /** Once for each; again when GitHub could not be asked. */
  private async consider(
    { kind, raw }: FeedItem,
    { send, after }: { send(words: FurtherWords): Promise<boolean>; after: string },
  ): Promise<void> {
    const { door, task } = this.options;
    if (this.looked.has(raw.node_id)) return;
    this.looked.add(raw.node_id);
    const followUp = followUpOf(task, { kind, raw }, door.config, after);
    if (!followUp) return;
    try {
      if (!(await this.isPermitted(followUp)) || !(await this.isOpen(raw.node_id))) return;
      const words = await this.wordsOf(followUp.event.item);
      const { item } = followUp.event;
      const told = send(words).then((hasTaken) =>
        hasTaken ? this.acknowledge(item, raw.node_id) : undefined,
      );
      this.telling.push(told);
    } catch (error) {
      this.looked.delete(raw.node_id);
      door.log.info(`${raw.html_url} could not be taken in: ${(error as Error).message}`);
    }
  }

  /** Asked anew for each message. Nobody is told a "no" here: the message's own run says it. */
  private async isPermitted({ event, task: theirs }: FollowUp): Promise<boolean> {
    const { door, task, connection } = this.options;
    const { client, credential } = connection;
    const decision = await decideAccess({
      event,
      task: theirs,
      client,
      tokenGiven: credential.kind === 'given',
      config: theirs.actor.login === task.actor.login ? door.config : withoutLists(door.config),
    });
    return decision.verdict === 'run';
  }

  /**
   * Neither answered already nor changed: an edit may be somebody else's, who would speak with the author's rights.
   * Both have a run of their own.
   */
  private async isOpen(nodeId: string): Promise<boolean> {
    const { node } = await this.options.connection.client.graphql<{
      node: { lastEditedAt?: string | null; reactionGroups?: ReactionGroup[] | null } | null;
    }>(
      `query followUp($id: ID!) { node(id: $id) {
        ... on Comment { lastEditedAt } ... on Reactable { reactionGroups { content viewerHasReacted } }
      } }`,
      { id: nodeId },
    );
    const answered = (node?.reactionGroups ?? []).some(
      ({ content, viewerHasReacted }) => viewerHasReacted && answers.includes(content),
    );
    return node !== null && !node.lastEditedAt && !answered;
  }

  private async wordsOf(item: Item): Promise<FurtherWords> {
    const { task, connection } = this.options;
    const say = (one: Item) =>
      followUpText({ actor: one.author.login, item: one, body: one.body, key: task.key });
    const words = say(item);
    if (item.kind !== 'review' || !words.verbatim) return words;
    const lines = await reviewComments(connection.client, task, item.id);
    return { verbatim: true, text: [words, ...lines.map(say)].map(({ text }) => text).join('\n\n') };
  }

  /** First for `post`, then for people, then for the run that waits for it. Never throws. */
  private async acknowledge(item: Item, nodeId: string): Promise<void> {
    const { door, comment, connection } = this.options;
    this.taken.push({ id: nodeId, url: item.htmlUrl, actor: item.author.login });
    door.log.info(`Claude has taken in ${item.htmlUrl}`);
    const taken = [...this.taken];
    comment.learn({ taken });
    try {
      await swapReaction(connection.client, nodeId, { former: 'EYES', next: 'ROCKET' });
    } catch (error) {
      door.warn(`${item.htmlUrl} was taken in, which could not be shown there: ${(error as Error).message}`);
    }
    // What fails here comes with the next refresh, at the latest with the end.
    await comment.show({ taken }).catch(() => {});
  }
}

interface ReactionGroup {
  content: string;
  viewerHasReacted: boolean;
}

/** What our login puts on a request that a run has: 🚀, then 👍 or 😕. */
const answers = ['ROCKET', 'THUMBS_UP', 'CONFUSED'];

/**
 * A workflow may let in only some of those that a list names, by an `if:` that is not seen here. So a list counts for
 * whom the workflow has let in already, the one who started this run; the others' own runs wait their turn.
 */
function withoutLists(config: Config): Config {
  return { ...config, allowedBots: [], allowedNonWriteUsers: [] };
}

/** What a review says of lines. */
async function reviewComments(
  client: GitHubClient,
  { repository, subject }: Task,
  review: number,
): Promise<Item[]> {
  const listed = await client.rest<unknown[]>(
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments',
    {
      ...{ owner: repository.owner, repo: repository.name, pull_number: subject!.number, review_id: review },
      per_page: 100,
    },
  );
  return listed.flatMap((raw) => parseWritten('review_comment', raw) ?? []);
}
