/** Every REST route that GitHub's description has is answered as it is described. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CreatedApp } from '../credentials.ts';
import { type LocalGitHub, startGitHub } from '../main.ts';
import type { PullRequest, ReviewComment } from '../model.ts';
import { restClient } from '../test-client.ts';
import { describedRoutes } from './conformance.ts';
import { recording, seed, signIn } from './test-sample.ts';

let github: LocalGitHub;
let pull: PullRequest;
let comment: ReviewComment;
let app: CreatedApp;
let owner: ReturnType<typeof restClient>;
let asApp: ReturnType<typeof restClient>;
const called = new Set<string>();

const base = '/repos/o/r';

beforeAll(async () => {
  github = await startGitHub();
  ({ pull, comment } = await seed(github));
  app = await github.createApp({ slug: 'helper' });
  github.installApp(app, 'o');
  const jwt = await signIn(app);
  owner = recording(called, restClient(github, github.token({ login: 'o' })));
  asApp = recording(called, restClient(github, jwt, 'bearer'));
});
afterAll(() => github.close());

test('what is read', async () => {
  const run = github.repository('o/r').record.runs[0]!;
  const { sha } = pull.head;
  const paths = [
    [
      '/user',
      '/users/ann',
      '/rate_limit',
      base,
      `${base}/branches`,
      `${base}/branches/feature`,
      `${base}/labels`,
    ],
    [
      `${base}/collaborators/ann/permission`,
      `${base}/contents/docs/b%20c.md`,
      `${base}/contents/docs`,
      `${base}/contents/logo.png`,
    ],
    [
      `${base}/commits/feature`,
      `${base}/compare/main...feature`,
      `${base}/git/ref/heads/feature`,
      `${base}/git/commits/${sha}`,
    ],
    [
      `${base}/git/trees/feature?recursive=1`,
      `${base}/git/trees/${sha}`,
      `${base}/commits/${sha}/check-runs`,
    ],
    [
      `${base}/commits/feature/status`,
      `${base}/commits/feature/statuses`,
      `${base}/issues?state=all`,
      `${base}/issues/1`,
    ],
    [
      `${base}/issues/2`,
      `${base}/issues/1/events`,
      `${base}/issues/1/timeline`,
      `${base}/issues/2/timeline`,
      `${base}/issues/1/labels`,
    ],
    [
      `${base}/issues/1/comments`,
      `${base}/issues/comments`,
      `${base}/issues/1/reactions`,
      `${base}/pulls`,
      `${base}/pulls/2`,
    ],
    [
      `${base}/pulls/2/files`,
      `${base}/pulls/2/commits`,
      `${base}/pulls/2/reviews`,
      `${base}/pulls/2/comments`,
    ],
    [`${base}/pulls/2/reviews/${comment.review.id}`, `${base}/pulls/2/reviews/${comment.review.id}/comments`],
    [
      `${base}/pulls/comments/${comment.id}`,
      `${base}/pulls/comments/${comment.id}/reactions`,
      `${base}/actions/runs`,
    ],
    [
      `${base}/actions/runs/${run.id}`,
      `${base}/actions/runs/${run.id}/jobs`,
      `${base}/actions/jobs/${run.jobs[0]!.id}`,
    ],
    [`${base}/hooks`, `${base}/issues/comments/${github.repository('o/r').issue(1).comments[0]!.id}`],
  ].flat();
  for (const path of paths) expect([path, (await owner('GET', path)).status]).toEqual([path, 200]);
  const log = await owner('GET', `${base}/actions/jobs/${run.jobs[0]!.id}/logs`);
  expect(log.status).toBe(302);
  const signed = log.headers.get('location')!;
  expect((await owner('GET', signed)).status).toBe(400);
  expect((await restClient(github)('GET', signed)).body).toBe('line 1\nline 2\n');
  const files = (await owner('GET', `${base}/pulls/2/files`)).body;
  expect(files.map((file: { status: string }) => file.status)).toEqual(['modified', 'renamed']);
  const blob = await owner('GET', `${base}/git/blobs/${files[0].sha}`);
  expect(Buffer.from(blob.body.content, 'base64').toString()).toBe('one\n2\n');
});

test('what is written to issues and pull requests', async () => {
  const made = await owner('POST', `${base}/issues`, { title: 'Two', body: 'x', labels: ['new'] });
  const { number } = made.body;
  const issue = `${base}/issues/${number}`;
  expect((await owner('PATCH', issue, { state: 'closed', title: 'Three', labels: [] })).body).toMatchObject({
    state: 'closed',
    title: 'Three',
    labels: [],
  });
  await owner('POST', `${issue}/labels`, { labels: ['a', 'b'] });
  await owner('DELETE', `${issue}/labels/a`);
  expect((await owner('PUT', `${issue}/labels`, { labels: ['c'] })).body).toMatchObject([{ name: 'c' }]);
  await owner('DELETE', `${issue}/labels`);
  await owner('POST', `${issue}/assignees`, { assignees: ['ann'] });
  const said = await owner('POST', `${issue}/comments`, { body: 'said' });
  await owner('PATCH', `${base}/issues/comments/${said.body.id}`, { body: 'said better' });
  for (const subject of [
    issue,
    `${base}/issues/comments/${said.body.id}`,
    `${base}/pulls/comments/${comment.id}`,
  ]) {
    const reaction = await owner('POST', `${subject}/reactions`, { content: 'eyes' });
    expect([
      reaction.status,
      (await owner('POST', `${subject}/reactions`, { content: 'eyes' })).status,
    ]).toEqual([201, 200]);
    expect((await owner('GET', `${subject}/reactions`)).body).toHaveLength(1);
    expect((await owner('DELETE', `${subject}/reactions/${reaction.body.id}`)).status).toBe(204);
  }
  expect((await owner('DELETE', `${base}/issues/comments/${said.body.id}`)).status).toBe(204);
  expect(
    (await owner('PATCH', `${base}/pulls/2`, { title: 'Pulled', maintainer_can_modify: false })).body.title,
  ).toBe('Pulled');
  await owner('POST', `${base}/pulls/2/requested_reviewers`, { reviewers: ['ann'] });
});

test('reviews: a draft, its comments, replies', async () => {
  const ann = recording(called, restClient(github, github.token({ login: 'ann' })));
  const reviews = `${base}/pulls/2/reviews`;
  const comments = [{ path: 'a.txt', line: 2, body: 'here' }];
  const draft = await ann('POST', reviews, { body: 'draft', comments });
  expect(draft.body.state).toBe('PENDING');
  expect((await owner('GET', `${reviews}/${draft.body.id}`)).status).toBe(404);
  await ann('PUT', `${reviews}/${draft.body.id}`, { body: 'draft 2' });
  expect((await ann('POST', `${reviews}/${draft.body.id}/events`, { event: 'COMMENT' })).body.state).toBe(
    'COMMENTED',
  );
  const second = await ann('POST', reviews, { body: 'again' });
  expect((await ann('DELETE', `${reviews}/${second.body.id}`)).status).toBe(200);
  await owner('PUT', `${reviews}/${draft.body.id}/dismissals`, { message: 'old' });
  const place = { path: 'a.txt', commit_id: pull.head.sha };
  const inline = await ann('POST', `${base}/pulls/2/comments`, {
    ...place,
    body: 'inline',
    line: 1,
    side: 'RIGHT',
  });
  expect(inline.body).toMatchObject({ line: 1, diff_hunk: '@@ -1,2 +1,2 @@\n one' });
  expect(
    (await ann('POST', `${base}/pulls/2/comments`, { ...place, body: 'nowhere', line: 99 })).status,
  ).toBe(422);
  const reply = await owner('POST', `${base}/pulls/2/comments/${inline.body.id}/replies`, { body: 'reply' });
  expect(reply.body.in_reply_to_id).toBe(inline.body.id);
  await owner('PATCH', `${base}/pulls/comments/${reply.body.id}`, { body: 'better reply' });
  expect((await owner('DELETE', `${base}/pulls/comments/${reply.body.id}`)).status).toBe(204);
  expect((await owner('POST', reviews, { event: 'APPROVE' })).body.errors[0]).toMatch(/own pull request/);
});

test('a commit made of blobs and trees becomes a branch and a pull request', async () => {
  const head = (await owner('GET', `${base}/git/ref/heads/main`)).body.object.sha;
  const blob = await owner('POST', `${base}/git/blobs`, {
    content: Buffer.from('blob\n').toString('base64'),
    encoding: 'base64',
  });
  const entries = [
    { path: 'deep/er/blob.txt', mode: '100644', type: 'blob', sha: blob.body.sha },
    { path: 'run.sh', mode: '100755', type: 'blob', content: '#!/bin/sh\n' },
    { path: 'old.txt', mode: '100644', type: 'blob', sha: null },
  ];
  const tree = await owner('POST', `${base}/git/trees`, { base_tree: head, tree: entries });
  const commit = await owner('POST', `${base}/git/commits`, {
    message: 'Deep',
    tree: tree.body.sha,
    parents: [head],
  });
  await owner('POST', `${base}/git/refs`, { ref: 'refs/heads/claude/deep', sha: commit.body.sha });
  expect(await github.repository('o/r').files('claude/deep')).toEqual([
    'a.txt',
    'deep/er/blob.txt',
    'docs/b c.md',
    'logo.png',
    'run.sh',
  ]);
  const opened = await owner('POST', `${base}/pulls`, {
    title: 'Deep',
    head: 'claude/deep',
    base: 'main',
    draft: true,
  });
  expect(opened.body).toMatchObject({ draft: true, commits: 1, changed_files: 3 });
  expect(
    (await owner('POST', `${base}/pulls`, { title: 'Deep', head: 'claude/deep', base: 'main' })).body
      .errors[0].message,
  ).toBe('A pull request already exists for o:claude/deep.');
  expect((await owner('PATCH', `${base}/git/refs/heads/claude/deep`, { sha: pull.head.sha })).status).toBe(
    422,
  );
  await owner('PATCH', `${base}/git/refs/heads/claude/deep`, { sha: pull.head.sha, force: true });
  expect((await owner('DELETE', `${base}/git/refs/heads/claude/deep`)).status).toBe(204);
});

test('files through the contents API', async () => {
  const path = `${base}/contents/notes/n%C3%B6te.txt`;
  const content = Buffer.from('first\n').toString('base64');
  const made = await owner('PUT', path, { message: 'Add note', content });
  expect(made.status).toBe(201);
  expect((await owner('PUT', path, { message: 'Again', content })).status).toBe(422);
  const changed = await owner('PUT', path, { message: 'Again', content, sha: made.body.content.sha });
  expect(changed.status).toBe(200);
  expect((await owner('DELETE', path, { message: 'Gone', sha: changed.body.content.sha })).status).toBe(200);
  expect((await owner('GET', path)).status).toBe(404);
});

test('an App signs in, mints a narrowed token, and lists deliveries', async () => {
  expect((await asApp('GET', '/app')).body.slug).toBe('helper');
  const installed = await asApp('GET', `${base}/installation`);
  expect((await asApp('GET', '/app/installations')).body).toHaveLength(1);
  const minted = await asApp('POST', `/app/installations/${installed.body.id}/access_tokens`, {
    repositories: ['r'],
    permissions: { issues: 'read' },
  });
  expect(minted.body).toMatchObject({ permissions: { issues: 'read' }, repository_selection: 'selected' });
  const narrow = recording(called, restClient(github, minted.body.token));
  expect((await narrow('GET', '/installation/repositories')).body).toMatchObject({ total_count: 1 });
  expect((await narrow('POST', `${base}/issues/1/comments`, { body: 'no' })).body.message).toBe(
    'Resource not accessible by integration',
  );
  expect((await narrow('DELETE', '/installation/token')).status).toBe(204);
  expect((await narrow('GET', base)).body.message).toBe('Bad credentials');
  const ping = await github.event.ping('o/r');
  await github.deliver('http://127.0.0.1:9/closed', 's', ping, { app: app.app });
  const [delivery] = (await asApp('GET', '/app/hook/deliveries')).body;
  expect(delivery).toMatchObject({ status_code: 0, event: 'ping' });
  await asApp('GET', `/app/hook/deliveries/${delivery.id}`);
  expect((await asApp('POST', `/app/hook/deliveries/${delivery.id}/attempts`)).status).toBe(202);
});

test('hooks, dispatches, and the repository itself', async () => {
  const hook = await owner('POST', `${base}/hooks`, {
    config: { url: 'http://127.0.0.1:9/', secret: 's' },
    events: ['push'],
  });
  const record = github.repository('o/r').record.hooks[0]!;
  const { id } = await github.deliver(record.url, 's', await github.event.push('o/r'), { hook: record });
  const deliveries = `${base}/hooks/${hook.body.id}/deliveries`;
  expect((await owner('GET', deliveries)).body).toMatchObject([{ id, event: 'push' }]);
  await owner('GET', `${deliveries}/${id}`);
  await owner('POST', `${deliveries}/${id}/attempts`);
  const heard: string[] = [];
  github.onDispatch((dispatch) => heard.push(dispatch.eventType));
  expect(
    (await owner('POST', `${base}/dispatches`, { event_type: 'work', client_payload: { a: 1 } })).status,
  ).toBe(204);
  expect(heard).toEqual(['work']);
  await owner('POST', `${base}/statuses/${pull.head.sha}`, { state: 'pending', context: 'ci' });
  await owner('PATCH', base, { description: 'A repository' });
  await owner('PATCH', '/user', { name: 'The Owner' });
  const run = github.createWorkflowRun('o/r', { name: 'Gone', headBranch: 'main', headSha: pull.head.sha });
  await owner('DELETE', `${base}/actions/runs/${run.id}`);
  await owner('PUT', `${base}/pulls/2/merge`);
  expect(pull.mergedAt).not.toBeNull();
  await github.createRepository({ owner: 'o', name: 'gone' });
  expect((await owner('DELETE', '/repos/o/gone')).status).toBe(204);
});

test('a dispatch holds ten members and 64 KB at most', async () => {
  const dispatch = (client_payload: object) =>
    owner('POST', `${base}/dispatches`, { event_type: 'work', client_payload });
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`member_${index}`, index]));
  const refused = await dispatch(many);
  expect(refused.status).toBe(422);
  expect(refused.body.message).toContain('No more than 10 properties are allowed; 12 were supplied.');
  expect((await dispatch({ a: 'x'.repeat(70_000) })).body.message).toBe('client_payload is too large.');
});

test('runs of one event are found by the name that their workflow gave them', async () => {
  const { head } = pull;
  const run = github.createWorkflowRun('o/r', {
    name: 'Claude',
    displayTitle: 'Claude: req-1',
    event: 'repository_dispatch',
    headBranch: 'main',
    headSha: head.sha,
    status: 'queued',
    conclusion: null,
  });
  const runs = `${base}/actions/runs?event=repository_dispatch`;
  expect((await owner('GET', runs)).body.workflow_runs).toMatchObject([
    { id: run.id, display_title: 'Claude: req-1', status: 'queued', conclusion: null },
  ]);
  Object.assign(run, { status: 'completed', conclusion: 'cancelled' });
  expect((await owner('GET', `${base}/actions/runs/${run.id}`)).body).toMatchObject({
    status: 'completed',
    conclusion: 'cancelled',
  });
});

test('every described route was exercised, and no answer differs from its description', async () => {
  expect((await describedRoutes()).filter((route) => !called.has(route))).toEqual([]);
  expect(github.violations).toEqual([]);
});
