/** GraphQL: reviews, review threads and review comments. */
import type { Review, ReviewComment, ReviewThread } from '../../model.ts';
import { subjectPage } from '../../render/issue.ts';
import { connection } from '../connection.ts';
import { userView } from './actor.ts';
import { commitAt } from './commit.ts';
import type { Request, View } from './view.ts';
import { reactionFields, writtenFields } from './written.ts';

export function reviewView(request: Request, review: Review): View {
  const url = `${subjectPage(request.store, review.pull)}#pullrequestreview-${review.id}`;
  return {
    __typename: 'PullRequestReview',
    ...writtenFields(request, review),
    ...reactionFields(request, review),
    url,
    resourcePath: url.slice(request.store.site.serverUrl.length),
    state: review.state,
    submittedAt: review.submittedAt,
    publishedAt: review.submittedAt,
    commit: () => commitAt(request, review.pull.repository, review.commitId),
    comments: connection(
      () => review.comments.filter((comment) => !comment.deleted),
      (comment) => reviewCommentView(request, comment),
    ),
    pullRequest: () => request.show(review.pull),
    repository: () => request.show(review.pull.repository),
    authorCanPushToRepository: false,
  };
}

export function threadView(request: Request, thread: ReviewThread): View {
  return {
    __typename: 'PullRequestReviewThread',
    id: thread.nodeId,
    isResolved: thread.resolvedBy !== null,
    isOutdated: thread.outdated,
    isCollapsed: thread.resolvedBy !== null || thread.outdated,
    resolvedBy: () => thread.resolvedBy && userView(request, thread.resolvedBy),
    path: thread.path,
    line: thread.outdated ? null : thread.line,
    startLine: thread.outdated ? null : thread.startLine,
    originalLine: thread.originalLine,
    originalStartLine: thread.originalStartLine,
    diffSide: thread.side,
    startDiffSide: thread.startLine === null ? null : thread.side,
    subjectType: thread.subjectType.toUpperCase(),
    comments: connection(
      () => thread.comments.filter((comment) => !comment.deleted),
      (comment) => reviewCommentView(request, comment),
    ),
    pullRequest: () => request.show(thread.pull),
    repository: () => request.show(thread.pull.repository),
    viewerCanReply: true,
    viewerCanResolve: true,
    viewerCanUnresolve: true,
  };
}

export function reviewCommentView(request: Request, comment: ReviewComment): View {
  const { thread, review } = comment;
  const url = `${subjectPage(request.store, thread.pull)}#discussion_r${comment.id}`;
  const { repository } = thread.pull;
  return {
    __typename: 'PullRequestReviewComment',
    ...writtenFields(request, comment),
    ...reactionFields(request, comment),
    url,
    resourcePath: url.slice(request.store.site.serverUrl.length),
    path: thread.path,
    line: thread.outdated ? null : thread.line,
    startLine: thread.outdated ? null : thread.startLine,
    originalLine: thread.originalLine,
    originalStartLine: thread.originalStartLine,
    position: thread.outdated ? null : 1,
    originalPosition: 1,
    subjectType: thread.subjectType.toUpperCase(),
    diffHunk: comment.diffHunk,
    outdated: thread.outdated,
    state: review.state === 'PENDING' ? 'PENDING' : 'SUBMITTED',
    draftedAt: comment.createdAt,
    replyTo: () => comment.inReplyTo && reviewCommentView(request, comment.inReplyTo),
    pullRequestReview: () => reviewView(request, review),
    pullRequest: () => request.show(thread.pull),
    repository: () => request.show(repository),
    commit: () => commitAt(request, repository, thread.pull.head.sha),
    originalCommit: () => commitAt(request, repository, comment.commitId),
    viewerCanMinimize: true,
  };
}
