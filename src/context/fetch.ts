/** Reads one issue or pull request whole: every page of every connection, each page once, up to a bound. */
import { AppError } from '../words/errors.ts';
import type { Actor } from '../words/event.ts';
import type { PullRequestFacts, ReviewThread, Thread } from '../words/thread.ts';
import {
  type RawFirstPage,
  type RawNodes,
  type RawSubject,
  toActor,
  toChecks,
  toComment,
  toCommit,
  toFile,
  toReview,
  toReviewThread,
  toTitled,
} from './answers.ts';
import { type Graphql, type Read, type ReadThread, readOn, readReplies } from './pages.ts';
import { type ConnectionName, connectionsOf, type EntityType, queries, reachOf } from './queries.ts';

export interface ThreadAddress {
  graphql: Graphql;
  repository: { owner: string; name: string };
  kind: Thread['kind'];
  number: number;
}

/** A thread as it stands on GitHub now; `filterThread` makes the trigger's view of it. */
export interface FetchedThread {
  thread: Thread;
  /** Whose credential read it: items by this login are our own. */
  viewer: Actor;
  /** URLs of comments and reviews that somebody hid. */
  minimised: ReadonlySet<string>;
}

type RawFirst = NonNullable<NonNullable<RawFirstPage['repository']>['subject']>;
type Lists = { [Name in ConnectionName]: Read<RawNodes[Name]> };

const beyond = 'beyond what is read of one thread';
const unlistedWhy = 'not listed by GitHub';

const shownAs: Record<ConnectionName, string> = {
  comments: 'comments',
  labels: 'labels',
  assignees: 'assignees',
  reviews: 'reviews',
  reviewThreads: 'review threads',
  files: 'changed files',
  commits: 'commits',
  closingIssuesReferences: 'linked issues',
};

/**
 * @throws AppError `invalid_input` when the repository or the number is not there (or the credential cannot see it);
 *   `github_unavailable` and what `graphql` throws otherwise. A list that GitHub withholds is named in `leftOut`.
 */
export async function fetchThread(address: ThreadAddress): Promise<FetchedThread> {
  const type: EntityType = address.kind === 'issue' ? 'Issue' : 'PullRequest';
  const { viewer, repository, subject, withheld } = await readFirst(address, type);
  const lists = await readLists(address.graphql, subject, connectionsOf(type));
  const threads = await readReplies(address.graphql, lists.reviewThreads.nodes);
  const minimised = [
    ...lists.comments.nodes,
    ...lists.reviews.nodes,
    ...threads.flatMap(({ comments }) => comments),
  ]
    .filter((item) => item.isMinimized)
    .map((item) => item.url);
  return {
    thread: {
      ...common(address, subject, lists),
      pullRequest: type === 'PullRequest' ? pullRequestFacts(address, { subject, lists, threads }) : null,
      leftOut: [
        ...unlisted(subject, lists, connectionsOf(type)),
        ...unreadReplies(threads),
        ...foreignIssues(address, lists),
        ...unreadChecks(subject, withheld),
      ],
      defaultBranch: {
        name: repository.defaultBranchRef?.name ?? '',
        sha: repository.defaultBranchRef?.target?.oid ?? null,
      },
    },
    viewer: viewer
      ? { login: viewer.login, ...(viewer.databaseId ? { id: viewer.databaseId } : {}) }
      : { login: '' },
    minimised: new Set(minimised),
  };
}

async function readFirst({ graphql, repository, kind, number }: ThreadAddress, type: EntityType) {
  const name = `${repository.owner}/${repository.name}`;
  const what = `${kind === 'issue' ? 'Issue' : 'Pull request'} ${name}#${number}`;
  const variables = { owner: repository.owner, name: repository.name, number };
  let withheld = false;
  const answer = await graphql<RawFirstPage>(queries.first[type], variables).catch((error) => {
    withheld = true;
    return partialAnswer(error, what);
  });
  if (!answer.repository) throw gone(`Repository ${name}`);
  if (!answer.repository.subject) throw gone(what);
  const { viewer, repository: read } = answer;
  return { viewer, repository: read, subject: answer.repository.subject, withheld };
}

/**
 * A token without, say, `checks: read` gets everything else and an error of type FORBIDDEN beside it. That is no
 * reason to fail a task: what is missing is named in `leftOut`. Any other error is one.
 */
function partialAnswer(error: unknown, what: string): RawFirstPage {
  const { types, data } = error as { types?: unknown; data?: RawFirstPage | null };
  const told = Array.isArray(types) ? types : [];
  if (told.includes('NOT_FOUND')) return data?.repository ? data : { viewer: null, repository: null };
  const withheld = told.length > 0 && told.every((type) => type === 'FORBIDDEN');
  if (withheld && data?.repository?.subject) return data;
  if (error instanceof AppError) throw error;
  const cause = error instanceof Error ? error.message : String(error);
  throw new AppError('github_unavailable', `${what} could not be read: ${cause}`, { cause: error });
}

