/** Issues, their comments, reactions and events as GitHub's JSON shows them. */
import type { Comment, IssueEvent, Reactable, Reaction, ReactionContent, Subject } from '../model.ts';
import { reactionContents } from '../model.ts';
import { visibleComments } from '../state/issues.ts';
import type { Store } from '../store.ts';
import { renderLabel, renderMilestone, repositoryPage, repositoryUrl } from './repository.ts';
import { renderAuthor, renderUser } from './user.ts';

/** API address as an issue, which pull requests have too. */
export function issueUrl(store: Store, subject: Subject): string {
  return `${repositoryUrl(store, subject.repository)}/issues/${subject.number}`;
}

/** Page address. */
export function subjectPage(store: Store, subject: Subject): string {
  return `${repositoryPage(store, subject.repository)}/${subject.kind === 'pull' ? 'pull' : 'issues'}/${subject.number}`;
}

export function commentPage(store: Store, comment: Comment): string {
  return `${subjectPage(store, comment.subject)}#issuecomment-${comment.id}`;
}

/** `issue`; a pull request has its `pull_request` member. */
export function renderIssue(store: Store, subject: Subject) {
  const url = issueUrl(store, subject);
  return {
    url,
    repository_url: repositoryUrl(store, subject.repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: subjectPage(store, subject),
    id: subject.kind === 'pull' ? subject.issueId : subject.id,
    node_id: subject.nodeId,
    number: subject.number,
    title: subject.title,
    user: renderAuthor(store, subject.author),
    labels: subject.labels.map((label) => renderLabel(store, label)),
    state: subject.state,
    locked: subject.locked,
    assignee: renderAuthor(store, subject.assignees[0] ?? null),
    assignees: subject.assignees.map((user) => renderUser(store, user)),
    milestone: renderMilestone(store, subject.milestone),
    comments: visibleComments(subject).length,
    created_at: subject.createdAt,
    updated_at: subject.updatedAt,
    closed_at: subject.closedAt,
    author_association: subject.authorAssociation,
    active_lock_reason: null,
    ...(subject.kind === 'pull' ? { draft: subject.draft, pull_request: pullLinks(store, subject) } : {}),
    body: subject.body || null,
    closed_by: renderAuthor(store, subject.closedBy),
    reactions: renderRollup(`${url}/reactions`, subject),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: null,
    state_reason: subject.kind === 'issue' ? subject.stateReason : null,
  };
}

/** `issue-comment` */
export function renderComment(store: Store, comment: Comment) {
  const url = `${repositoryUrl(store, comment.subject.repository)}/issues/comments/${comment.id}`;
  return {
    url,
    html_url: commentPage(store, comment),
    issue_url: issueUrl(store, comment.subject),
    id: comment.id,
    node_id: comment.nodeId,
    user: renderAuthor(store, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: comment.authorAssociation,
    reactions: renderRollup(`${url}/reactions`, comment),
    performed_via_github_app: null,
  };
}

export function renderReaction(store: Store, reaction: Reaction) {
  return {
    id: reaction.id,
    node_id: reaction.nodeId,
    user: renderUser(store, reaction.user),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

/** `reaction-rollup` */
export function renderRollup(url: string, subject: Reactable) {
  const count = (content: ReactionContent) =>
    subject.reactions.filter((reaction) => reaction.content === content).length;
  const counts = Object.fromEntries(reactionContents.map((content) => [content, count(content)]));
  return { url, total_count: subject.reactions.length, ...counts };
}

/** One entry of `/issues/{n}/events`. */
export function renderEvent(store: Store, subject: Subject, event: IssueEvent): Record<string, unknown> {
  return {
    id: event.id,
    node_id: event.nodeId,
    url: `${repositoryUrl(store, subject.repository)}/issues/events/${event.id}`,
    actor: renderUser(store, event.actor),
    event: event.event,
    commit_id: null,
    commit_url: null,
    created_at: event.createdAt,
    performed_via_github_app: null,
    ...(event.label ? { label: { name: event.label.name, color: event.label.color } } : {}),
    ...(event.assignee
      ? { assignee: renderUser(store, event.assignee), assigner: renderUser(store, event.actor) }
      : {}),
    ...(event.rename ? { rename: event.rename } : {}),
    ...(event.event === 'closed' || event.event === 'reopened' ? { state_reason: null } : {}),
    ...(event.event === 'locked' ? { lock_reason: null } : {}),
  };
}

function pullLinks(store: Store, subject: Subject & { kind: 'pull' }) {
  const page = subjectPage(store, subject);
  return {
    url: `${repositoryUrl(store, subject.repository)}/pulls/${subject.number}`,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    merged_at: subject.mergedAt,
  };
}
