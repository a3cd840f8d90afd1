/** Reads one discussion, whole, and leaves out what the filter of every thread leaves out. */
import type { Discussion, Item } from '../words/event.ts';
import type { DiscussionReply, DiscussionThread } from '../words/thread.ts';
import { type RawComment, type RawPage, toComment } from './answers.ts';
import { LeftOut, laterThan } from './filter.ts';
import { nameMatcher } from './names.ts';
import { type Graphql, readOn } from './pages.ts';

export interface DiscussionRequest {
  graphql: Graphql;
  discussion: Discussion;
  /** What was written there and started the run; its words are the event's. */
  item: Item | null;
  /** ISO 8601; null when the event names no moment. */
  triggeredAt: string | null;
  /** Logins, `*` stands for anything. */
  include: string[];
  exclude: string[];
  /** This run's own. */
  trackingCommentId: number | null;
}

interface RawReply extends Omit<RawComment, 'fullDatabaseId'> {
  databaseId: number;
  isAnswer: boolean;
}

interface RawTop extends RawReply {
  replies: { totalCount: number; nodes: (RawReply | null)[] | null };
}

/** Pages of fifty comments, each with its first hundred replies. */
const mostPages = 40;

const fields = `id databaseId url body authorAssociation createdAt publishedAt lastEditedAt isMinimized isAnswer
  author { __typename login ... on User { databaseId } ... on Bot { databaseId } }`;
const query = `query discussion($id: ID!, $cursor: String) { node(id: $id) { ... on Discussion {
  page: comments(first: 50, after: $cursor) {
    totalCount pageInfo { more: hasNextPage cursor: endCursor }
    nodes { ${fields} replies(first: 100) { totalCount nodes { ${fields} } } }
  }
} } }`;

/** @throws AppError `github_unavailable`, `invalid_input` as the client does. */
export async function readDiscussion(request: DiscussionRequest): Promise<DiscussionThread> {
  const { graphql, discussion } = request;
  const { nodeId: id } = discussion;
  const first = await graphql<{ node: { page?: RawPage<RawTop> } | null }>(query, { id, cursor: null });
  const reach = { query, id, order: 'oldest', pages: mostPages } as const;
  const { nodes } = await readOn(graphql, first.node?.page, reach);
  const leftOut = new LeftOut();
  leftOut.add('comments', 'beyond the first 2,000', (first.node?.page?.totalCount ?? 0) - nodes.length);
  const unread = nodes.reduce((sum, { replies }) => sum + replies.totalCount - listed(replies).length, 0);
  leftOut.add('replies', 'beyond the first 100 of their comment', unread);
  const all = nodes.flatMap((top) => {
    const comment = toReply(top, null);
    return [
      { raw: top, comment },
      ...listed(top.replies).map((raw) => ({ raw, comment: toReply(raw, comment.id) })),
    ];
  });
  const why = rule(request);
  const shown = all.filter(({ raw, comment }) => leftOut.admit('comments', why(comment, raw.isMinimized)));
  const comments = shown.map(({ comment }) => comment);
  return { ...discussion, comments: withItem(comments, request.item), leftOut: leftOut.list() };
}

function listed(replies: RawTop['replies']): RawReply[] {
  return (replies.nodes ?? []).filter((one) => one !== null);
}

function toReply({ databaseId, isAnswer, ...raw }: RawReply, replyTo: number | null): DiscussionReply {
  return { ...toComment({ ...raw, fullDatabaseId: databaseId }), isAnswer, replyTo };
}

/** Why a comment is left out; null when it stays. */
function rule({ item, triggeredAt, include, exclude, trackingCommentId }: DiscussionRequest) {
  const triggerId = item?.kind === 'discussion_comment' ? item.id : null;
  const [included, excluded] = [nameMatcher(include), nameMatcher(exclude)];
  return (comment: DiscussionReply, isMinimized: boolean): string | null => {
    if (comment.id === triggerId) return null;
    if (comment.id === trackingCommentId) return 'own';
    const later = laterThan(triggeredAt, comment, triggerId);
    if (later) return later;
    if (isMinimized) return 'minimised';
    const { login } = comment.author;
    return excluded(login) || (include.length > 0 && !included(login)) ? 'excluded by author' : null;
  };
}

/** What triggered, in the event's words, also when GitHub lists it no more. */
function withItem(comments: DiscussionReply[], item: Item | null): DiscussionReply[] {
  if (item?.kind !== 'discussion_comment') return comments;
  const said = { body: item.body, editedAt: null };
  if (comments.some(({ id }) => id === item.id))
    return comments.map((comment) => (comment.id === item.id ? { ...comment, ...said } : comment));
  const { id, author, authorAssociation = 'NONE', createdAt = '', htmlUrl: url, inReplyToId } = item;
  const gone = {
    id,
    author,
    authorAssociation,
    createdAt,
    url,
    isAnswer: false,
    replyTo: inReplyToId ?? null,
  };
  return [...comments, { ...gone, ...said }];
}
