/** What GitHub answers to the documents of `queries.ts`, and how it becomes the words of a thread. */
import type { Actor } from '../words/event.ts';
import type {
  ChangedFile,
  Check,
  Commit,
  PullRequestFacts,
  Review,
  ReviewThread,
  ThreadComment,
  Titled,
} from '../words/thread.ts';

export interface RawActor {
  __typename: string;
  login: string;
  databaseId?: number | null;
}

/** A connection; GitHub may answer null for a whole list or for a node that the token may not see. */
export interface RawPage<Node> {
  /** On the first page only. */
  totalCount?: number;
  /** In the order in which the connection is read. */
  pageInfo: { more: boolean; cursor: string | null };
  nodes: (Node | null)[] | null;
}

export interface RawComment {
  id: string;
  fullDatabaseId: string | number | null;
  url: string;
  body: string;
  authorAssociation: string;
  createdAt: string;
  publishedAt: string | null;
  lastEditedAt: string | null;
  isMinimized: boolean;
  author: RawActor | null;
}

export interface RawReview extends RawComment {
  state: string;
  submittedAt: string | null;
}

export interface RawReviewComment extends RawComment {
  pullRequestReview: { fullDatabaseId: string | number | null } | null;
}

export interface RawReviewThread {
  id: string;
  path: string;
  line: number | null;
  originalLine: number | null;
  startLine: number | null;
  isResolved: boolean;
  isOutdated: boolean;
  opening: { nodes: ({ diffHunk: string } | null)[] | null };
  comments: RawPage<RawReviewComment>;
}

/** The node of each connection. */
export interface RawNodes {
  comments: RawComment;
  labels: { name: string };
  assignees: RawActor;
  reviews: RawReview;
  reviewThreads: RawReviewThread;
  files: { path: string; changeType: string; additions: number; deletions: number };
  commits: {
    commit: {
      oid: string;
      messageHeadline: string;
      committedDate: string;
      author: { name: string | null; user: { login: string } | null } | null;
    };
  };
  closingIssuesReferences: RawTitled & { number: number; repository: { nameWithOwner: string } };
}

interface RawTitled {
  title: string;
  renames?: { nodes: ({ createdAt: string; previousTitle: string } | null)[] | null } | null;
}

type RawCheck =
  | { __typename: 'CheckRun'; name: string; status: string; conclusion: string | null; title: string | null }
  | { __typename: 'StatusContext'; context: string; state: string; description: string | null };

export interface RawChecks {
  state: string;
  contexts: { totalCount: number; nodes: (RawCheck | null)[] | null } | null;
}

/** The fields of the pull request's part are absent in an issue. */
export interface RawSubject extends RawTitled {
  id: string;
  body: string;
  state: string;
  createdAt: string;
  lastEditedAt: string | null;
  url: string;
  authorAssociation: string;
  author: RawActor | null;
  milestone: { title: string } | null;
  isDraft: boolean;
  merged: boolean;
  additions: number;
  deletions: number;
  baseRefName: string;
  baseRefOid: string;
  headRefName: string;
  headRefOid: string;
  headRepository: { nameWithOwner: string } | null;
  isCrossRepository: boolean;
  maintainerCanModify: boolean;
  statusCheckRollup: RawChecks | null;
}

export type RawFirstPage = {
  viewer: { login: string; databaseId: number | null } | null;
  repository: {
    defaultBranchRef: { name: string; target: { oid: string } | null } | null;
    subject: (RawSubject & { [Name in keyof RawNodes]?: RawPage<RawNodes[Name]> | null }) | null;
  } | null;
};

/** GraphQL names a bot without the `[bot]` that every other interface of GitHub shows, and a deleted account not at all. */
export function toActor(raw: RawActor | null): Actor {
  if (!raw) return { login: 'ghost' };
  const bare = raw.__typename === 'Bot' && !raw.login.endsWith('[bot]');
  return {
    login: bare ? `${raw.login}[bot]` : raw.login,
    ...(raw.databaseId ? { id: raw.databaseId } : {}),
    type: raw.__typename,
  };
}

/** `createdAt` is the moment others could read it: a comment of a pending review is written long before. */
export function toComment(raw: RawComment): ThreadComment {
  return {
    id: Number(raw.fullDatabaseId),
    nodeId: raw.id,
    author: toActor(raw.author),
    authorAssociation: raw.authorAssociation,
    body: raw.body,
    createdAt: raw.publishedAt ?? raw.createdAt,
    editedAt: raw.lastEditedAt,
    url: raw.url,
  };
}

export function toReview(raw: RawReview): Review {
  return { ...toComment(raw), createdAt: raw.submittedAt ?? raw.createdAt, state: raw.state };
}

/** @param comments all of the thread, also those past its first page. */
export function toReviewThread(raw: RawReviewThread, comments: RawReviewComment[]): ReviewThread {
  return {
    path: raw.path,
    line: raw.line ?? raw.originalLine,
    startLine: raw.startLine,
    diffHunk: raw.opening.nodes?.[0]?.diffHunk ?? '',
    resolved: raw.isResolved,
    outdated: raw.isOutdated,
    comments: comments.map((comment) => {
      const review = comment.pullRequestReview?.fullDatabaseId;
      return { ...toComment(comment), reviewId: review ? Number(review) : null };
    }),
  };
}

export function toFile(raw: RawNodes['files']): ChangedFile {
  return { path: raw.path, change: raw.changeType, additions: raw.additions, deletions: raw.deletions };
}

export function toCommit({ commit }: RawNodes['commits']): Commit {
  const author = commit.author?.user?.login ?? commit.author?.name ?? 'ghost';
  const { oid: sha, messageHeadline: headline, committedDate: committedAt } = commit;
  return { sha, headline, author, committedAt };
}

export function toTitled({ title, renames }: RawTitled): Titled {
  const former = (renames?.nodes ?? []).filter((one) => one !== null);
  return { title, formerTitles: former.map((one) => ({ title: one.previousTitle, at: one.createdAt })) };
}

export function toChecks(raw: RawChecks | null): PullRequestFacts['checks'] {
  if (!raw) return null;
  const list = (raw.contexts?.nodes ?? []).filter((one) => one !== null).map(toCheck);
  return { state: raw.state, list };
}

function toCheck(raw: RawCheck): Check {
  return raw.__typename === 'CheckRun'
    ? { name: raw.name, result: (raw.conclusion ?? raw.status).toLowerCase(), title: raw.title ?? '' }
    : { name: raw.context, result: raw.state.toLowerCase(), title: raw.description ?? '' };
}
