/** Reactions on the triggering item: one is shown at a time, swapped in one request. */
import type { GitHubClient } from './client.ts';

/** GitHub's names of 👀, 🚀, 👍 and 😕. */
export type Reaction = 'EYES' | 'ROCKET' | 'THUMBS_UP' | 'CONFUSED';

/**
 * Shows `next` instead of `former` on the item with this node id.
 * @throws AppError as the client does; reactions are a courtesy, so callers log and go on.
 */
export async function swapReaction(
  client: GitHubClient,
  nodeId: string,
  change: { former: Reaction | null; next: Reaction },
): Promise<void> {
  const remove = change.former
    ? `former: removeReaction(input: { subjectId: $id, content: ${change.former} }) { clientMutationId }`
    : '';
  await client.graphql(
    `mutation ($id: ID!) {
      next: addReaction(input: { subjectId: $id, content: ${change.next} }) { clientMutationId }
      ${remove}
    }`,
    { id: nodeId },
  );
}
