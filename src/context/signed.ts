/** Addresses of attachments that need no credential, as GitHub writes them into the HTML of the text that shows them. */
import type { Graphql } from './pages.ts';

export interface ShownImage {
  image: { address: string; id: string | null };
  /** Node id of the text that shows it; null when it is not known. */
  nodeId: string | null;
}

const types = ['Issue', 'PullRequest', 'IssueComment', 'PullRequestReview', 'PullRequestReviewComment'];

/** The HTML of texts by their node ids. */
export const htmlQuery = `query html($ids: [ID!]!) {
  nodes(ids: $ids) { id ${types.map((type) => `... on ${type} { bodyHTML }`).join(' ')} }
}`;

/**
 * By the image's own address; one request for all. An image counts only in the HTML of its own text: another person's
 * text must not say where it is. Empty when GitHub does not answer: then the credential is tried.
 */
export async function signedAddresses(
  graphql: Graphql,
  shown: ShownImage[],
  isSigned: (address: string, image: ShownImage['image']) => boolean,
): Promise<Map<string, string>> {
  const ids = [...new Set(shown.map(({ nodeId }) => nodeId).filter((id) => id !== null))];
  const signed = new Map<string, string>();
  if (ids.length === 0) return signed;
  type Answer = { nodes: ({ id: string; bodyHTML?: string } | null)[] };
  const { nodes } = await graphql<Answer>(htmlQuery, { ids }).catch(partial);
  for (const { image, nodeId } of shown) {
    const html = nodes.find((node) => node?.id === nodeId)?.bodyHTML ?? '';
    const found = addressesIn(html).find((address) => isSigned(address, image));
    if (found) signed.set(image.address, found);
  }
  return signed;
}

/** A text that was deleted since fails the request, and the others are told all the same. */
function partial(error: unknown): { nodes: ({ id: string; bodyHTML?: string } | null)[] } {
  const { data } = error as { data?: { nodes?: ({ id: string } | null)[] } | null };
  return { nodes: data?.nodes ?? [] };
}

function addressesIn(html: string): string[] {
  return [...html.matchAll(/\ssrc="([^"]+)"/g)].map(([, address]) => address!.replaceAll('&amp;', '&'));
}
