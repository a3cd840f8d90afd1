/** Reads what GitHub sent into the one shape that the rest of Forgehand knows. */
import { AppError } from '../words/errors.ts';
import type { Actor, Discussion, GitHubEvent, Item, Repository, Subject } from '../words/event.ts';
import { readChecked } from './checked.ts';
import {
  fullName,
  type Payload,
  type PayloadDiscussion,
  type PayloadItem,
  type PayloadSubject,
  type PayloadUser,
  payloadSchema,
  writtenSchema,
} from './payload.ts';

export interface IncomingEvent {
  /** `X-GitHub-Event`, or `GITHUB_EVENT_NAME` in an Action. */
  name: string;
  /** The webhook payload, parsed from JSON and otherwise unchecked. */
  payload: unknown;
  /** `X-GitHub-Delivery`; null in an Action. */
  deliveryId: string | null;
  /** What to take where the payload names none (`schedule` has neither). `repository` is `owner/name`, `actor` a login. */
  fallback: { repository?: string; actor?: string };
}

/** GitHub's stand-in for accounts that are gone. */
const ghost: Actor = { login: 'ghost' };

/**
 * Checks the payload for the fields that are used and reads them out once.
 * @throws AppError `invalid_input` that names the event and the field when the payload is not one that GitHub sends.
 */
export function parseEvent(incoming: IncomingEvent): GitHubEvent {
  const payload = checked(incoming);
  const { name, deliveryId, fallback } = incoming;
  return {
    name,
    action: payload.action ?? null,
    deliveryId,
    repository: readRepository(incoming, payload),
    sender: payload.sender || !fallback.actor ? readActor(payload.sender) : { login: fallback.actor },
    subject: readSubject(payload),
    discussion: readDiscussion(payload),
    item: readItem(name, payload),
    ...readChange(name, payload),
    checked: readChecked(payload) ?? undefined,
    payload: incoming.payload as Record<string, unknown>,
  };
}

/** A comment or review as GitHub's REST API lists it; null for what is none. */
export function parseWritten(kind: 'issue_comment' | 'review_comment' | 'review', raw: unknown): Item | null {
  const given = writtenSchema(kind).safeParse(raw);
  return given.success ? toItem(kind, given.data) : null;
}

function checked({ name, payload }: IncomingEvent): Payload {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw malformed(name, 'it must be a JSON object');
  }
  const given = payloadSchema(name).safeParse(payload);
  if (given.success) return given.data;
  const fields = given.error.issues.map((issue) => `\`${issue.path.join('.')}\`: ${issue.message}`);
  throw malformed(name, fields.slice(0, 3).join('; '), given.error);
}

// The values stay out of the message: they are whatever a stranger sent.
function malformed(name: string, what: string, cause?: unknown): AppError {
  return new AppError('invalid_input', `The payload of event \`${name}\` is malformed: ${what}.`, {
    cause,
    remedy:
      'Hand over the webhook payload exactly as GitHub sent it (in a workflow: the file at `GITHUB_EVENT_PATH`).',
  });
}

function readRepository({ name, fallback }: IncomingEvent, { repository }: Payload): Repository {
  const given = fullName.safeParse(repository?.full_name ?? fallback.repository);
  if (!given.success)
    throw malformed(name, '`repository`: is missing, and no other source names one as `owner/name`');
  const [owner, repo] = given.data.split('/');
  return {
    owner: owner!,
    name: repo!,
    defaultBranch: repository?.default_branch ?? undefined,
    private: repository?.private ?? undefined,
  };
}

function readActor(user: PayloadUser): Actor {
  return user ? { login: user.login, id: user.id ?? undefined, type: user.type ?? undefined } : { ...ghost };
}