function gone(what: string, cause?: unknown): AppError {
  return new AppError('invalid_input', `${what} does not exist, or the GitHub credential cannot see it.`, {
    cause,
    remedy: 'Check the number, and that the credential may read this repository.',
  });
}

/**
 * GitHub lists no files of a very large diff, 250 commits at most, and nothing that the credential may not read; and
 * we do not read without end.
 */
function unlisted(subject: RawFirst, lists: Lists, names: ConnectionName[]): Thread['leftOut'] {
  return names.flatMap((name) => {
    const { nodes, stopped } = lists[name];
    const count = (subject[name]?.totalCount ?? 0) - nodes.length;
    const why = stopped ? beyond : unlistedWhy;
    return count > 0 || !subject[name] ? [{ what: shownAs[name], count: Math.max(count, 0), why }] : [];
  });
}

async function readLists(graphql: Graphql, subject: RawFirst, names: ConnectionName[]): Promise<Lists> {
  const none = { nodes: [], stopped: false };
  const lists: Record<string, Read<unknown>> = Object.fromEntries(
    Object.keys(shownAs).map((name) => [name, none]),
  );
  await Promise.all(
    names.map(async (name) => {
      const next = { query: queries.next[name], id: subject.id, ...reachOf(name) };
      lists[name] = await readOn<unknown>(graphql, subject[name], next);
    }),
  );
  return lists as Lists;
}

function common({ kind, number }: ThreadAddress, subject: RawSubject, lists: Lists) {
  return {
    kind,
    number,
    nodeId: subject.id,
    ...toTitled(subject),
    body: subject.body,
    author: toActor(subject.author),
    authorAssociation: subject.authorAssociation,
    state: subject.state === 'OPEN' ? ('open' as const) : ('closed' as const),
    labels: lists.labels.nodes.map((label) => label.name),
    assignees: lists.assignees.nodes.map((assignee) => toActor(assignee).login),
    milestone: subject.milestone?.title ?? null,
    createdAt: subject.createdAt,
    editedAt: subject.lastEditedAt,
    url: subject.url,
    comments: lists.comments.nodes.map(toComment),
  };
}

function pullRequestFacts(
  address: ThreadAddress,
  { subject, lists, threads }: { subject: RawSubject; lists: Lists; threads: ReadThread[] },
): PullRequestFacts {
  const reviewThreads: ReviewThread[] = threads.map(({ raw, comments }) => toReviewThread(raw, comments));
  return {
    base: { ref: subject.baseRefName, sha: subject.baseRefOid },
    head: {
      ref: subject.headRefName,
      sha: subject.headRefOid,
      repository: subject.headRepository?.nameWithOwner ?? null,
    },
    fork: subject.isCrossRepository,
    maintainerCanModify: subject.maintainerCanModify,
    draft: subject.isDraft,
    merged: subject.merged,
    additions: subject.additions,
    deletions: subject.deletions,
    commits: lists.commits.nodes.map(toCommit),
    commitCount: lists.commits.nodes.length,
    files: lists.files.nodes.map(toFile),
    reviews: lists.reviews.nodes.map(toReview),
    reviewThreads,
    linkedIssues: linkedIssues(address, lists).map((issue) => ({ number: issue.number, ...toTitled(issue) })),
    checks: toChecks(subject.statusCheckRollup),
  };
}

/** Their titles could be those of a private repository that the credential happens to see, and readers here do not. */
function linkedIssues({ repository }: ThreadAddress, { closingIssuesReferences: { nodes } }: Lists) {
  const name = `${repository.owner}/${repository.name}`.toLowerCase();
  return nodes.filter((issue) => issue.repository.nameWithOwner.toLowerCase() === name);
}

function foreignIssues(address: ThreadAddress, lists: Lists): Thread['leftOut'] {
  const count = lists.closingIssuesReferences.nodes.length - linkedIssues(address, lists).length;
  return count > 0 ? [{ what: 'linked issues', count, why: 'of other repositories' }] : [];
}

/** @param withheld true when the credential may not read all that was asked for. */
function unreadChecks({ statusCheckRollup: checks }: RawSubject, withheld: boolean): Thread['leftOut'] {
  if (checks === null && withheld) return [{ what: 'check results', count: 0, why: unlistedWhy }];
  const read = (checks?.contexts?.nodes ?? []).filter((one) => one !== null);
  const count = (checks?.contexts?.totalCount ?? 0) - read.length;
  return count > 0 ? [{ what: 'checks', count, why: withheld ? unlistedWhy : beyond }] : [];
}

function unreadReplies(threads: ReadThread[]): Thread['leftOut'] {
  const unread = threads.map(({ raw, comments }) => (raw.comments.totalCount ?? 0) - comments.length);
  const count = unread.reduce((sum, one) => sum + Math.max(one, 0), 0);
  return count > 0 ? [{ what: 'review comments', count, why: beyond }] : [];
}
