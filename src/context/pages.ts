/** Reads connections page by page, and no further than a bound: in requests, in characters, and at a time. */
import { AppError } from '../words/errors.ts';
import type { RawPage, RawReviewComment, RawReviewThread } from './answers.ts';
import { queries } from './queries.ts';

/** One GraphQL request; errors are thrown, with GitHub's error `types` and the partial `data` where there are any. */
export type Graphql = <T>(query: string, variables: Record<string, unknown>) => Promise<T>;

export interface Read<Node> {
  /** Oldest first, in whichever order they were read. */
  nodes: Node[];
  /** True when there is more that was not read. */
  stopped: boolean;
}

export interface Reach {
  query: string;
  /** Of the node that has the connection. */
  id: string;
  order: 'oldest' | 'newest';
  /** Most pages, the first included. */
  pages: number;
}

/** Characters of text after which a connection is read no further: twenty times what a prompt takes. */
const mostCharacters = 8_000_000;
/** Review threads that have more replies than their first page: most requests for all of them, and at a time. */
const replyRequests = 40;
const parallelReplies = 6;

/** The nodes of a first page and of the pages that follow it. */
export async function readOn<Node>(
  graphql: Graphql,
  first: RawPage<Node> | null | undefined,
  reach: Reach,
): Promise<Read<Node>> {
  const pages: Node[][] = [];
  let characters = 0;
  let page = first;
  while (page) {
    const nodes = (page.nodes ?? []).filter((node) => node !== null);
    pages.push(nodes);
    characters += nodes.reduce((sum, node) => sum + sizeOf(node), 0);
    const { more, cursor } = page.pageInfo;
    if (!more || !cursor) return { nodes: inOrder(pages, reach), stopped: false };
    if (pages.length >= reach.pages || characters > mostCharacters) break;
    page = await nextPage<Node>(graphql, reach, cursor);
  }
  return { nodes: inOrder(pages, reach), stopped: pages.length > 0 };
}

async function nextPage<Node>(
  graphql: Graphql,
  { query, id }: Pick<Reach, 'query' | 'id'>,
  cursor: string,
): Promise<RawPage<Node>> {
  const answer = await graphql<{ node: { page?: RawPage<Node> | null } | null }>(query, { id, cursor });
  if (answer.node?.page) return answer.node.page;
  throw new AppError('github_unavailable', 'The thread disappeared while it was being read.');
}

function inOrder<Node>(pages: Node[][], { order }: Reach): Node[] {
  return (order === 'newest' ? pages.toReversed() : pages).flat();
}

function sizeOf(node: unknown): number {
  const { body = '', comments } = node as { body?: string; comments?: RawPage<{ body: string }> };
  return body.length + (comments?.nodes ?? []).reduce((sum, one) => sum + (one?.body.length ?? 0), 0);
}

export interface ReadThread {
  raw: RawReviewThread;
  comments: RawReviewComment[];
}

/** Threads with all their replies; where those would be too many requests, the open and newest threads have theirs first. */
export async function readReplies(graphql: Graphql, threads: RawReviewThread[]): Promise<ReadThread[]> {
  const all = threads.map((raw) => ({
    raw,
    comments: (raw.comments.nodes ?? []).filter((one) => one !== null),
  }));
  const long = all
    .filter(({ raw }) => raw.comments.pageInfo.more)
    .reverse()
    .toSorted((a, b) => Number(a.raw.isResolved) - Number(b.raw.isResolved))
    .slice(0, replyRequests);
  const pagesOfEach = Math.floor(replyRequests / Math.max(long.length, 1));
  // All of them take from one iterator.
  const queue = long.values();
  const worker = async () => {
    for (const thread of queue) {
      const reach = {
        query: queries.replies,
        id: thread.raw.id,
        order: 'oldest',
        pages: 1 + pagesOfEach,
      } as const;
      thread.comments = (await readOn(graphql, thread.raw.comments, reach)).nodes;
    }
  };
  await Promise.all(Array.from({ length: parallelReplies }, worker));
  return all;
}
