/** Comments on discussions, which only GraphQL knows: created, updated, and found again by marker. */
import { AppError } from '../words/errors.ts';
import { type GitHubClient, GraphqlRefusal } from './client.ts';

/** A discussion by its node id, and the comment in whose thread is answered; null for the conversation. */
export interface DiscussionPlace {
  id: string;
  replyTo: { id: string; isReply: boolean } | null;
}

export interface DiscussionComment {
  id: number;
  nodeId: string;
  url: string;
  body: string;
  author: { login: string; type: string };
  discussion: string;
  /** `owner/repo` */
  repository: string;
}

interface Raw {
  databaseId: number;
  id: string;
  url: string;
  body: string;
  author: { __typename: string; login: string } | null;
  discussion: { id: string; repository: { nameWithOwner: string } };
}

const fields =
  'databaseId id url body author { __typename login } discussion { id repository { nameWithOwner } }';

/** @throws AppError `github_auth` that names the permission; GraphqlRefusal as the client does. */
export async function postInDiscussion(
  client: GitHubClient,
  place: DiscussionPlace,
  body: string,
): Promise<DiscussionComment> {
  const replyTo = await topOf(client, place);
  const create = `mutation answer($id: ID!, $replyTo: ID, $body: String!) {
    addDiscussionComment(input: { discussionId: $id, replyToId: $replyTo, body: $body }) { comment { ${fields} } }
  }`;
  const answer = await client
    .graphql<{ addDiscussionComment: { comment: Raw } }>(create, { id: place.id, replyTo, body }, 'once')
    .catch(inWords);
  return toComment(answer.addDiscussionComment.comment);
}

/** @throws as `postInDiscussion` */
export async function updateInDiscussion(client: GitHubClient, nodeId: string, body: string): Promise<void> {
  const update = `mutation update($id: ID!, $body: String!) {
    updateDiscussionComment(input: { commentId: $id, body: $body }) { clientMutationId }
  }`;
  await client.graphql(update, { id: nodeId, body }).catch(inWords);
}

/** The comment as it stands now. @throws AppError `invalid_input` when there is none. */
export async function fetchFromDiscussion(client: GitHubClient, nodeId: string): Promise<DiscussionComment> {
  const query = `query comment($id: ID!) { node(id: $id) { ... on DiscussionComment { ${fields} } } }`;
  const { node } = await client.graphql<{ node: Partial<Raw> | null }>(query, { id: nodeId });
  if (!node?.id) throw new AppError('invalid_input', 'The comment on the discussion is not there any more.');
  return toComment(node as Raw);
}

/** The newest hundred at the place, oldest first: what a run has posted itself is among them. */
export async function latestInDiscussion(
  client: GitHubClient,
  place: DiscussionPlace,
): Promise<DiscussionComment[]> {
  const top = await topOf(client, place);
  const query = `query latest($id: ID!) { node(id: $id) {
    ... on Discussion { list: comments(last: 100) { nodes { ${fields} } } }
    ... on DiscussionComment { list: replies(last: 100) { nodes { ${fields} } } }
  } }`;
  const { node } = await client.graphql<{ node: { list?: { nodes: Raw[] } } | null }>(query, {
    id: top ?? place.id,
  });
  return (node?.list?.nodes ?? []).map(toComment);
}

/** GitHub takes replies to top-level comments only, and a reply's payload does not name the id of its own. */
async function topOf(client: GitHubClient, { replyTo }: DiscussionPlace): Promise<string | null> {
  if (!replyTo?.isReply) return replyTo?.id ?? null;
  const query = 'query top($id: ID!) { node(id: $id) { ... on DiscussionComment { replyTo { id } } } }';
  const { node } = await client.graphql<{ node: { replyTo?: { id: string } | null } | null }>(query, {
    id: replyTo.id,
  });
  return node?.replyTo?.id ?? replyTo.id;
}

function toComment({ databaseId, id, url, body, author, discussion }: Raw): DiscussionComment {
  const type = author?.__typename ?? 'User';
  // REST's logins of bots have the suffix, GraphQL's do not.
  const login = `${author?.login ?? 'ghost'}${type === 'Bot' ? '[bot]' : ''}`;
  return {
    ...{ id: databaseId, nodeId: id, url, body },
    author: { login, type },
    discussion: discussion.id,
    repository: discussion.repository.nameWithOwner,
  };
}

function inWords(error: unknown): never {
  if (!(error instanceof GraphqlRefusal) || error.reason !== 'github_auth') throw error;
  throw new AppError(
    'github_auth',
    'The GitHub token may not write in discussions: add `discussions: write` to the `permissions:` of the job, or to `additional_permissions` for an App’s token.',
    { cause: error },
  );
}
