/** The thread as it stood when the run was triggered, without what the settings or GitHub's users hide. */
import type { Actor, Item } from '../words/event.ts';
import type { Task } from '../words/task.ts';
import type {
  Commit,
  PullRequestFacts,
  Review,
  ReviewThread,
  Thread,
  ThreadComment,
  Titled,
} from '../words/thread.ts';
import { nameMatcher } from './names.ts';

/** How every tracking comment of ours begins; trusted only in items of our own login. */
const ownMarker = '<!-- forgehand';

export interface FilterInput {
  thread: Thread;
  viewer: Actor;
  minimised: ReadonlySet<string>;
  task: Pick<Task, 'subject' | 'trigger' | 'triggeredAt'>;
  /** `include_comments_by_actor` and `exclude_comments_by_actor`. */
  include: string[];
  exclude: string[];
  /** This run's tracking comment: its words are no context. */
  trackingCommentId: number | null;
}

type ItemKind = Item['kind'];
type Dated = Pick<ThreadComment, 'id' | 'createdAt' | 'editedAt'>;
type ThreadReply = ReviewThread['comments'][number];

/**
 * What triggered the run is always in, with the event's own text; a triggering review with all its inline comments.
 * Everything else is as of the trigger: an attacker must not swap text after a maintainer's mention. Attack and proof:
 * "a comment edited after the maintainer's mention" in `filter.test.ts`.
 */
export function filterThread(input: FilterInput): Thread {
  const { thread, task } = input;
  const leftOut = new LeftOut();
  const causeOf = createRule(input);
  const sift = <T extends ThreadComment>(kind: ItemKind, what: string, items: T[]): T[] =>
    items.filter((item) => leftOut.admit(what, causeOf(kind, item)));

  const comments = sift('issue_comment', 'comments', thread.comments);
  const pullRequest = thread.pullRequest && siftPullRequest(input, thread.pullRequest, sift, leftOut);
  const seen: Thread = {
    ...thread,
    ...opening(input, leftOut),
    comments,
    pullRequest,
    leftOut: [...thread.leftOut, ...leftOut.list()],
  };
  const item = itemOf(task);
  return item ? withItem(seen, item, task.triggeredAt) : seen;
}

/** The event's where it brought one; of another thread what is older than the trigger. */
function opening({ thread, task }: FilterInput, leftOut: LeftOut): Pick<Thread, 'title' | 'body'> {
  if (task.subject) return { title: task.subject.title, body: task.subject.body };
  const title = titleAsOf(thread, task.triggeredAt);
  const { createdAt, editedAt = null } = thread;
  const later = laterThan(task.triggeredAt, { id: 0, createdAt, editedAt }, null);
  if (!later) return { title, body: thread.body };
  leftOut.add('description', later, 1);
  return { title, body: '' };
}

/** Attack: what is read as the name of a thing that a maintainer has seen, written after they have spoken. */
function titleAsOf({ title, formerTitles = [] }: Titled, triggeredAt: string | null): string {
  const trigger = second(triggeredAt);
  if (trigger === null) return title;
  return formerTitles.find(({ at }) => !isBefore(at, trigger))?.title ?? title;
}

