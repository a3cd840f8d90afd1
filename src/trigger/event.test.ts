import webhooks from '@octokit/webhooks-examples';
import { describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { parseEvent } from './event.ts';
import { type LoosePayload, payloadOf, storedEvent } from './given.fixture.ts';

const examples = webhooks as unknown as { name: string; examples: Record<string, unknown>[] }[];

test.each(examples.map(({ name, examples }) => [name, examples] as const))(
  'every known payload of %s is read',
  (name, payloads) => {
    for (const payload of payloads) {
      const event = parseEvent({ name, payload, deliveryId: 'd', fallback: { repository: 'a/b' } });
      expect(event).toMatchObject({ name, deliveryId: 'd', payload });
      expect(event.repository.owner).not.toBe('');
    }
  },
);

test('issues.opened', () => {
  const { payload, ...event } = storedEvent('issues.opened');
  expect(payload.action).toBe('opened');
  expect(event).toEqual({
    name: 'issues',
    action: 'opened',
    deliveryId: null,
    repository: { owner: 'Codertocat', name: 'Hello-World', defaultBranch: 'master', private: false },
    sender: { login: 'Codertocat', id: 21031067, type: 'User' },
    subject: {
      kind: 'issue',
      number: 1,
      nodeId: 'MDU6SXNzdWU0NDQ1MDAwNDE=',
      title: 'Spelling error in the README file',
      body: "It looks like you accidently spelled 'commit' with two 't's.",
      author: { login: 'Codertocat', id: 21031067, type: 'User' },
      authorAssociation: 'OWNER',
      state: 'open',
      labels: ['bug'],
      htmlUrl: 'https://github.com/Codertocat/Hello-World/issues/1',
      createdAt: '2019-05-15T15:20:18Z',
      updatedAt: '2019-05-15T15:20:18Z',
    },
    item: {
      kind: 'issue',
      id: 444500041,
      nodeId: 'MDU6SXNzdWU0NDQ1MDAwNDE=',
      author: { login: 'Codertocat', id: 21031067, type: 'User' },
      authorAssociation: 'OWNER',
      body: "It looks like you accidently spelled 'commit' with two 't's.",
      htmlUrl: 'https://github.com/Codertocat/Hello-World/issues/1',
      createdAt: '2019-05-15T15:20:18Z',
      updatedAt: '2019-05-15T15:20:18Z',
    },
  });
});

test('a comment on a pull request is about a pull request, whose branches the payload does not name', () => {
  const { subject, item } = storedEvent('issue_comment.created.pull_request');
  expect(subject).toMatchObject({ kind: 'pull_request', number: 1 });
  expect([subject!.head, subject!.base]).toEqual([undefined, undefined]);
  expect(item).toMatchObject({ kind: 'issue_comment', id: 492700400, createdAt: '2019-05-15T15:20:21Z' });
});

test('a pull request brings its branches; a deleted fork has no repository', () => {
  const event = storedEvent('pull_request.opened');
  expect(event.subject!.head).toEqual({
    ref: 'changes',
    sha: expect.any(String),
    repository: 'Codertocat/Hello-World',
  });
  expect(event.subject!.base).toEqual({ ref: 'master', sha: expect.any(String) });
  const orphan = storedEvent('pull_request.opened', (payload) => {
    payload.pull_request.head.repo = null;
  });
  expect(orphan.subject!.head!.repository).toBeNull();
});

test('a review comment brings its place in the diff', () => {
  expect(storedEvent('pull_request_review_comment.created').item).toMatchObject({
    kind: 'review_comment',
    path: 'README.md',
    line: null,
    diffHunk: '@@ -1 +1 @@\n-# Hello-World',
    reviewId: 237895671,
    inReplyToId: null,
  });
});

test.each<[string, Record<string, number | null>, number | null, number | null]>([
  ['several lines', { start_line: 3, line: 7 }, 3, 7],
  ['one line', { start_line: null, line: 7 }, null, 7],
  [
    'lines that the newest commit knows no more',
    { start_line: null, line: null, original_start_line: 2, original_line: 5 },
    2,
    5,
  ],
])('a review comment on %s', (_, lines, startLine, line) => {
  const event = storedEvent('pull_request_review_comment.created', ({ comment }) => {
    Object.assign(comment, lines);
  });
  expect(event.item).toMatchObject({ startLine, line });
});

test('a review without words has an empty body and its own moment', () => {
  const { item } = storedEvent('pull_request_review.submitted');
  expect(item).toMatchObject({ kind: 'review', body: '', createdAt: '2019-05-15T15:20:38Z' });
});

test('only the moves name what was moved', () => {
  expect(storedEvent('issues.labeled')).toMatchObject({ label: 'bug', item: null });
  expect(storedEvent('issues.assigned')).toMatchObject({ assignee: { login: 'Codertocat' }, item: null });
  expect(storedEvent('pull_request.synchronize')).toMatchObject({
    label: undefined,
    assignee: undefined,
    item: null,
  });
});

test.each([
  ['a comment', 'issue_comment.edited', "You are totally right! I'll get this fixed right away.", undefined],
  ['a body that was empty', 'pull_request_review_comment.edited', '', undefined],
  ['title and body', 'pull_request.edited', 'This is a simple change.', 'Update the README'],
  ['neither', 'issues.edited', undefined, undefined],
])('an edit of %s brings the former text', (_, file, formerBody, formerTitle) => {
  expect(storedEvent(file)).toMatchObject({ formerBody, formerTitle });
});

test('a former body of null is an empty one', () => {
  const event = storedEvent('issues.edited', (payload) => {
    payload.changes = { body: { from: null } };
  });
  expect(event.formerBody).toBe('');
});

test('a schedule takes repository and actor from the surroundings', () => {
  expect(storedEvent('schedule')).toMatchObject({
    repository: { owner: 'octo-org', name: 'octo-repo' },
    sender: { login: 'octocat' },
    subject: null,
    item: null,
  });
});

test('a dispatch brings its payload unchecked, and an event of another kind does not', () => {
  const withTask = storedEvent('repository_dispatch', (payload) => {
    payload.client_payload = { description: 5 };
  });
  expect(withTask.clientPayload).toEqual({ description: 5 });
  const empty = storedEvent('repository_dispatch', (payload) => {
    payload.client_payload = null;
  });
  expect(empty.clientPayload).toEqual({});
  expect(storedEvent('push').clientPayload).toBeUndefined();
});

test('workflow_run names who started the upstream run', () => {
  const event = storedEvent('workflow_run.completed', (payload) => {
    payload.workflow_run.actor = { login: 'outsider', id: 5, type: 'User' };
  });
  expect(event.upstreamActor).toEqual({ login: 'outsider', id: 5, type: 'User' });
});

describe('what was run on a commit', () => {
  const pull = (number: number, repository: number) => ({ number, base: { repo: { id: repository } } });
  const sha = '3484a3fb816e0859fd6e1cea078d76385ff50625';

  test('workflow_run: with the run, its branch, and the pull requests of this repository', () => {
    const { checked } = storedEvent('workflow_run.completed', (payload) => {
      Object.assign(payload.workflow_run, { name: 'CI', conclusion: 'timed_out' });
      payload.workflow_run.pull_requests = [pull(7, payload.repository.id), pull(1, 99)];
    });
    expect(checked).toEqual({
      ...{ sha, name: 'CI', result: 'timed_out', branch: 'master' },
      ...{ runId: 289782451, pullRequests: [7] },
    });
  });

  test('check_suite: by the program that checks', () => {
    const { checked } = storedEvent('check_suite.completed');
    expect(checked).toMatchObject({ name: 'octocoders-linter', result: 'success', runId: null });
  });

  const repository = { id: 1, full_name: 'octo-org/hello' };
  const told = (name: string, payload: object) =>
    parseEvent({ name, payload: { repository, ...payload }, deliveryId: null, fallback: {} }).checked;

  test('check_run: how far it is as long as nothing came of it', () => {
    const check = { id: 4, name: 'lint', head_sha: sha, status: 'queued', conclusion: null };
    const suite = { head_branch: 'fix' };
    expect(told('check_run', { check_run: { ...check, check_suite: suite } })).toEqual({
      ...{ sha, name: 'lint', result: 'queued', branch: 'fix' },
      ...{ runId: null, pullRequests: [] },
    });
  });

  test('status: by its context', () => {
    const status = { sha, state: 'error', context: 'ci/build', branches: [{ name: 'main' }] };
    expect(told('status', status)).toMatchObject({ sha, name: 'ci/build', result: 'error', branch: 'main' });
  });

  test('a hash that would lead elsewhere in an address is refused', () => {
    const status = { sha: '../../../user', state: 'error', context: 'x' };
    expect(() => told('status', status)).toThrow('`sha`: must be the hash of a commit');
  });

  test('other events are about no such commit', () => {
    expect(storedEvent('push').checked).toBeUndefined();
  });
});

test('a discussion is its own item when it was just written, and no issue', () => {
  const { discussion, item, subject } = storedEvent('discussion.created');
  expect(discussion).toEqual({
    number: 90,
    nodeId: 'MDEwOkRpc2N1c3Npb24zMjk3NDQy',
    title: 'Welcome to discussions!',
    body: "We're glad to have you here!",
    author: { login: 'Codertocat', id: 21031067, type: 'User' },
    createdAt: '2021-03-29T14:16:08Z',
    htmlUrl: 'https://github.com/octo-org/octo-repo/discussions/90',
  });
  expect(item).toMatchObject({ kind: 'discussion', author: { login: 'Codertocat' } });
  expect(subject).toBeNull();
  const labeled = storedEvent('discussion.created', (payload) => {
    payload.action = 'labeled';
  });
  expect(labeled).toMatchObject({ discussion: { number: 90 }, item: null });
});

test('a comment on a discussion knows whether it is a reply', () => {
  const { discussion, item } = storedEvent('discussion_comment.created');
  expect(discussion!.number).toBe(90);
  expect(item).toMatchObject({ kind: 'discussion_comment', id: 544078, inReplyToId: null });
  const reply = storedEvent('discussion_comment.created', (payload) => {
    payload.comment.parent_id = 5;
  });
  expect(reply.item!.inReplyToId).toBe(5);
});

test('a merge group names the branch that it goes into', () => {
  expect(storedEvent('merge_group.checks_requested').mergesInto).toBe('main');
});

test.each<[string, (payload: LoosePayload) => void, 'item' | 'subject']>([
  ['issue_comment.created', (payload: LoosePayload) => (payload.comment.user = null), 'item'],
  ['issues.opened', (payload: LoosePayload) => (payload.issue.user = null), 'subject'],
])('a deleted account in %s is the ghost', (file, change, member) => {
  const event = storedEvent(file, change);
  expect(event[member]!.author).toEqual({ login: 'ghost' });
});

test('a missing sender is the ghost, not anybody with rights', () => {
  const event = parseEvent({
    name: 'push',
    payload: { sender: null },
    deliveryId: null,
    fallback: { repository: 'a/b' },
  });
  expect(event.sender).toEqual({ login: 'ghost' });
});

test('a null body is empty', () => {
  const event = storedEvent('issues.opened', (payload) => {
    payload.issue.body = null;
  });
  expect([event.subject!.body, event.item!.body]).toEqual(['', '']);
});

test('binary garbage in a body stays as it is', () => {
  const garbage = `\0\u0001\ud800\uffff${String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))}`;
  const event = storedEvent('issue_comment.created', (payload) => {
    payload.comment.body = garbage;
  });
  expect(event.item!.body).toBe(garbage);
});

test('an event called like a member of Object is only an unknown one', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) {
    const event = parseEvent({ name, payload: {}, deliveryId: null, fallback: { repository: 'a/b' } });
    expect(event).toMatchObject({ name, subject: null, item: null });
  }
});

