/** REST: comments on issues and pull requests. */
import { atLeast, roleOf } from '../access.ts';
import type { Comment, Written } from '../model.ts';
import { renderComment } from '../render/issue.ts';
import { createComment, visibleComments } from '../state/issues.ts';
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
} from './call.ts';
import { subjectOf } from './issues.ts';
import { checkBodyLength, HttpProblem, notFound } from './problem.ts';

const ofSubject = '/repos/{owner}/{repo}/issues/{issue_number}/comments';
const ofRepository = '/repos/{owner}/{repo}/issues/comments';
const one = `${ofRepository}/{comment_id}`;

export const commentRoutes: Route[] = [
  { method: 'GET', path: ofSubject, need: ['issues:read', 'pull_requests:read'], handle: list },
  {
    method: 'POST',
    path: ofSubject,
    need: ['issues:write', 'pull_requests:write'],
    role: 'read',
    handle: create,
  },
  { method: 'GET', path: ofRepository, need: ['issues:read', 'pull_requests:read'], handle: listAll },
  {
    method: 'GET',
    path: one,
    need: ['issues:read', 'pull_requests:read'],
    handle: (call) => ok(renderComment(call.store, commentOf(call))),
  },
  { method: 'PATCH', path: one, need: ['issues:write', 'pull_requests:write'], role: 'read', handle: update },
  {
    method: 'DELETE',
    path: one,
    need: ['issues:write', 'pull_requests:write'],
    role: 'read',
    handle: remove,
  },
];

/** @throws HttpProblem 404 also for a comment of another repository */
export function commentOf(call: Call): Comment {
  const id = numberOf(call, 'comment_id');
  for (const subject of call.repository.subjects.values()) {
    const found = subject.comments.find((comment) => comment.id === id);
    if (found && !found.deleted) return found;
  }
  throw notFound();
}

/** Somebody else's words are changed only by who may write. @throws HttpProblem 403 */
export function demandAuthorship(call: Call, text: Written): void {
  const user = actor(call);
  if (call.identity.kind === 'token' && call.identity.token.kind !== 'pat') return;
  if (text.author !== user && !atLeast(roleOf(call.repository, user), 'write')) {
    throw new HttpProblem(403, 'Must have admin rights to Repository.');
  }
}

function list(call: Call) {
  return paginate(call, since(call, visibleComments(subjectOf(call))), (comment) =>
    renderComment(call.store, comment),
  );
}

function listAll(call: Call) {
  const all = call.store.subjects(call.repository).flatMap(visibleComments);
  return paginate(
    call,
    since(
      call,
      all.sort((a, b) => a.id - b.id),
    ),
    (comment) => renderComment(call.store, comment),
  );
}

function create(call: Call) {
  const subject = subjectOf(call);
  const body = requiredText(call, 'body');
  checkBodyLength('IssueComment', body);
  if (subject.locked && !atLeast(roleOf(call.repository, actor(call)), 'write')) {
    throw new HttpProblem(403, 'Unable to create comment because issue is locked.');
  }
  const comment = createComment(call.store, subject, { body, author: actor(call).login });
  return created(renderComment(call.store, comment));
}

function update(call: Call) {
  const comment = commentOf(call);
  demandAuthorship(call, comment);
  const body = requiredText(call, 'body');
  checkBodyLength('IssueComment', body);
  edit(comment, body, actor(call).login);
  return ok(renderComment(call.store, comment));
}

function remove(call: Call) {
  const comment = commentOf(call);
  demandAuthorship(call, comment);
  comment.deleted = true;
  return noContent();
}
