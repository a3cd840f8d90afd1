/** Reviews of pull requests, their threads on lines of the diff, and replies. */
import { compare, diffHunk } from '../git/diff.ts';
import type { PullRequest, Review, ReviewComment, ReviewState, ReviewThread, Side } from '../model.ts';
import { type Store, timeOf } from '../store.ts';
import { comparisonOf } from './pulls.ts';
import { type Writing, written } from './written.ts';

export interface NewReviewComment extends Writing {
  path: string;
  /** Last line of the range; absent for a comment on the whole file. */
  line?: number | null;
  startLine?: number | null;
  /** RIGHT (new file) when absent. */
  side?: Side;
  /** Worked out from the diff when absent. */
  diffHunk?: string;
  /** The review it belongs to; one of its own when absent, as for a single comment. */
  review?: Review;
}

export interface NewReview extends Writing {
  /** COMMENTED when absent. */
  state?: ReviewState;
  comments?: NewReviewComment[];
  commitId?: string;
}

export async function createReview(store: Store, pull: PullRequest, options: NewReview): Promise<Review> {
  const review = emptyReview(store, pull, options);
  for (const comment of options.comments ?? []) {
    const { author, createdAt } = options;
    await createReviewComment(store, pull, { author, createdAt, ...comment, review });
  }
  return review;
}

/** Starts a thread on a line (or a file) of the diff. */
export async function createReviewComment(
  store: Store,
  pull: PullRequest,
  options: NewReviewComment,
): Promise<ReviewComment> {
  const side = options.side ?? 'RIGHT';
  const line = options.line ?? null;
  const thread = store.identify(
    'PRRT',
    (id, nodeId): ReviewThread => ({
      kind: 'thread',
      id,
      nodeId,
      pull,
      path: options.path,
      line,
      startLine: options.startLine ?? null,
      originalLine: line,
      originalStartLine: options.startLine ?? null,
      side,
      subjectType: line === null ? 'file' : 'line',
      resolvedBy: null,
      outdated: false,
      comments: [],
    }),
  );
  pull.threads.push(thread);
  const hunk =
    options.diffHunk ?? (await findHunk(pull, options.path, line, side, options.review?.commitId)) ?? '';
  return add(store, thread, options, { diffHunk: hunk, inReplyTo: null });
}

/** Answers in the thread of `comment`. */
export function replyTo(
  store: Store,
  comment: ReviewComment,
  writing: Writing & { review?: Review },
): ReviewComment {
  const first = comment.thread.comments[0] ?? comment;
  return add(store, comment.thread, writing, { diffHunk: first.diffHunk, inReplyTo: first });
}

/**
 * The hunk that a comment on this line would show; null when the line is not part of the diff.
 * @param commit the head unless told.
 */
export async function findHunk(
  pull: PullRequest,
  path: string,
  line: number | null,
  side: Side,
  commit?: string,
): Promise<string | null> {
  const patch = await findPatch(pull, path, commit);
  if (!patch) return null;
  return line === null ? patch.split('\n').slice(0, 4).join('\n') : diffHunk(patch, line, side);
}

/** What the pull request changes in a file, up to a commit; null when it does not, or shows no lines of it. */
export async function findPatch(pull: PullRequest, path: string, commit?: string): Promise<string | null> {
  const { directory } = pull.repository;
  const { files } = commit ? await compare(directory, pull.base.sha, commit) : await comparisonOf(pull);
  return files.find((file) => file.path === path)?.patch ?? null;
}

/** Makes a pending review count. */
export function submitReview(review: Review, state: ReviewState, body?: string): void {
  review.state = state;
  review.submittedAt = timeOf(new Date());
  if (body !== undefined) review.body = body;
}

/** Comments of every thread that are still there, in order of creation. */
export function reviewCommentsOf(pull: PullRequest): ReviewComment[] {
  return pull.threads
    .flatMap((thread) => thread.comments)
    .filter((comment) => !comment.deleted)
    .sort((a, b) => a.id - b.id);
}

function emptyReview(store: Store, pull: PullRequest, options: NewReview): Review {
  const state = options.state ?? 'COMMENTED';
  const review = store.identify('PRR', (id, nodeId): Review => {
    const fields = written(store, pull.repository, options);
    return {
      kind: 'review',
      id,
      nodeId,
      ...fields,
      pull,
      state,
      commitId: options.commitId ?? pull.head.sha,
      submittedAt: state === 'PENDING' ? null : fields.createdAt,
      comments: [],
    };
  });
  pull.reviews.push(review);
  return review;
}

function add(
  store: Store,
  thread: ReviewThread,
  writing: Writing & { review?: Review },
  rest: Pick<ReviewComment, 'diffHunk' | 'inReplyTo'>,
): ReviewComment {
  const { pull } = thread;
  const { author, createdAt } = writing;
  const review = writing.review ?? emptyReview(store, pull, { author, createdAt });
  const comment = store.identify(
    'PRRC',
    (id, nodeId): ReviewComment => ({
      kind: 'reviewComment',
      id,
      nodeId,
      ...written(store, pull.repository, writing),
      thread,
      review,
      commitId: review.commitId,
      ...rest,
    }),
  );
  thread.comments.push(comment);
  review.comments.push(comment);
  return comment;
}
