/** GraphQL: discussions, their comments and replies. */
import type { Discussion, DiscussionComment } from '../../model.ts';
import { discussionCommentPage, discussionPage } from '../../render/discussion.ts';
import { shownComments } from '../../state/discussions.ts';
import { connection } from '../connection.ts';
import type { Request, View } from './view.ts';
import { reactionFields, writtenFields } from './written.ts';

export function discussionView(request: Request, discussion: Discussion): View {
  const url = discussionPage(request.store, discussion);
  return {
    __typename: 'Discussion',
    ...writtenFields(request, discussion),
    ...reactionFields(request, discussion),
    number: discussion.number,
    title: discussion.title,
    url,
    resourcePath: new URL(url).pathname,
    category: { __typename: 'DiscussionCategory', id: 'DIC_1', name: discussion.category },
    closed: false,
    locked: false,
    isAnswered: false,
    repository: () => request.show(discussion.repository),
    comments: connection(
      () => shownComments(discussion, null),
      (comment) => discussionCommentView(request, comment),
    ),
  };
}

export function discussionCommentView(request: Request, comment: DiscussionComment): View {
  const url = discussionCommentPage(request.store, comment);
  return {
    __typename: 'DiscussionComment',
    ...writtenFields(request, comment),
    ...reactionFields(request, comment),
    url,
    resourcePath: url.slice(request.store.site.serverUrl.length),
    isAnswer: false,
    discussion: () => discussionView(request, comment.discussion),
    replyTo: () => comment.replyTo && discussionCommentView(request, comment.replyTo),
    replies: connection(
      () => shownComments(comment.discussion, comment),
      (reply) => discussionCommentView(request, reply),
    ),
  };
}
