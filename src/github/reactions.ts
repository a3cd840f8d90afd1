/** Reactions on the triggering item: one is shown at a time, swapped in one request. */
import { type GitHubClient, GraphqlRefusal } from './client.ts';

/** GitHub's names of 👀, 🚀, 👍 and 😕. */
export type Reaction = 'EYES' | 'ROCKET' | 'THUMBS_UP' | 'CONFUSED';

const adding = 'next: addReaction(input: { subjectId: $id, content: $next }) { clientMutationId }';
const removing = 'former: removeReaction(input: { subjectId: $id, content: $former }) { clientMutationId }';
const add = `mutation react($id: ID!, $next: ReactionContent!) { ${adding} }`;
const swap = `mutation react($id: ID!, $next: ReactionContent!, $former: ReactionContent!) { ${adding} ${removing} }`;

const remove = `mutation react($id: ID!, $former: ReactionContent!) { ${removing} }`;

/** Takes back what this login has put there. @throws as `swapReaction` */
export async function removeReaction(client: GitHubClient, nodeId: string, former: Reaction): Promise<void> {
  await client.graphql(remove, { id: nodeId, former });
}

/**
 * Shows `next` instead of `former` on the item with this node id.
 * @throws AppError as the client does; reactions are a courtesy, so callers log and go on.
 */
export async function swapReaction(
  client: GitHubClient,
  nodeId: string,
  change: { former: Reaction | null; next: Reaction },
): Promise<void> {
  const { former, next } = change;
  // Variables only: `post` reads the former one from where Claude's processes could write.
  const variables = { id: nodeId, next, ...(former && { former }) };
  await client.graphql(former ? swap : add, variables).catch((error) => {
    // GitHub refuses to remove what is not there (any more): the new one is, and that is what counts.
    const added = error instanceof GraphqlRefusal && (error.data as { next?: unknown } | null)?.next;
    if (!added) throw error;
  });
}