function readSubject({ issue, pull_request }: Payload): Subject | null {
  const given = pull_request ?? issue;
  if (!given) return null;
  const { head, base } = given;
  return {
    kind: pull_request || issue?.pull_request ? 'pull_request' : 'issue',
    number: given.number,
    nodeId: given.node_id ?? undefined,
    title: given.title,
    body: given.body ?? '',
    author: readActor(given.user),
    authorAssociation: given.author_association ?? undefined,
    state: given.state ?? 'open',
    labels: (given.labels ?? []).map((label) => label.name),
    htmlUrl: given.html_url,
    createdAt: given.created_at,
    updatedAt: given.updated_at ?? undefined,
    head: head && { ref: head.ref, sha: head.sha, repository: head.repo?.full_name ?? null },
    base: base && { ref: base.ref, sha: base.sha },
  };
}

function readDiscussion({ discussion }: Payload): Discussion | undefined {
  if (!discussion) return undefined;
  const { number, node_id: nodeId, title, body, created_at: createdAt, html_url: htmlUrl } = discussion;
  return { number, nodeId, title, body: body ?? '', author: readActor(discussion.user), createdAt, htmlUrl };
}

/** By the name of the event: all of them call it `comment`. */
const commentKinds: Record<string, Item['kind']> = {
  issue_comment: 'issue_comment',
  pull_request_review_comment: 'review_comment',
  discussion_comment: 'discussion_comment',
};

/**
 * The words that the event brought. An issue, pull request or discussion itself is one only when it was just written
 * (opened, created, edited): on `labeled`, `assigned` or `synchronize` its body is old text by somebody who did not act now.
 */
function readItem(name: string, payload: Payload): Item | null {
  if (payload.review) return toItem('review', payload.review);
  if (payload.comment) return toItem(commentKinds[name]!, payload.comment);
  if (payload.discussion) {
    const isNew = payload.action === 'created' || payload.action === 'edited';
    return isNew ? toItem('discussion', payload.discussion) : null;
  }
  if (payload.action !== 'opened' && payload.action !== 'edited') return null;
  if (payload.pull_request) return toItem('pull_request', payload.pull_request);
  return payload.issue ? toItem('issue', payload.issue) : null;
}

function toItem(kind: Item['kind'], given: PayloadItem | PayloadSubject | PayloadDiscussion): Item {
  const item: Item = {
    kind,
    id: given.id,
    nodeId: given.node_id ?? undefined,
    author: readActor(given.user),
    authorAssociation: given.author_association ?? undefined,
    body: given.body ?? '',
    htmlUrl: given.html_url,
    createdAt:
      ('submitted_at' in given ? given.submitted_at : 'created_at' in given ? given.created_at : null) ??
      undefined,
    updatedAt: given.updated_at ?? undefined,
  };
  if ('parent_id' in given) return { ...item, inReplyToId: given.parent_id ?? null };
  if (!('path' in given)) return item;
  return {
    ...item,
    path: given.path,
    line: given.line ?? given.original_line ?? null,
    startLine: (given.line ? given.start_line : given.original_start_line) ?? null,
    diffHunk: given.diff_hunk ?? undefined,
    reviewId: given.pull_request_review_id ?? null,
    inReplyToId: given.in_reply_to_id ?? null,
  };
}

/** What changed, for the events that say so: label, assignee, former text, client payload, upstream actor, target. */
function readChange(name: string, { action, changes, ...payload }: Payload): Partial<GitHubEvent> {
  return {
    label: action === 'labeled' ? payload.label?.name : undefined,
    assignee: action === 'assigned' ? readActor(payload.assignee) : undefined,
    // a body that was empty before comes as null
    formerBody: action === 'edited' && changes?.body ? (changes.body.from ?? '') : undefined,
    formerTitle: action === 'edited' && changes?.title ? (changes.title.from ?? '') : undefined,
    clientPayload: name === 'repository_dispatch' ? (payload.client_payload ?? {}) : undefined,
    upstreamActor: payload.workflow_run && readActor(payload.workflow_run.actor),
    mergesInto: payload.merge_group?.base_ref.slice('refs/heads/'.length),
  };
}
