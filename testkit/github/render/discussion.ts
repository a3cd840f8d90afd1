/** Discussions and their comments as webhook payloads show them. */
import type { Discussion, DiscussionComment } from '../model.ts';
import { shownComments } from '../state/discussions.ts';
import type { Store } from '../store.ts';
import { renderRollup } from './issue.ts';
import { repositoryPage, repositoryUrl } from './repository.ts';
import { renderAuthor } from './user.ts';

/** Page address. */
export function discussionPage(store: Store, discussion: Discussion): string {
  return `${repositoryPage(store, discussion.repository)}/discussions/${discussion.number}`;
}

export function discussionCommentPage(store: Store, comment: DiscussionComment): string {
  return `${discussionPage(store, comment.discussion)}#discussioncomment-${comment.id}`;
}

export function renderDiscussion(store: Store, discussion: Discussion) {
  const { repository, category } = discussion;
  const url = `${repositoryUrl(store, repository)}/discussions/${discussion.number}`;
  return {
    repository_url: repositoryUrl(store, repository),
    category: {
      id: 1,
      node_id: 'DIC_1',
      repository_id: repository.id,
      emoji: ':speech_balloon:',
      name: category,
      description: '',
      created_at: repository.createdAt,
      updated_at: repository.createdAt,
      slug: category.toLowerCase().replaceAll(' ', '-'),
      is_answerable: false,
    },
    answer_html_url: null,
    answer_chosen_at: null,
    answer_chosen_by: null,
    html_url: discussionPage(store, discussion),
    id: discussion.id,
    node_id: discussion.nodeId,
    number: discussion.number,
    title: discussion.title,
    user: renderAuthor(store, discussion.author),
    labels: [],
    state: 'open',
    state_reason: null,
    locked: false,
    comments: discussion.comments.length,
    created_at: discussion.createdAt,
    updated_at: discussion.updatedAt,
    author_association: discussion.authorAssociation,
    active_lock_reason: null,
    body: discussion.body,
    reactions: renderRollup(`${url}/reactions`, discussion),
    timeline_url: `${url}/timeline`,
  };
}

export function renderDiscussionComment(store: Store, comment: DiscussionComment) {
  const { discussion } = comment;
  const repository = repositoryUrl(store, discussion.repository);
  return {
    id: comment.id,
    node_id: comment.nodeId,
    html_url: discussionCommentPage(store, comment),
    parent_id: comment.replyTo?.id ?? null,
    child_comment_count: shownComments(discussion, comment).length,
    repository_url: repository,
    discussion_id: discussion.id,
    author_association: comment.authorAssociation,
    user: renderAuthor(store, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    reactions: renderRollup(`${repository}/discussions/comments/${comment.id}/reactions`, comment),
  };
}
