/** What the prompt says of earlier reviews of ours: what they covered, and what became of their threads. */
import type { FetchedThread } from '../../context/fetch.ts';
import type { OwnReviews } from '../../prompt/review-lines.ts';
import { readMarker } from '../../report/marker.ts';
import type { PullRequestFacts, ReviewThread } from '../../words/thread.ts';
import { isOwn } from './own-findings.ts';

/** Null when there are none. */
export function ownReviews({ thread, viewer }: Pick<FetchedThread, 'thread' | 'viewer'>): OwnReviews | null {
  const facts = thread.pullRequest;
  if (!facts) return null;
  const isOurs = (item: { author: { login: string }; body: string }) =>
    isOwn({ login: item.author.login, body: item.body }, viewer.login);
  const last = facts.reviews.filter(isOurs).at(-1);
  const threads = facts.reviewThreads.flatMap((one, index) => {
    const [first] = one.comments;
    return first && isOurs(first) ? [{ number: index + 1, state: stateOf(one, isOurs) }] : [];
  });
  if (!last && threads.length === 0) return null;
  return { reviewed: last ? reviewedBy(readMarker(last.body)?.head, facts) : null, threads };
}

function stateOf(
  { resolved, outdated, comments }: ReviewThread,
  isOurs: (comment: ReviewThread['comments'][number]) => boolean,
): OwnReviews['threads'][number]['state'] {
  if (resolved) return 'resolved';
  if (comments.some((comment) => !isOurs(comment))) return 'answered';
  return outdated ? 'outdated' : 'open';
}

/** The checkout has all commits of the pull request, and none of those that a force-push took away. */
function reviewedBy(
  head: string | undefined,
  { commits, head: now }: PullRequestFacts,
): OwnReviews['reviewed'] {
  if (!head || !/^[0-9a-f]{40,64}$/.test(head)) return null;
  if (head === now.sha) return { head, since: 'nothing' };
  return { head, since: commits.some(({ sha }) => sha === head) ? 'commits' : 'rewritten' };
}
