/** Discussions: opened, commented on, replied to. */
import type { Discussion, DiscussionComment, Repository } from '../model.ts';
import type { Store } from '../store.ts';
import { nextNumber } from './issues.ts';
import { type Writing, written } from './written.ts';

export interface NewDiscussion extends Writing {
  title: string;
  category?: string;
}

export function createDiscussion(store: Store, repository: Repository, options: NewDiscussion): Discussion {
  const discussion = store.identify(
    'D',
    (id, nodeId): Discussion => ({
      kind: 'discussion',
      id,
      nodeId,
      ...written(store, repository, options),
      repository,
      number: nextNumber(repository),
      title: options.title,
      category: options.category ?? 'General',
      comments: [],
    }),
  );
  repository.discussions.set(discussion.number, discussion);
  return discussion;
}

export function commentOnDiscussion(
  store: Store,
  discussion: Discussion,
  { replyTo = null, ...writing }: Writing & { replyTo?: DiscussionComment | null },
): DiscussionComment {
  const comment = store.identify(
    'DC',
    (id, nodeId): DiscussionComment => ({
      kind: 'discussionComment',
      id,
      nodeId,
      ...written(store, discussion.repository, writing),
      discussion,
      replyTo,
    }),
  );
  discussion.comments.push(comment);
  return comment;
}

/** Those that are still there, oldest first. @param under null for the top-level ones */
export function shownComments(discussion: Discussion, under: DiscussionComment | null): DiscussionComment[] {
  return discussion.comments.filter((comment) => !comment.deleted && comment.replyTo === under);
}