test.each<[string, string, (payload: LoosePayload) => void, string]>([
  ['a missing issue', 'issues.opened', (payload) => delete payload.issue, '`issue`'],
  ['a missing comment', 'issue_comment.created', (payload) => delete payload.comment, '`comment`'],
  ['a comment without id', 'issue_comment.created', (payload) => delete payload.comment.id, '`comment.id`'],
  [
    'a body that is no text',
    'issue_comment.created',
    (payload) => (payload.comment.body = {}),
    '`comment.body`',
  ],
  [
    'a number that is no number',
    'issues.opened',
    (payload) => (payload.issue.number = '1; rm'),
    '`issue.number`',
  ],
  ['a negative number', 'issues.opened', (payload) => (payload.issue.number = -1), '`issue.number`'],
  ['labels that are no list', 'issues.labeled', (payload) => (payload.issue.labels = {}), '`issue.labels`'],
  ['a state of its own', 'issues.opened', (payload) => (payload.issue.state = 'ajar'), '`issue.state`'],
  [
    'a moment that is none',
    'issues.opened',
    (payload) => (payload.issue.created_at = 'soon'),
    '`issue.created_at`',
  ],
  ['no head', 'pull_request.opened', (payload) => delete payload.pull_request.head, '`pull_request.head`'],
  ['a null review', 'pull_request_review.submitted', (payload) => (payload.review = null), '`review`'],
  ['a login that is no text', 'push', (payload) => (payload.sender.login = 1), '`sender.login`'],
  ['an action that is no text', 'push', (payload) => (payload.action = []), '`action`'],
  ['a missing discussion', 'discussion.created', (payload) => delete payload.discussion, '`discussion`'],
  [
    'a comment nobody can answer to',
    'discussion_comment.created',
    (payload) => delete payload.comment.node_id,
    '`comment.node_id`',
  ],
  [
    'a merge into no branch',
    'merge_group.checks_requested',
    (payload) => (payload.merge_group.base_ref = 'refs/tags/v1'),
    '`merge_group.base_ref`',
  ],
  [
    'a client payload that is a list',
    'repository_dispatch',
    (payload) => (payload.client_payload = []),
    '`client_payload`',
  ],
  [
    'a repository that climbs',
    'push',
    (payload) => (payload.repository.full_name = '../../etc'),
    '`repository.full_name`',
  ],
])('%s is refused by name', (_, file, change, field) => {
  const name = file.split('.')[0]!;
  const payload = payloadOf(file);
  change(payload);
  const parse = () => parseEvent({ name, payload, deliveryId: null, fallback: {} });
  expect(parse).toThrow(AppError);
  try {
    parse();
  } catch (error) {
    const { reason, message, remedy } = error as AppError;
    expect(reason).toBe('invalid_input');
    expect(message).toContain(`event \`${name}\``);
    expect(message).toContain(field);
    expect(remedy).toContain('GITHUB_EVENT_PATH');
  }
});

test.each([null, undefined, 5, 'text', [], true])('a payload of %j is refused', (payload) => {
  expect(() => parseEvent({ name: 'issues', payload, deliveryId: null, fallback: {} })).toThrow(
    /`issues`.*JSON object/,
  );
});

test.each([undefined, 'nonsense', 'a/b/c', '', '../x', 'x/..', 'a b/c', 'a/b?c'])(
  'no repository, and a fallback of %j, is refused',
  (repository) => {
    const parse = () =>
      parseEvent({ name: 'schedule', payload: {}, deliveryId: null, fallback: { repository } });
    expect(parse).toThrow(/`schedule`.*`repository`/);
  },
);
