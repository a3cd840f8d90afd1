/** GraphQL: the fields of everything written, with its reactions and edits. */
import { loginOf } from '../../access.ts';
import { bodyHtml } from '../../attachments.ts';
import {
  type Reactable,
  type Reaction,
  type ReactionContent,
  reactionContents,
  type Written,
} from '../../model.ts';
import { connection, type PageArguments } from '../connection.ts';
import { actorView, userView } from './actor.ts';
import type { Request, View } from './view.ts';

/** GraphQL's words for REST's reactions. */
export const reactionNames: Record<ReactionContent, string> = {
  '+1': 'THUMBS_UP',
  '-1': 'THUMBS_DOWN',
  laugh: 'LAUGH',
  confused: 'CONFUSED',
  heart: 'HEART',
  hooray: 'HOORAY',
  rocket: 'ROCKET',
  eyes: 'EYES',
};

export function writtenFields(request: Request, text: Written): Record<string, unknown> {
  const mine = text.author !== null && text.author.login === loginOf(request.identity);
  return {
    id: text.nodeId,
    databaseId: text.id,
    fullDatabaseId: String(text.id),
    author: () => actorView(request, text.author),
    authorAssociation: text.authorAssociation,
    body: text.body,
    bodyText: text.body,
    bodyHTML: () => bodyHtml(request.store, text.body),
    createdAt: text.createdAt,
    updatedAt: text.updatedAt,
    publishedAt: text.createdAt,
    lastEditedAt: text.lastEditedAt,
    includesCreatedEdit: text.lastEditedAt !== null,
    editor: () => actorView(request, text.lastEditedAt ? request.store.user(text.history.at(-1)!.by) : null),
    createdViaEmail: false,
    isMinimized: text.minimized !== null,
    minimizedReason: text.minimized?.toLowerCase() ?? null,
    viewerDidAuthor: mine,
    viewerCanReact: true,
    viewerCanUpdate: mine,
    viewerCanDelete: mine,
    userContentEdits: connection(
      () => (text.lastEditedAt ? text.history.toReversed() : []),
      (revision) => ({
        __typename: 'UserContentEdit',
        createdAt: revision.at,
        editedAt: revision.at,
        updatedAt: revision.at,
        diff: revision.body,
        editor: () => actorView(request, request.store.user(revision.by)),
      }),
    ),
  };
}

export function reactionFields(request: Request, subject: Reactable): Record<string, unknown> {
  const list = (content?: string | null) =>
    subject.reactions.filter((reaction) => !content || reactionNames[reaction.content] === content);
  return {
    reactions: connection(
      (args: PageArguments & { content?: string | null }) => list(args.content),
      (reaction: Reaction) => reactionView(request, reaction),
      {
        viewerHasReacted: subject.reactions.some(
          (reaction) => reaction.user.login === loginOf(request.identity),
        ),
      },
    ),
    reactionGroups: () =>
      reactionContents.map((content) => ({
        content: reactionNames[content],
        createdAt: list(reactionNames[content])[0]?.createdAt ?? null,
        viewerHasReacted: list(reactionNames[content]).some(
          (one) => one.user.login === loginOf(request.identity),
        ),
        reactors: connection(
          () => list(reactionNames[content]),
          (reaction) => actorView(request, reaction.user),
        ),
        users: connection(
          () => list(reactionNames[content]),
          (reaction) => userView(request, reaction.user),
        ),
      })),
  };
}

export function reactionView(request: Request, reaction: Reaction): View {
  return {
    __typename: 'Reaction',
    id: reaction.nodeId,
    databaseId: reaction.id,
    content: reactionNames[reaction.content],
    createdAt: reaction.createdAt,
    user: () => userView(request, reaction.user),
  };
}
