/** REST: comments on lines of a pull request, and replies to them. */
import type { ReviewComment } from '../model.ts';
import { renderReviewComment } from '../render/pull.ts';
import { createReviewComment, findHunk, replyTo, reviewCommentsOf } from '../state/reviews.ts';
import { edit } from '../state/written.ts';
import {
  actor,
  type Call,
  created,
  noContent,
  numberOf,
  ok,
  paginate,
  type Route,
  requiredText,
  since,
  textOf,
} from './call.ts';
import { demandAuthorship } from './comments.ts';
import { checkBodyLength, invalid, notFound } from './problem.ts';
import { pullOf } from './pulls.ts';

const ofPull = '/repos/{owner}/{repo}/pulls/{pull_number}/comments';
const one = '/repos/{owner}/{repo}/pulls/comments/{comment_id}';

export const reviewCommentRoutes: Route[] = [
  { method: 'GET', path: ofPull, need: ['pull_requests:read'], handle: list },
  { method: 'POST', path: ofPull, need: ['pull_requests:write'], role: 'read', handle: create },
  {
    method: 'POST',
    path: `${ofPull}/{comment_id}/replies`,
    need: ['pull_requests:write'],
    role: 'read',
    handle: reply,
  },
  {
    method: 'GET',
    path: one,
    need: ['pull_requests:read'],
    handle: (call) => ok(renderReviewComment(call.store, reviewCommentOf(call))),
  },
  { method: 'PATCH', path: one, need: ['pull_requests:write'], role: 'read', handle: update },
  { method: 'DELETE', path: one, need: ['pull_requests:write'], role: 'read', handle: remove },
];

/** @throws HttpProblem 404 also for a comment of another repository */
export function reviewCommentOf(call: Call): ReviewComment {
  const id = numberOf(call, 'comment_id');
  for (const subject of call.repository.subjects.values()) {
    const found = subject.kind === 'pull' && reviewCommentsOf(subject).find((comment) => comment.id === id);
    if (found) return found;
  }
  throw notFound();
}

function list(call: Call) {
  const all = reviewCommentsOf(pullOf(call)).filter((comment) => comment.review.state !== 'PENDING');
  return paginate(call, since(call, all), (comment) => renderReviewComment(call.store, comment));
}

async function create(call: Call) {
  const pull = pullOf(call);
  const body = requiredText(call, 'body');
  checkBodyLength('PullRequestReviewComment', body);
  const author = actor(call).login;
  if (typeof call.body.in_reply_to === 'number') {
    const parent = reviewCommentsOf(pull).find((comment) => comment.id === call.body.in_reply_to);
    if (!parent) throw notFound();
    return created(renderReviewComment(call.store, replyTo(call.store, parent, { body, author })));
  }
  const path = requiredText(call, 'path');
  requiredText(call, 'commit_id');
  const line = call.body.subject_type === 'file' ? null : lineOf(call.body.line ?? call.body.position);
  const side = textOf(call, 'side') === 'LEFT' ? 'LEFT' : 'RIGHT';
  if (line === null && call.body.subject_type !== 'file')
    throw invalid('PullRequestReviewComment', 'line', 'missing_field');
  const diffHunk = await findHunk(pull, path, line, side);
  if (diffHunk === null)
    throw invalid(
      'PullRequestReviewComment',
      'pull_request_review_thread.line',
      'invalid',
      'pull_request_review_thread.line must be part of the diff',
    );
  const startLine = lineOf(call.body.start_line);
  const made = await createReviewComment(call.store, pull, {
    path,
    line,
    startLine,
    side,
    diffHunk,
    body,
    author,
  });
  return created(renderReviewComment(call.store, made));
}

function reply(call: Call) {
  const pull = pullOf(call);
  const parent = reviewCommentOf(call);
  if (parent.thread.pull !== pull) throw notFound();
  const body = requiredText(call, 'body');
  checkBodyLength('PullRequestReviewComment', body);
  return created(
    renderReviewComment(call.store, replyTo(call.store, parent, { body, author: actor(call).login })),
  );
}

function update(call: Call) {
  const comment = reviewCommentOf(call);
  demandAuthorship(call, comment);
  const body = requiredText(call, 'body');
  checkBodyLength('PullRequestReviewComment', body);
  edit(comment, body, actor(call).login);
  return ok(renderReviewComment(call.store, comment));
}

function remove(call: Call) {
  const comment = reviewCommentOf(call);
  demandAuthorship(call, comment);
  comment.deleted = true;
  return noContent();
}

function lineOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
