/** Issues and what issues and pull requests share: comments, labels, assignees, closing. */
import type { Comment, Issue, IssueEvent, Milestone, Repository, Subject, User } from '../model.ts';
import { now, type Store, timeOf } from '../store.ts';
import { ensureLabel } from './repositories.ts';
import { edit, type Writing, written } from './written.ts';

export interface NewIssue extends Writing {
  title: string;
  labels?: string[];
  /** Logins. */
  assignees?: string[];
  milestone?: string;
  /** The next free number when absent. */
  number?: number;
  state?: 'open' | 'closed';
}

export function createIssue(store: Store, repository: Repository, options: NewIssue): Issue {
  const issue = store.identify(
    'I',
    (id, nodeId): Issue => ({
      kind: 'issue',
      id,
      nodeId,
      ...newSubject(store, repository, options),
      stateReason: null,
    }),
  );
  return enlist(issue);
}

/** The fields that a new issue and a new pull request have alike. */
export function newSubject(store: Store, repository: Repository, options: NewIssue) {
  const state = options.state ?? 'open';
  return {
    ...written(store, repository, options),
    repository,
    number: options.number ?? nextNumber(repository),
    title: options.title,
    state,
    locked: false,
    labels: (options.labels ?? []).map((name) => ensureLabel(store, repository, name)),
    assignees: (options.assignees ?? []).map((login) => store.user(login)),
    milestone: options.milestone ? ensureMilestone(store, repository, options.milestone) : null,
    comments: [],
    events: [],
    closedAt: state === 'closed' ? now() : null,
    closedBy: null,
  };
}

/** Issues, pull requests and discussions share their numbers. */
export function nextNumber({ subjects, discussions }: Repository): number {
  return Math.max(0, ...subjects.keys(), ...discussions.keys()) + 1;
}

/** Makes a new subject findable by its number. */
export function enlist<T extends Subject>(subject: T): T {
  if (subject.repository.subjects.has(subject.number)) {
    throw new Error(`The local GitHub already has #${subject.number}.`);
  }
  subject.repository.subjects.set(subject.number, subject);
  return subject;
}

export function createComment(store: Store, subject: Subject, writing: Writing): Comment {
  const comment = store.identify(
    'IC',
    (id, nodeId): Comment => ({
      kind: 'comment',
      id,
      nodeId,
      ...written(store, subject.repository, writing),
      subject,
    }),
  );
  subject.comments.push(comment);
  touch(subject, comment.createdAt);
  return comment;
}

/** Comments that are still there, oldest first. */
export function visibleComments(subject: Subject): Comment[] {
  return subject.comments.filter((comment) => !comment.deleted);
}

export function setLabels(
  store: Store,
  subject: Subject,
  names: string[],
  actor: User,
  at?: Date | string,
): void {
  const wanted = names.map((name) => ensureLabel(store, subject.repository, name));
  for (const label of wanted.filter((label) => !subject.labels.includes(label))) {
    record(store, subject, { event: 'labeled', actor, label }, at);
  }
  for (const label of subject.labels.filter((label) => !wanted.includes(label))) {
    record(store, subject, { event: 'unlabeled', actor, label }, at);
  }
  subject.labels = [...new Set(wanted)];
}

export function setAssignees(
  store: Store,
  subject: Subject,
  logins: string[],
  actor: User,
  at?: Date | string,
): void {
  const wanted = logins.map((login) => store.user(login));
  for (const assignee of wanted.filter((user) => !subject.assignees.includes(user))) {
    record(store, subject, { event: 'assigned', actor, assignee }, at);
  }
  for (const assignee of subject.assignees.filter((user) => !wanted.includes(user))) {
    record(store, subject, { event: 'unassigned', actor, assignee }, at);
  }
  subject.assignees = [...new Set(wanted)];
}

export interface SubjectChange {
  title?: string;
  body?: string;
  state?: 'open' | 'closed';
  stateReason?: Issue['stateReason'];
  labels?: string[];
  assignees?: string[];
  milestone?: string | null;
}

/** Changes what is named and records the events that GitHub would. */
export function changeSubject(store: Store, subject: Subject, change: SubjectChange, actor: User): void {
  if (change.title !== undefined && change.title !== subject.title) {
    record(store, subject, { event: 'renamed', actor, rename: { from: subject.title, to: change.title } });
    subject.title = change.title;
  }
  if (change.body !== undefined && change.body !== subject.body) edit(subject, change.body, actor.login);
  if (change.labels) setLabels(store, subject, change.labels, actor);
  if (change.assignees) setAssignees(store, subject, change.assignees, actor);
  if (change.milestone !== undefined) {
    subject.milestone = change.milestone
      ? ensureMilestone(store, subject.repository, change.milestone)
      : null;
  }
  if (change.state && change.state !== subject.state) setState(store, subject, change.state, actor);
  if (change.stateReason !== undefined && subject.kind === 'issue') subject.stateReason = change.stateReason;
  touch(subject, now());
}

function setState(store: Store, subject: Subject, state: 'open' | 'closed', actor: User): void {
  subject.state = state;
  subject.closedAt = state === 'closed' ? now() : null;
  subject.closedBy = state === 'closed' ? actor : null;
  if (subject.kind === 'issue') subject.stateReason = state === 'closed' ? 'completed' : 'reopened';
  record(store, subject, { event: state === 'closed' ? 'closed' : 'reopened', actor });
}

/** Adds to the list behind `/issues/{n}/events`. */
export function record(
  store: Store,
  subject: Subject,
  event: Omit<IssueEvent, 'id' | 'nodeId' | 'createdAt'>,
  at?: Date | string,
): void {
  const id = store.nextId();
  const createdAt = at ? timeOf(at) : now();
  subject.events.push({ id, nodeId: `EVENT_${id}`, createdAt, ...event });
  touch(subject, createdAt);
}

function ensureMilestone(store: Store, repository: Repository, title: string): Milestone {
  const known = repository.milestones.find((milestone) => milestone.title === title);
  if (known) return known;
  const number = repository.milestones.length + 1;
  const milestone = store.identify(
    'MI',
    (id, nodeId): Milestone => ({
      kind: 'milestone',
      id,
      nodeId,
      number,
      title,
      creator: repository.owner,
      createdAt: now(),
      repository,
    }),
  );
  repository.milestones.push(milestone);
  return milestone;
}

function touch(subject: Subject, at: string): void {
  if (at > subject.updatedAt) subject.updatedAt = at;
}
