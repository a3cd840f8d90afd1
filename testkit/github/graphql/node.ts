/** GraphQL: from a node id to its record and its view. */

import { canSee } from '../access.ts';
import type {
  Comment,
  Discussion,
  DiscussionComment,
  Issue,
  Label,
  PullRequest,
  Reactable,
  Reaction,
  Repository,
  Review,
  ReviewComment,
  ReviewThread,
  User,
} from '../model.ts';
import { problem } from './problem.ts';
import { actorView } from './view/actor.ts';
import { parseRefNodeId, refView } from './view/commit.ts';
import { discussionCommentView, discussionView } from './view/discussion.ts';
import { commentView, issueView, labelView } from './view/issue.ts';
import { pullView } from './view/pull.ts';
import { repositoryView } from './view/repository.ts';
import { reviewCommentView, reviewView, threadView } from './view/review.ts';
import type { Request, Shown, View } from './view/view.ts';
import { reactionView } from './view/written.ts';

type Records = {
  user: User;
  repository: Repository;
  issue: Issue;
  pull: PullRequest;
  comment: Comment;
  review: Review;
  reviewComment: ReviewComment;
  thread: ReviewThread;
  label: Label;
  reaction: Reaction;
  discussion: Discussion;
  discussionComment: DiscussionComment;
};

const views: { [K in keyof Records]: (request: Request, record: Records[K]) => View | Promise<View> | null } =
  {
    user: actorView,
    repository: repositoryView,
    issue: issueView,
    pull: pullView,
    comment: commentView,
    review: reviewView,
    reviewComment: reviewCommentView,
    thread: threadView,
    label: labelView,
    reaction: reactionView,
    discussion: discussionView,
    discussionComment: discussionCommentView,
  };

/** The view of a node. @throws GraphQLError NOT_FOUND */
export function nodeView(request: Request, id: string): View | Promise<View> | null {
  const ref = parseRefNodeId(id);
  if (ref) {
    const repository = [...request.store.repositories.values()].find((one) => one.id === ref.repositoryId);
    return repository && canSee(request.identity, repository) ? refView(request, repository, ref.ref) : null;
  }
  return request.show(recordOf(request, id, Object.keys(views) as (keyof Records)[]));
}

/** What `Request.show` does. */
export function showRecord(request: Request, record: Shown): View | Promise<View> | null {
  const view = views[record.kind] as (request: Request, record: Shown) => View | Promise<View> | null;
  return view(request, record);
}

/** The record of a node that must be of one of these kinds. @throws GraphQLError NOT_FOUND */
export function recordOf<K extends keyof Records>(request: Request, id: string, kinds: K[]): Records[K] {
  const record = request.store.nodes.get(id) as Records[K] | undefined;
  const repository = record && repositoryBehind(record);
  const gone = record && 'deleted' in record && record.deleted;
  if (
    !record ||
    gone ||
    !kinds.includes(record.kind as K) ||
    (repository && !canSee(request.identity, repository))
  ) {
    throw problem('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  }
  return record;
}

/** The repository that a record belongs to; null for people. */
export function repositoryBehind(record: Records[keyof Records]): Repository | null {
  switch (record.kind) {
    case 'repository':
      return record;
    case 'issue':
    case 'pull':
    case 'label':
    case 'discussion':
      return record.repository;
    case 'discussionComment':
      return record.discussion.repository;
    case 'comment':
      return record.subject.repository;
    case 'review':
    case 'thread':
      return record.pull.repository;
    case 'reviewComment':
      return record.thread.pull.repository;
    default:
      return null;
  }
}

export const reactables = [
  'issue',
  'pull',
  'comment',
  'review',
  'reviewComment',
  'discussion',
  'discussionComment',
] as const satisfies Reactable['kind'][];
