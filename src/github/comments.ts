/** Comments on issues, in review threads and in discussions: create, update, find our own by marker over all pages. */
import { AppError } from '../words/errors.ts';
import { type GitHubClient, GraphqlRefusal, statusOf } from './client.ts';
import {
  type DiscussionComment,
  type DiscussionPlace,
  fetchFromDiscussion,
  latestInDiscussion,
  postInDiscussion,
  updateInDiscussion,
} from './discussion-comments.ts';
import { postedOnce } from './posted-once.ts';

/** Where a comment lives: GitHub keeps those of reviews, issues and discussions apart. */
export interface CommentRef {
  kind: 'issue_comment' | 'review_comment' | 'discussion_comment';
  id: number;
  /** By which a discussion's is found. */
  nodeId?: string;
  url: string;
}

/** Where a new comment goes. */
export interface CommentPlace {
  owner: string;
  repo: string;
  number: number;
  /** The review comment that starts the thread to answer in; null for the conversation. */
  replyTo: number | null;
  /** Set where `number` is a discussion's. */
  discussion?: DiscussionPlace;
}

export interface FoundComment extends CommentRef {
  body: string;
  author: { login: string; type: string };
}

interface RawComment {
  id: number;
  html_url: string;
  body?: string | null;
  user: { login: string; type: string } | null;
}

/** How far back a comment whose answer was lost is looked for, in milliseconds: far enough for clocks that differ. */
const lookBackMs = 60 * 60_000;

/**
 * Posts `body`, in the thread when there is one (falling back to the conversation when that is gone).
 * A request whose answer was lost is not repeated blindly: the comment is looked for by `marker` (unique to this run) first.
 */
export async function createComment(
  client: GitHubClient,
  place: CommentPlace,
  text: { body: string; marker: string },
): Promise<CommentRef> {
  const { replyTo, discussion } = place;
  if (replyTo === null && !discussion?.replyTo) return createAt(client, place, text);
  try {
    return await createAt(client, place, text);
  } catch (error) {
    if (!isGone(error)) throw error;
    const around = discussion && { discussion: { ...discussion, replyTo: null } };
    return createAt(client, { ...place, replyTo: null, ...around }, text);
  }
}

function isGone(error: unknown): boolean {
  const types = error instanceof GraphqlRefusal ? error.types : [];
  const status = statusOf(error);
  return status === 404 || status === 422 || types.includes('NOT_FOUND') || types.includes('UNPROCESSABLE');
}

async function createAt(
  client: GitHubClient,
  place: CommentPlace,
  text: { body: string; marker: string },
): Promise<CommentRef> {
  const since = new Date(Date.now() - lookBackMs).toISOString();
  return postedOnce(
    () => post(client, place, text.body),
    () => findComment(client, place, { marker: text.marker, login: null, since }),
  );
}

async function post(client: GitHubClient, place: CommentPlace, body: string): Promise<CommentRef> {
  const { owner, repo, number, replyTo, discussion } = place;
  if (discussion) return inDiscussion(await postInDiscussion(client, discussion, body));
  const [route, target] =
    replyTo === null
      ? ['POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { issue_number: number }]
      : [
          'POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies',
          { pull_number: number, comment_id: replyTo },
        ];
  const created = await client.rest<RawComment>(route, { owner, repo, ...target, body }, 'once');
  const kind = replyTo === null ? 'issue_comment' : 'review_comment';
  return { kind, id: created.id, url: created.html_url };
}

export async function updateComment(
  client: GitHubClient,
  place: CommentPlace,
  comment: CommentRef,
  body: string,
): Promise<void> {
  const { owner, repo } = place;
  if (comment.kind === 'discussion_comment') return updateInDiscussion(client, comment.nodeId ?? '', body);
  await client.rest(`PATCH ${pathOf(comment)}`, { owner, repo, comment_id: comment.id, body });
}

/** The comment as it stands now, for `post`, which trusts nothing that it was told about it. */
export async function fetchComment(
  client: GitHubClient,
  place: CommentPlace,
  comment: CommentRef,
): Promise<FoundComment> {
  const { owner, repo } = place;
  if (comment.kind === 'discussion_comment') {
    const there = await fetchFromDiscussion(client, comment.nodeId ?? '');
    if (isAt(place, there)) return inDiscussion(there);
    throw new AppError('invalid_input', `${there.url} is not a comment on that discussion.`);
  }
  const raw = await client.rest<RawComment>(`GET ${pathOf(comment)}`, {
    owner,
    repo,
    comment_id: comment.id,
  });
  return found(raw, comment.kind);
}

/** The latest comment at `place` whose body holds `marker`, over all pages; null when there is none. */
export async function findComment(
  client: GitHubClient,
  place: CommentPlace,
  wanted: { marker: string; login: string | null; since?: string },
): Promise<FoundComment | null> {
  if (place.discussion) {
    const comments = await latestInDiscussion(client, place.discussion);
    const isWanted = ({ author, body }: DiscussionComment) =>
      (wanted.login === null || author.login === wanted.login) && body.includes(wanted.marker);
    const there = comments.findLast((comment) => isAt(place, comment) && isWanted(comment));
    return there ? inDiscussion(there) : null;
  }
  const kind = place.replyTo === null ? 'issue_comment' : 'review_comment';
  const room = kind === 'issue_comment' ? 'issues' : 'pulls';
  let latest: FoundComment | null = null;
  for (let page = 1; ; page += 1) {
    const comments = await client.rest<RawComment[]>(`GET /repos/{owner}/{repo}/${room}/{number}/comments`, {
      owner: place.owner,
      repo: place.repo,
      number: place.number,
      per_page: 100,
      page,
      ...(wanted.since && { since: wanted.since }),
    });
    for (const raw of comments) {
      const ours = wanted.login === null || raw.user?.login === wanted.login;
      if (ours && raw.body?.includes(wanted.marker)) latest = found(raw, kind);
    }
    if (comments.length < 100) return latest;
  }
}

function found(raw: RawComment, kind: CommentRef['kind']): FoundComment {
  return {
    kind,
    id: raw.id,
    url: raw.html_url,
    body: raw.body ?? '',
    author: { login: raw.user?.login ?? 'ghost', type: raw.user?.type ?? 'User' },
  };
}

/** Nothing of another discussion or repository is taken for the place's own. */
function isAt({ owner, repo, discussion }: CommentPlace, comment: DiscussionComment): boolean {
  const repository = comment.repository.toLowerCase();
  return comment.discussion === discussion?.id && repository === `${owner}/${repo}`.toLowerCase();
}

function inDiscussion({ id, nodeId, url, body, author }: DiscussionComment): FoundComment {
  return { kind: 'discussion_comment', id, nodeId, url, body, author };
}

function pathOf(comment: CommentRef): string {
  const room = comment.kind === 'review_comment' ? 'pulls' : 'issues';
  return `/repos/{owner}/{repo}/${room}/comments/{comment_id}`;
}
