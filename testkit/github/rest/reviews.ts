/** REST: reviews of pull requests. */
import { diffHunk, isOneHunk } from '../git/diff.ts';
import type { PullRequest, Review, ReviewState, Side } from '../model.ts';
import { renderReview, renderReviewComment } from '../render/pull.ts';
import { comparisonOf } from '../state/pulls.ts';
import { createReview, findPatch, submitReview } from '../state/reviews.ts';
import { edit } from '../state/written.ts';
import { actor, type Call, numberOf, ok, paginate, type Route, requiredText, textOf } from './call.ts';
import { checkBodyLength, HttpProblem, notFound } from './problem.ts';
import { pullOf } from './pulls.ts';

const reviews = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews';
const review = `${reviews}/{review_id}`;

export const reviewRoutes: Route[] = [
  {
    method: 'GET',
    path: reviews,
    need: ['pull_requests:read'],
    handle: (call) =>
      paginate(
        call,
        pullOf(call).reviews.filter((one) => mayRead(call, one)),
        (one) => renderReview(call.store, one),
      ),
  },
  { method: 'POST', path: reviews, need: ['pull_requests:write'], role: 'read', handle: create },
  {
    method: 'GET',
    path: review,
    need: ['pull_requests:read'],
    handle: (call) => ok(renderReview(call.store, reviewOf(call))),
  },
  { method: 'PUT', path: review, need: ['pull_requests:write'], role: 'read', handle: update },
  { method: 'DELETE', path: review, need: ['pull_requests:write'], role: 'read', handle: remove },
  { method: 'POST', path: `${review}/events`, need: ['pull_requests:write'], role: 'read', handle: submit },
  { method: 'PUT', path: `${review}/dismissals`, need: ['pull_requests:write'], handle: dismiss },
  {
    method: 'GET',
    path: `${review}/comments`,
    need: ['pull_requests:read'],
    handle: (call) =>
      paginate(call, reviewOf(call).comments, (comment) => renderReviewComment(call.store, comment)),
  },
];

const states: Record<string, ReviewState> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

/** Pending reviews are seen by their author alone. */
function mayRead(call: Call, one: Review): boolean {
  if (one.state !== 'PENDING') return true;
  return call.identity.kind === 'token' && call.identity.token.user === one.author;
}

function reviewOf(call: Call): Review {
  const id = numberOf(call, 'review_id');
  const found = pullOf(call).reviews.find((one) => one.id === id && mayRead(call, one));
  if (!found) throw notFound();
  return found;
}

interface Draft {
  path: string;
  line: number | null;
  startLine: number | null;
  side: Side;
  body: string;
}

async function create(call: Call) {
  const pull = pullOf(call);
  const author = actor(call);
  const state = stateOf(textOf(call, 'event'));
  const body = textOf(call, 'body') ?? '';
  checkBodyLength('PullRequestReview', body);
  const commitId = textOf(call, 'commit_id');
  if (commitId) await demandCommit(pull, commitId);
  const drafts = await draftsOf(call, pull, commitId);
  if (author === pull.author && (state === 'APPROVED' || state === 'CHANGES_REQUESTED')) {
    const what = state === 'APPROVED' ? 'approve' : 'request changes on';
    throw refused(`Can not ${what} your own pull request`);
  }
  // As a repository is set up unless somebody allows it.
  if (state === 'APPROVED' && author.login === 'github-actions[bot]')
    throw refused('GitHub Actions is not permitted to approve pull requests.');
  if (pull.reviews.some((one) => one.state === 'PENDING' && one.author === author))
    throw refused('User can only have one pending review per pull request');
  if (!body && drafts.length === 0 && (state === 'COMMENTED' || state === 'CHANGES_REQUESTED'))
    throw new HttpProblem(422, 'Unprocessable Entity');
  const made = await createReview(call.store, pull, {
    ...{ author: author.login, body, state, comments: drafts, commitId },
  });
  return ok(renderReview(call.store, made));
}

function refused(...sentences: string[]): HttpProblem {
  return new HttpProblem(422, 'Unprocessable Entity', [sentences.join(' and ')]);
}

/** Of the pull request as it is now: what a force-push took away is none of it. @throws HttpProblem 422 */
async function demandCommit(pull: PullRequest, commitId: string): Promise<void> {
  const { commits } = await comparisonOf(pull);
  if (!commits.some(({ sha }) => sha === commitId))
    throw refused('The commit is not part of the pull request');
}

async function draftsOf(call: Call, pull: PullRequest, commitId: string | undefined): Promise<Draft[]> {
  const given = Array.isArray(call.body.comments) ? (call.body.comments as Record<string, unknown>[]) : [];
  const drafts: Draft[] = given.map((comment) => ({
    path: String(comment.path ?? ''),
    line: lineOf(comment.line ?? comment.position),
    startLine: lineOf(comment.start_line),
    side: comment.side === 'LEFT' ? 'LEFT' : 'RIGHT',
    body: String(comment.body ?? ''),
  }));
  for (const draft of drafts) await demandPlace(pull, draft, commitId);
  return drafts;
}

/** GitHub refuses comments on lines that the diff does not show, and does not say which. @throws HttpProblem 422 */
async function demandPlace(pull: PullRequest, draft: Draft, commitId: string | undefined): Promise<void> {
  const { path, line, startLine, side } = draft;
  checkBodyLength('PullRequestReviewComment', draft.body);
  const patch = await findPatch(pull, path, commitId);
  const blank = "Pull request review thread diff hunk can't be blank";
  if (patch === null) throw refused('Pull request review thread path is invalid', blank);
  if (line === null || diffHunk(patch, line, side) === null)
    throw refused('Pull request review thread line must be part of the diff', blank);
  if (startLine !== null && (startLine >= line || !isOneHunk(patch, [startLine, line], side)))
    throw refused(
      'Pull request review thread start line must precede the end line and be part of the same hunk as the line.',
    );
}

function update(call: Call) {
  const found = reviewOf(call);
  edit(found, requiredText(call, 'body'), actor(call).login);
  return ok(renderReview(call.store, found));
}

function remove(call: Call) {
  const found = reviewOf(call);
  if (found.state !== 'PENDING')
    throw new HttpProblem(422, 'Can not delete a non-pending pull request review');
  found.pull.reviews = found.pull.reviews.filter((one) => one !== found);
  for (const comment of found.comments) comment.deleted = true;
  return ok(renderReview(call.store, found));
}

function submit(call: Call) {
  const found = reviewOf(call);
  submitReview(found, stateOf(requiredText(call, 'event')), textOf(call, 'body'));
  return ok(renderReview(call.store, found));
}

function dismiss(call: Call) {
  const found = reviewOf(call);
  found.state = 'DISMISSED';
  return ok(renderReview(call.store, found));
}

function stateOf(event: string | undefined): ReviewState {
  if (event === undefined) return 'PENDING';
  const state = states[event];
  if (!state)
    throw new HttpProblem(422, `Variable $event of type PullRequestReviewEvent was provided invalid value`);
  return state;
}

function lineOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
