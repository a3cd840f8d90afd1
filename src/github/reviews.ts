/** Reviews of pull requests: posted once, found by marker; their comments listed; their threads resolved. */
import type { Place, ReviewEvent, Side } from '../words/review.ts';
import type { GitHubClient } from './client.ts';
import { postedOnce } from './posted-once.ts';

export interface ReviewPlace {
  owner: string;
  repo: string;
  /** Of the pull request. */
  number: number;
}

export interface NewReview {
  /** The commit that its comments are about. */
  commit: string;
  event: ReviewEvent;
  body: string;
  comments: (Place & { body: string })[];
}

/** One comment on a line, as it stands now. */
export interface InlineComment {
  id: number;
  url: string;
  login: string;
  body: string;
  path: string;
  /** Null where the line is not in the diff any more. */
  line: number | null;
  startLine: number | null;
  side: Side;
  /** The comment that begins its thread; null for that one itself. */
  replyTo: number | null;
}

interface RawReview {
  html_url: string;
  body: string | null;
}

interface RawInlineComment {
  id: number;
  html_url: string;
  user: { login: string } | null;
  body: string;
  path: string;
  line?: number | null;
  start_line?: number | null;
  side?: Side;
  in_reply_to_id?: number;
}

/**
 * Posts a review with all its comments, in one request: GitHub takes all of it or nothing.
 * A request whose answer was lost is not repeated blindly: the review is looked for by `marker` (in its body) first.
 * @returns its page. @throws AppError, or RequestError with `status` 422 when GitHub refuses it.
 */
export async function createReview(
  client: GitHubClient,
  place: ReviewPlace,
  { review, marker }: { review: NewReview; marker: string },
): Promise<string> {
  return postedOnce(
    () => post(client, place, review),
    () => findReview(client, place, marker),
  );
}

async function post(client: GitHubClient, place: ReviewPlace, review: NewReview): Promise<string> {
  const { owner, repo, number } = place;
  const comments = review.comments.map(({ path, line, startLine, side, body }) => ({
    ...{ path, line, side, body },
    ...(startLine !== null && { start_line: startLine, start_side: side }),
  }));
  const made = await client.rest<RawReview>(
    'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
    {
      ...{ owner, repo, pull_number: number, commit_id: review.commit },
      ...{ event: review.event, body: review.body, comments },
    },
    'once',
  );
  return made.html_url;
}

/** The page of the review whose body holds `marker`, over all pages; null when there is none. */
export async function findReview(
  client: GitHubClient,
  place: ReviewPlace,
  marker: string,
): Promise<string | null> {
  const all = await listAll<RawReview>(client, place, 'reviews');
  return all.find(({ body }) => body?.includes(marker))?.html_url ?? null;
}

/** Every comment on a line, of everybody. */
export async function listInlineComments(client: GitHubClient, place: ReviewPlace): Promise<InlineComment[]> {
  const all = await listAll<RawInlineComment>(client, place, 'comments');
  return all.map((raw) => ({
    id: raw.id,
    url: raw.html_url,
    login: raw.user?.login ?? 'ghost',
    body: raw.body,
    path: raw.path,
    line: raw.line ?? null,
    startLine: raw.start_line ?? null,
    side: raw.side ?? 'RIGHT',
    replyTo: raw.in_reply_to_id ?? null,
  }));
}

async function listAll<T>(client: GitHubClient, place: ReviewPlace, what: string): Promise<T[]> {
  const { owner, repo, number } = place;
  const all: T[] = [];
  for (let page = 1; ; page += 1) {
    const some = await client.rest<T[]>(`GET /repos/{owner}/{repo}/pulls/{pull_number}/${what}`, {
      ...{ owner, repo, pull_number: number },
      ...{ per_page: 100, page },
    });
    all.push(...some);
    if (some.length < 100) return all;
  }
}

/** REST has no way to do this. Doing it again changes nothing. */
export async function resolveThread(client: GitHubClient, threadId: string): Promise<void> {
  await client.graphql(
    'mutation Resolve($id: ID!) { resolveReviewThread(input: { threadId: $id }) { clientMutationId } }',
    { id: threadId },
  );
}

interface RawThreads {
  repository: {
    pullRequest: {
      reviewThreads: {
        pageInfo: { hasNextPage: boolean; endCursor: string | null };
        nodes: {
          id: string;
          isResolved: boolean;
          comments: { nodes: { fullDatabaseId: string | number | null }[] };
        }[];
      };
    } | null;
  } | null;
}

const threadsQuery = `query threads($owner: String!, $name: String!, $number: Int!, $cursor: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 100, after: $cursor) {
      pageInfo { hasNextPage endCursor }
      nodes { id isResolved comments(first: 1) { nodes { fullDatabaseId } } }
    }
  } }
}`;

/** The threads that nobody has resolved: GraphQL's id of each by the id of the comment that begins it. */
export async function openThreads(client: GitHubClient, place: ReviewPlace): Promise<Map<number, string>> {
  const open = new Map<number, string>();
  for (let cursor: string | null = null; ; ) {
    const variables = { owner: place.owner, name: place.repo, number: place.number, cursor };
    const answer: RawThreads = await client.graphql<RawThreads>(threadsQuery, variables);
    const threads = answer.repository?.pullRequest?.reviewThreads;
    for (const { id, isResolved, comments } of threads?.nodes ?? [])
      if (!isResolved) open.set(Number(comments.nodes[0]?.fullDatabaseId), id);
    if (!threads?.pageInfo.hasNextPage) return open;
    cursor = threads.pageInfo.endCursor;
  }
}
