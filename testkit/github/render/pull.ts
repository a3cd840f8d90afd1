/** Pull requests, reviews and review comments as GitHub's JSON shows them. */
import type { PullRequest, Repository, Review, ReviewComment, User } from '../model.ts';
import { visibleComments } from '../state/issues.ts';
import { comparisonOf } from '../state/pulls.ts';
import { reviewCommentsOf } from '../state/reviews.ts';
import type { Store } from '../store.ts';
import { issueUrl, renderRollup, subjectPage } from './issue.ts';
import {
  mergeSettings,
  renderLabel,
  renderMilestone,
  renderRepository,
  repositoryUrl,
} from './repository.ts';
import { renderAuthor, renderUser } from './user.ts';

function pullUrl(store: Store, pull: PullRequest): string {
  return `${repositoryUrl(store, pull.repository)}/pulls/${pull.number}`;
}

/** `pull-request-simple`, as lists and most payloads have it. */
export function renderPull(store: Store, pull: PullRequest) {
  const url = pullUrl(store, pull);
  const page = subjectPage(store, pull);
  const issue = issueUrl(store, pull);
  const repository = repositoryUrl(store, pull.repository);
  const links = {
    comments_url: `${issue}/comments`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${repository}/pulls/comments{/number}`,
    commits_url: `${url}/commits`,
    statuses_url: `${repository}/statuses/${pull.head.sha}`,
  };
  return {
    url,
    id: pull.id,
    node_id: pull.nodeId,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issue,
    number: pull.number,
    state: pull.state,
    locked: pull.locked,
    title: pull.title,
    user: renderAuthor(store, pull.author),
    body: pull.body || null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitSha,
    assignee: renderAuthor(store, pull.assignees[0] ?? null),
    assignees: pull.assignees.map((user) => renderUser(store, user)),
    requested_reviewers: pull.requestedReviewers.map((user) => renderUser(store, user)),
    requested_teams: [],
    labels: pull.labels.map((label) => renderLabel(store, label)),
    milestone: renderMilestone(store, pull.milestone),
    draft: pull.draft,
    ...links,
    head: renderEnd(store, pull.head.owner, pull.head.ref, pull.head.sha, pull.head.repository),
    base: renderEnd(store, pull.repository.owner, pull.base.ref, pull.base.sha, pull.repository),
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issue },
      comments: { href: links.comments_url },
      review_comments: { href: links.review_comments_url },
      review_comment: { href: links.review_comment_url },
      commits: { href: links.commits_url },
      statuses: { href: links.statuses_url },
    },
    author_association: pull.authorAssociation,
    auto_merge: null,
    active_lock_reason: null,
  };
}

/** `pull-request`, with the numbers that need the diff. */
export async function renderFullPull(store: Store, pull: PullRequest): Promise<Record<string, unknown>> {
  const { files, commits } = await comparisonOf(pull);
  const open = pull.state === 'open';
  return {
    ...renderPull(store, pull),
    merged: pull.mergedAt !== null,
    mergeable: open ? true : null,
    rebaseable: open ? true : null,
    mergeable_state: open ? (pull.draft ? 'draft' : 'clean') : 'unknown',
    merged_by: renderAuthor(store, pull.mergedBy),
    comments: visibleComments(pull).length,
    review_comments: reviewCommentsOf(pull).length,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: commits.length,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

/** `pull-request-review` */
export function renderReview(store: Store, review: Review) {
  const page = `${subjectPage(store, review.pull)}#pullrequestreview-${review.id}`;
  const url = pullUrl(store, review.pull);
  return {
    id: review.id,
    node_id: review.nodeId,
    user: renderAuthor(store, review.author),
    body: review.body,
    state: review.state as string,
    html_url: page,
    pull_request_url: url,
    author_association: review.authorAssociation,
    _links: { html: { href: page }, pull_request: { href: url } },
    ...(review.submittedAt ? { submitted_at: review.submittedAt } : {}),
    commit_id: review.commitId,
  };
}

/** `pull-request-review-comment`; an outdated one has no `line` (GitHub sends null, which its own description forbids). */
export function renderReviewComment(store: Store, comment: ReviewComment): Record<string, unknown> {
  const { thread } = comment;
  const url = `${repositoryUrl(store, thread.pull.repository)}/pulls/comments/${comment.id}`;
  const page = `${subjectPage(store, thread.pull)}#discussion_r${comment.id}`;
  return {
    url,
    pull_request_review_id: comment.review.id,
    id: comment.id,
    node_id: comment.nodeId,
    diff_hunk: comment.diffHunk,
    path: thread.path,
    commit_id: thread.pull.head.sha,
    original_commit_id: comment.commitId,
    user: renderAuthor(store, comment.author),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: page,
    pull_request_url: pullUrl(store, thread.pull),
    author_association: comment.authorAssociation,
    _links: {
      self: { href: url },
      html: { href: page },
      pull_request: { href: pullUrl(store, thread.pull) },
    },
    reactions: renderRollup(`${url}/reactions`, comment),
    ...(comment.inReplyTo ? { in_reply_to_id: comment.inReplyTo.id } : {}),
    ...(thread.subjectType === 'line' ? renderPlace(comment) : { position: 1, original_position: 1 }),
    subject_type: thread.subjectType,
  };
}

function renderPlace(comment: ReviewComment) {
  const { thread } = comment;
  const position = Math.max(1, comment.diffHunk.split('\n').length - 1);
  return {
    start_line: thread.outdated ? null : thread.startLine,
    original_start_line: thread.originalStartLine,
    start_side: thread.startLine === null ? null : thread.side,
    ...(thread.outdated ? {} : { line: thread.line }),
    original_line: thread.originalLine,
    side: thread.side,
    position,
    original_position: position,
  };
}

function renderEnd(store: Store, owner: User, ref: string, sha: string, repository: Repository | null) {
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: renderUser(store, owner),
    repo: repository && { ...renderRepository(store, repository), ...mergeSettings },
  };
}