/** An edit of the description may name issues that nobody had in mind who asked: only those that the event's names stay. */
function linkedAsOf(input: FilterInput, facts: PullRequestFacts, leftOut: LeftOut) {
  const { thread, task } = input;
  const trigger = second(task.triggeredAt);
  const edited = Boolean(thread.editedAt && trigger !== null && !isBefore(thread.editedAt, trigger));
  const named = [...(task.subject?.body ?? '').matchAll(/#(\d+)\b/g)].map(([, number]) => Number(number));
  const linked = facts.linkedIssues.filter(({ number }) => !edited || named.includes(number));
  const count = facts.linkedIssues.length - linked.length;
  leftOut.add('linked issues', 'named by an edit after the trigger', count);
  return linked.map((issue) => ({ number: issue.number, title: titleAsOf(issue, task.triggeredAt) }));
}

function siftPullRequest(
  input: FilterInput,
  facts: PullRequestFacts,
  sift: <T extends ThreadComment>(kind: ItemKind, what: string, items: T[]) => T[],
  leftOut: LeftOut,
): PullRequestFacts {
  // A pending review is a draft that only its author sees.
  const pending = new Set(facts.reviews.filter((review) => review.state === 'PENDING').map(({ id }) => id));
  const sent = facts.reviews.filter((review) => !pending.has(review.id));
  const reviewThreads = facts.reviewThreads
    .map((thread) => ({
      ...thread,
      comments: sift<ThreadReply>(
        'review_comment',
        'review comments',
        thread.comments.filter((comment) => comment.reviewId === null || !pending.has(comment.reviewId)),
      ),
    }))
    .filter((thread) => thread.comments.length > 0);
  const reviews = sift<Review>('review', 'reviews', sent);
  const linkedIssues = linkedAsOf(input, facts, leftOut);
  return { ...pinHead(facts, input.task, leftOut), reviews, reviewThreads, linkedIssues };
}

/** Commits pushed after the trigger are not taken in: neither headlines nor file names nor what checks say of them. */
function pinHead(facts: PullRequestFacts, task: FilterInput['task'], leftOut: LeftOut): PullRequestFacts {
  const pinned = task.subject?.head?.sha;
  if (!pinned) return { ...facts, commits: markLate(facts.commits, second(task.triggeredAt)) };
  if (pinned === facts.head.sha) return facts;
  const last = facts.commits.findIndex((commit) => commit.sha === pinned);
  const commits = facts.commits.slice(0, last + 1);
  const why = last < 0 ? 'of a branch that was rewritten after the trigger' : 'pushed after the trigger';
  leftOut.add('commits', why, facts.commits.length - commits.length);
  leftOut.add('changed files', 'listed as of a later commit', facts.files.length);
  leftOut.add('check results', 'of a later commit', facts.checks === null ? 0 : 1);
  const head = { ...facts.head, sha: pinned };
  return { ...facts, head, commits, commitCount: commits.length, files: [], checks: null };
}

/** Where the event does not say what the head was: nothing shows when a commit was pushed, but it cannot be older than it says. */
function markLate(commits: Commit[], trigger: number | null): Commit[] {
  if (trigger === null) return commits;
  return commits.map((commit) =>
    isBefore(commit.committedAt, trigger) ? commit : { ...commit, late: true },
  );
}

/** Why an item is left out; null when it stays; `own` is left out without being counted. */
function createRule(input: FilterInput): (kind: ItemKind, item: ThreadComment) => string | null {
  const { task, viewer, minimised, trackingCommentId } = input;
  const trigger = itemOf(task);
  const included = nameMatcher(input.include);
  const excluded = nameMatcher(input.exclude);
  return (kind, item) => {
    if (belongsToTrigger(trigger, kind, item)) return null;
    const later = laterThan(task.triggeredAt, item, trigger?.kind === kind ? trigger.id : null);
    const own = viewer.login !== '' && isSame(item.author, viewer) && item.body.includes(ownMarker);
    if (own && (item.id === trackingCommentId || later)) return 'own';
    if (later) return later;
    if (minimised.has(item.url)) return 'minimised';
    if (excluded(item.author.login)) return 'excluded by author';
    if (input.include.length > 0 && !included(item.author.login)) return 'excluded by author';
    return null;
  };
}

function itemOf({ trigger }: FilterInput['task']): Item | null {
  return 'item' in trigger ? (trigger.item ?? null) : null;
}

function belongsToTrigger(trigger: Item | null, kind: ItemKind, item: ThreadComment): boolean {
  if (!trigger) return false;
  if (trigger.kind === kind) return trigger.id === item.id;
  return trigger.kind === 'review' && 'reviewId' in item && item.reviewId === trigger.id;
}

/**
 * GitHub's times have whole seconds. Within the trigger's own second an edit counts as later. A new item counts as
 * later too, unless it is of the trigger's kind and has the smaller id: ids grow, so it was there first.
 */
export function laterThan(triggeredAt: string | null, item: Dated, triggerId: number | null): string | null {
  const trigger = second(triggeredAt);
  if (trigger === null) return null;
  const created = second(item.createdAt);
  // A time that cannot be read proves nothing, so the item does not get in.
  if (created === null || created > trigger) return 'written after the trigger';
  if (item.editedAt !== null && !isBefore(item.editedAt, trigger)) return 'edited after the trigger';
  const before = created < trigger || (triggerId !== null && item.id < triggerId);
  return before ? null : 'written after the trigger';
}

/** False also for a time that cannot be read: it proves nothing. */
function isBefore(time: string, trigger: number): boolean {
  return (second(time) ?? Number.POSITIVE_INFINITY) < trigger;
}

function second(time: string | null): number | null {
  const milliseconds = time === null ? Number.NaN : Date.parse(time);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

/** By id where both are known; GraphQL and webhooks do not agree on the `[bot]` of an App's login. */
function isSame(one: Actor, other: Actor): boolean {
  if (one.id && other.id) return one.id === other.id;
  const bare = (login: string) => login.toLowerCase().replace(/\[bot\]$/, '');
  return bare(one.login) === bare(other.login);
}

/** Puts the triggering item in with the event's text, also when GitHub no longer (or not yet) lists it. */
function withItem(thread: Thread, item: Item, triggeredAt: string | null): Thread {
  const said: ThreadComment = {
    id: item.id,
    author: item.author,
    authorAssociation: item.authorAssociation ?? 'NONE',
    body: item.body,
    createdAt: item.createdAt ?? triggeredAt ?? thread.createdAt,
    editedAt: null,
    url: item.htmlUrl,
  };
  const { pullRequest } = thread;
  if (item.kind === 'issue_comment') return { ...thread, comments: put(thread.comments, said) };
  if (item.kind === 'review' && pullRequest) {
    const state = pullRequest.reviews.find((review) => review.id === item.id)?.state ?? 'COMMENTED';
    return {
      ...thread,
      pullRequest: { ...pullRequest, reviews: put(pullRequest.reviews, { ...said, state }) },
    };
  }
  if (item.kind === 'review_comment' && pullRequest) {
    const reply = { ...said, reviewId: item.reviewId ?? null };
    return {
      ...thread,
      pullRequest: { ...pullRequest, reviewThreads: withReply(pullRequest.reviewThreads, reply, item) },
    };
  }
  return thread;
}

/** Replaces the item of the same id, or adds it as the last. */
function put<T extends { id: number }>(items: T[], item: T): T[] {
  return items.some(({ id }) => id === item.id)
    ? items.map((other) => (other.id === item.id ? item : other))
    : [...items, item];
}

function withReply(threads: ReviewThread[], reply: ThreadReply, item: Item): ReviewThread[] {
  const ids = [item.id, item.inReplyToId];
  const home = threads.find((thread) => thread.comments.some((comment) => ids.includes(comment.id)));
  if (home) {
    return threads.map((thread) =>
      thread === home ? { ...thread, comments: put(thread.comments, reply) } : thread,
    );
  }
  const { path = '', line = null, startLine = null, diffHunk = '' } = item;
  const opened = {
    path,
    line,
    startLine,
    diffHunk,
    resolved: false,
    outdated: false,
    comments: [reply],
  };
  return [...threads, opened];
}

/** Counts what is left out by what it is and why. */
export class LeftOut {
  readonly #counts = new Map<string, Thread['leftOut'][number]>();

  /** True when `cause` is null: the item stays. */
  admit(what: string, cause: string | null): boolean {
    if (cause !== null && cause !== 'own') this.add(what, cause, 1);
    return cause === null;
  }

  add(what: string, why: string, count: number): void {
    if (count === 0) return;
    const key = `${what} ${why}`;
    const known = this.#counts.get(key);
    this.#counts.set(key, { what, why, count: (known?.count ?? 0) + count });
  }

  list(): Thread['leftOut'] {
    return [...this.#counts.values()];
  }
}
