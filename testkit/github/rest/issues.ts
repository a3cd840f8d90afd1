/** REST: issues, their labels, assignees, events and timeline. */
import type { Subject } from '../model.ts';
import { renderComment, renderEvent, renderIssue } from '../render/issue.ts';
import { renderReview } from '../render/pull.ts';
import { renderLabel } from '../render/repository.ts';
import { renderUser } from '../render/user.ts';
import { changeSubject, createIssue, setAssignees, setLabels, visibleComments } from '../state/issues.ts';
import {
  actor,
  type Call,
  created,
  numberOf,
  ok,
  paginate,
  type Route,
  requiredText,
  since,
  textOf,
  textsOf,
} from './call.ts';
import { checkBodyLength, HttpProblem, invalid, notFound } from './problem.ts';

const issues = '/repos/{owner}/{repo}/issues';
const issue = `${issues}/{issue_number}`;

export const issueRoutes: Route[] = [
  { method: 'GET', path: issues, need: ['issues:read', 'pull_requests:read'], handle: list },
  { method: 'POST', path: issues, need: ['issues:write'], role: 'read', handle: create },
  {
    method: 'GET',
    path: issue,
    need: ['issues:read', 'pull_requests:read'],
    handle: (call) => ok(renderIssue(call.store, subjectOf(call))),
  },
  {
    method: 'PATCH',
    path: issue,
    need: ['issues:write', 'pull_requests:write'],
    role: 'triage',
    handle: update,
  },
  { method: 'GET', path: `${issue}/events`, need: ['issues:read', 'pull_requests:read'], handle: events },
  { method: 'GET', path: `${issue}/timeline`, need: ['issues:read', 'pull_requests:read'], handle: timeline },
  { method: 'GET', path: `${issue}/labels`, need: ['issues:read', 'pull_requests:read'], handle: labels },
  {
    method: 'POST',
    path: `${issue}/labels`,
    need: ['issues:write', 'pull_requests:write'],
    role: 'triage',
    handle: (call) => label(call, [...namesOf(subjectOf(call)), ...(textsOf(call, 'labels') ?? [])]),
  },
  {
    method: 'PUT',
    path: `${issue}/labels`,
    need: ['issues:write', 'pull_requests:write'],
    role: 'triage',
    handle: (call) => label(call, textsOf(call, 'labels') ?? []),
  },
  {
    method: 'DELETE',
    path: `${issue}/labels`,
    need: ['issues:write', 'pull_requests:write'],
    role: 'triage',
    handle: (call) => ({ ...label(call, []), status: 204, body: undefined }),
  },
  {
    method: 'DELETE',
    path: `${issue}/labels/{name}`,
    need: ['issues:write', 'pull_requests:write'],
    role: 'triage',
    handle: unlabel,
  },
  {
    method: 'POST',
    path: `${issue}/assignees`,
    need: ['issues:write', 'pull_requests:write'],
    handle: assign,
  },
];

/** The issue or pull request of that number. @throws HttpProblem 404 */
export function subjectOf(call: Call, name = 'issue_number'): Subject {
  const subject = call.repository.subjects.get(numberOf(call, name));
  if (!subject) throw notFound();
  return subject;
}

function list(call: Call) {
  const { query, store } = call;
  const state = query.get('state') ?? 'open';
  const wanted =
    query
      .get('labels')
      ?.split(',')
      .map((name) => name.toLowerCase()) ?? [];
  const found = store
    .subjects(call.repository)
    .filter(
      (subject) =>
        (state === 'all' || subject.state === state) &&
        wanted.every((name) => namesOf(subject).some((own) => own.toLowerCase() === name)) &&
        (!query.get('creator') || subject.author?.login === query.get('creator')) &&
        (!query.get('assignee') || subject.assignees.some((user) => user.login === query.get('assignee'))),
    );
  const sorted = query.get('direction') === 'asc' ? found : found.reverse();
  return paginate(call, since(call, sorted), (subject) => renderIssue(store, subject));
}

function create(call: Call) {
  const title = requiredText(call, 'title');
  const body = textOf(call, 'body');
  checkBodyLength('Issue', body);
  if (title.length > 256)
    throw invalid('Issue', 'title', 'custom', 'title is too long (maximum is 256 characters)');
  const author = actor(call).login;
  const [labels, assignees] = [textsOf(call, 'labels'), textsOf(call, 'assignees')];
  return created(
    renderIssue(
      call.store,
      createIssue(call.store, call.repository, { title, body, author, labels, assignees }),
    ),
  );
}

function update(call: Call) {
  const subject = subjectOf(call);
  const state = textOf(call, 'state');
  if (state !== undefined && state !== 'open' && state !== 'closed')
    throw invalid('Issue', 'state', 'invalid');
  checkBodyLength('Issue', call.body.body);
  const change = {
    title: textOf(call, 'title'),
    body: call.body.body === null ? '' : textOf(call, 'body'),
    state: state as 'open' | 'closed' | undefined,
    stateReason: textOf(call, 'state_reason') as 'completed' | undefined,
    labels: textsOf(call, 'labels'),
    assignees: textsOf(call, 'assignees'),
  };
  changeSubject(call.store, subject, change, actor(call));
  return ok(renderIssue(call.store, subject));
}

function events(call: Call) {
  const subject = subjectOf(call);
  return paginate(call, subject.events, (event) => renderEvent(call.store, subject, event));
}

function timeline(call: Call) {
  const { store } = call;
  const subject = subjectOf(call);
  const entries = [
    ...subject.events.map((event) => ({
      at: event.createdAt,
      show: () => renderEvent(store, subject, event),
    })),
    ...visibleComments(subject).map((comment) => ({
      at: comment.createdAt,
      show: () => {
        const shown = renderComment(store, comment);
        return { ...shown, event: 'commented', actor: shown.user };
      },
    })),
    ...(subject.kind === 'pull' ? subject.reviews : []).map((review) => ({
      at: review.submittedAt ?? review.createdAt,
      show: () => ({ ...renderReview(store, review), event: 'reviewed', state: review.state.toLowerCase() }),
    })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return paginate(call, entries, (entry) => entry.show());
}

function labels(call: Call) {
  return paginate(call, subjectOf(call).labels, (each) => renderLabel(call.store, each));
}

function label(call: Call, names: string[]) {
  const subject = subjectOf(call);
  setLabels(call.store, subject, names, actor(call));
  return ok(subject.labels.map((each) => renderLabel(call.store, each)));
}

function unlabel(call: Call) {
  const names = namesOf(subjectOf(call));
  const rest = names.filter((name) => name.toLowerCase() !== call.params.name!.toLowerCase());
  if (rest.length === names.length) throw new HttpProblem(404, 'Label does not exist');
  return label(call, rest);
}

function assign(call: Call) {
  const subject = subjectOf(call);
  const logins = [...subject.assignees.map((user) => user.login), ...(textsOf(call, 'assignees') ?? [])];
  setAssignees(call.store, subject, logins, actor(call));
  return created({
    ...renderIssue(call.store, subject),
    assignees: subject.assignees.map((user) => renderUser(call.store, user)),
  });
}

function namesOf(subject: Subject): string[] {
  return subject.labels.map((each) => each.name);
}
