/** GraphQL: issues, comments, and what issues and pull requests share. */
import type { Comment, Issue, IssueEvent, Label, PullRequest, Repository, Subject } from '../../model.ts';
import { commentPage, subjectPage } from '../../render/issue.ts';
import { visibleComments } from '../../state/issues.ts';
import { connection, type PageArguments } from '../connection.ts';
import { actorView, userView } from './actor.ts';
import type { Request, View } from './view.ts';
import { reactionFields, writtenFields } from './written.ts';

export function issueView(request: Request, issue: Issue): View {
  return {
    __typename: 'Issue',
    ...subjectFields(request, issue),
    state: issue.state.toUpperCase(),
    stateReason: issue.stateReason?.toUpperCase() ?? null,
    closedByPullRequestsReferences: connection(
      () => pullsClosing(issue),
      (pull: PullRequest) => request.show(pull),
    ),
  };
}

type Ordered = PageArguments & { orderBy?: { field: string; direction: string } | null };

/** Fields of issues and pull requests alike. */
export function subjectFields(request: Request, subject: Subject): Record<string, unknown> {
  const url = subjectPage(request.store, subject);
  const people = () => {
    const all = [subject.author, ...visibleComments(subject).map((comment) => comment.author)];
    return [...new Set(all.filter((user) => user !== null))];
  };
  return {
    ...writtenFields(request, subject),
    ...reactionFields(request, subject),
    number: subject.number,
    title: subject.title,
    titleHTML: subject.title,
    closed: subject.state === 'closed',
    closedAt: subject.closedAt,
    locked: subject.locked,
    activeLockReason: null,
    url,
    resourcePath: new URL(url).pathname,
    repository: () => request.show(subject.repository),
    labels: connection(
      () => subject.labels,
      (label) => labelView(request, label),
    ),
    assignees: connection(
      () => subject.assignees,
      (user) => userView(request, user),
    ),
    milestone: subject.milestone && {
      __typename: 'Milestone',
      id: subject.milestone.nodeId,
      number: subject.milestone.number,
      title: subject.milestone.title,
      description: null,
      state: 'OPEN',
      dueOn: null,
    },
    comments: connection(
      (args: Ordered) => ordered(visibleComments(subject), args),
      (comment: Comment) => commentView(request, comment),
    ),
    participants: connection(people, (user) => userView(request, user)),
    timelineItems: connection(
      (args: PageArguments & { itemTypes?: string[] | null }) =>
        subject.events.filter((event) => !args.itemTypes || args.itemTypes.includes(itemTypeOf(event))),
      (event) => eventView(request, event),
    ),
  };
}

export function commentView(request: Request, comment: Comment): View {
  const url = commentPage(request.store, comment);
  const { subject } = comment;
  return {
    __typename: 'IssueComment',
    ...writtenFields(request, comment),
    ...reactionFields(request, comment),
    url,
    resourcePath: url.slice(request.store.site.serverUrl.length),
    repository: () => request.show(subject.repository),
    issue: () => (subject.kind === 'issue' ? issueView(request, subject) : null),
    pullRequest: () => (subject.kind === 'pull' ? request.show(subject) : null),
  };
}

export function labelView(request: Request, label: Label): View {
  return {
    __typename: 'Label',
    id: label.nodeId,
    name: label.name,
    color: label.color,
    description: label.description,
    isDefault: false,
    repository: () => request.show(label.repository),
  };
}

/** As `timelineItems` filters by it. */
function itemTypeOf({ event }: IssueEvent): string {
  return event === 'renamed' ? 'RENAMED_TITLE_EVENT' : `${event.toUpperCase()}_EVENT`;
}

function eventView(request: Request, event: IssueEvent): View {
  const name = event.event[0]!.toUpperCase() + event.event.slice(1);
  return {
    __typename: event.event === 'renamed' ? 'RenamedTitleEvent' : `${name}Event`,
    id: event.nodeId,
    createdAt: event.createdAt,
    actor: () => actorView(request, event.actor),
    label: () => event.label && labelView(request, event.label),
    assignee: () => event.assignee && actorView(request, event.assignee),
    previousTitle: event.rename?.from,
    currentTitle: event.rename?.to,
  };
}

/** Issues of the same repository that a text promises to close (`Fixes #12`). */
export function closedBy(repository: Repository, body: string): Issue[] {
  const keyword = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)/gi;
  const numbers = new Set([...body.matchAll(keyword)].map((match) => Number(match[1])));
  return [...numbers].flatMap((number) => {
    const found = repository.subjects.get(number);
    return found?.kind === 'issue' ? [found] : [];
  });
}

function pullsClosing(issue: Issue): PullRequest[] {
  return [...issue.repository.subjects.values()].filter(
    (subject): subject is PullRequest =>
      subject.kind === 'pull' && closedBy(issue.repository, subject.body).includes(issue),
  );
}

function ordered(comments: Comment[], args: Ordered): Comment[] {
  if (!args.orderBy) return comments;
  const sign = args.orderBy.direction === 'DESC' ? -1 : 1;
  return comments.toSorted((a, b) => sign * (Date.parse(a.updatedAt) - Date.parse(b.updatedAt)));
}
