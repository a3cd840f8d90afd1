/** GraphQL mutations: reviews and review threads. */
import type { PullRequest, Review, ReviewState, Side } from '../../model.ts';
import { createReview, createReviewComment, findHunk, replyTo, submitReview } from '../../state/reviews.ts';
import { edit } from '../../state/written.ts';
import { recordOf } from '../node.ts';
import { mayWrite } from '../permission.ts';
import { problem } from '../problem.ts';
import { reviewCommentView, reviewView, threadView } from '../view/review.ts';
import type { Request } from '../view/view.ts';
import { demandLength } from './comments.ts';
import { demandWrite, mutation, viewerOf } from './mutation.ts';

interface ThreadInput {
  path: string;
  body: string;
  line?: number | null;
  startLine?: number | null;
  side?: Side | null;
  subjectType?: 'LINE' | 'FILE' | null;
}

interface ReviewInput {
  pullRequestId: string;
  body?: string | null;
  event?: string | null;
  commitOID?: string | null;
  threads?: ThreadInput[] | null;
}

const states: Record<string, ReviewState> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

export function reviewMutations(request: Request): Record<string, unknown> {
  const pullOf = (id: string): PullRequest => {
    const pull = recordOf(request, id, ['pull']);
    demandWrite(request, pull);
    return pull;
  };
  return {
    addPullRequestReview: mutation(async (input: ReviewInput) => {
      const pull = pullOf(input.pullRequestId);
      const author = viewerOf(request).login;
      const state = input.event ? states[input.event] : 'PENDING';
      const review = await createReview(request.store, pull, {
        author,
        body: input.body ?? '',
        state,
        commitId: input.commitOID ?? undefined,
      });
      for (const thread of input.threads ?? []) await startThread(request, pull, thread, review);
      return { pullRequestReview: reviewView(request, review) };
    }),
    submitPullRequestReview: mutation(
      (input: { pullRequestReviewId?: string | null; event: string; body?: string | null }) => {
        const review = recordOf(request, input.pullRequestReviewId ?? '', ['review']);
        demandWrite(request, review);
        submitReview(review, states[input.event] ?? 'COMMENTED', input.body ?? undefined);
        return { pullRequestReview: reviewView(request, review) };
      },
    ),
    addPullRequestReviewThread: mutation(
      async (input: ThreadInput & { pullRequestReviewId?: string | null; pullRequestId?: string | null }) => {
        const review = input.pullRequestReviewId
          ? recordOf(request, input.pullRequestReviewId, ['review'])
          : null;
        const pull = pullOf(review?.pull.nodeId ?? input.pullRequestId ?? '');
        const owner = review ?? (await pendingReview(request, pull));
        return { thread: threadView(request, await startThread(request, pull, input, owner)) };
      },
    ),
    addPullRequestReviewThreadReply: mutation(
      (input: { pullRequestReviewThreadId: string; body: string }) => {
        const thread = recordOf(request, input.pullRequestReviewThreadId, ['thread']);
        pullOf(thread.pull.nodeId);
        demandLength(input.body);
        const reply = replyTo(request.store, thread.comments[0]!, {
          body: input.body,
          author: viewerOf(request).login,
        });
        return { comment: reviewCommentView(request, reply) };
      },
    ),
    updatePullRequestReviewComment: mutation(
      (input: { pullRequestReviewCommentId: string; body: string }) => {
        const comment = recordOf(request, input.pullRequestReviewCommentId, ['reviewComment']);
        demandWrite(request, comment);
        edit(comment, input.body, viewerOf(request).login);
        return { pullRequestReviewComment: reviewCommentView(request, comment) };
      },
    ),
    resolveReviewThread: mutation(({ threadId }: { threadId: string }) => settle(request, threadId, true)),
    unresolveReviewThread: mutation(({ threadId }: { threadId: string }) => settle(request, threadId, false)),
  };
}

function settle(request: Request, threadId: string, resolved: boolean) {
  const thread = recordOf(request, threadId, ['thread']);
  // For whoever opened the pull request or may push to the repository; a token shows that it may by `contents: write`.
  if (viewerOf(request) !== thread.pull.author) mayWrite(request, thread.pull.repository, ['contents:write']);
  thread.resolvedBy = resolved ? viewerOf(request) : null;
  return { thread: threadView(request, thread) };
}

async function pendingReview(request: Request, pull: PullRequest): Promise<Review> {
  const author = viewerOf(request);
  const known = pull.reviews.find((review) => review.state === 'PENDING' && review.author === author);
  return known ?? createReview(request.store, pull, { author: author.login, state: 'PENDING' });
}

async function startThread(request: Request, pull: PullRequest, input: ThreadInput, review: Review) {
  demandLength(input.body);
  const line = input.subjectType === 'FILE' ? null : (input.line ?? null);
  const side = input.side ?? 'RIGHT';
  const diffHunk = await findHunk(pull, input.path, line, side);
  if (diffHunk === null)
    throw problem('UNPROCESSABLE', `${line === null ? 'Path' : 'Line'} could not be resolved`);
  const { path, body, startLine } = input;
  const author = viewerOf(request).login;
  const comment = await createReviewComment(request.store, pull, {
    path,
    body,
    line,
    startLine,
    side,
    diffHunk,
    review,
    author,
  });
  return comment.thread;
}
