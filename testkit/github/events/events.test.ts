/** Payloads have the fields of GitHub's public examples, and deliveries are signed. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import examples from '@octokit/webhooks-examples';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebhookEvent } from '../deliveries.ts';
import { type LocalGitHub, startGitHub } from '../main.ts';
import type {
  Comment,
  Discussion,
  DiscussionComment,
  Issue,
  PullRequest,
  Review,
  ReviewComment,
} from '../model.ts';
import type { Json } from '../test-client.ts';

let github: LocalGitHub;
let issue: Issue;
let comment: Comment;
let pull: PullRequest;
let review: Review;
let inline: ReviewComment;
let discussion: Discussion;
let said: DiscussionComment;

beforeAll(async () => {
  github = await startGitHub();
  const repository = await github.createRepository({ owner: 'o', name: 'r' });
  await repository.addCommit({
    branch: 'feature',
    message: 'Change',
    files: { 'README.md': 'new\n' },
    author: { name: 'Ann', email: '1+ann@users.noreply.github.com' },
  });
  issue = github.createIssue('o/r', {
    title: 'Issue',
    body: 'text',
    labels: ['bug'],
    assignees: ['ann'],
    milestone: 'v1',
  });
  comment = github.comment(issue, { body: '@claude help', author: 'ann' });
  pull = await github.createPullRequest('o/r', {
    title: 'Pull',
    head: 'feature',
    labels: ['bug'],
    assignees: ['ann'],
  });
  review = await github.review(pull, { body: 'hm', author: 'ann', state: 'CHANGES_REQUESTED' });
  discussion = github.createDiscussion('o/r', { title: 'Ideas', body: 'Any?', author: 'ann' });
  said = github.discuss(discussion, { body: 'Some.', author: 'ann' });
  inline = await github.reviewComment(pull, { path: 'README.md', line: 1, body: 'why', author: 'ann' });
});
afterAll(() => github.close());

/** What GitHub has stopped sending, or sends only for some repositories. */
const absent = new Set([
  'custom_properties',
  'installation',
  'organization',
  'template_repository',
  'deployments_url',
  'master_branch',
  'stargazers',
  'email',
  'name',
  'starred_at',
  'issue.draft',
]);

/** Dotted names of fields that the example has and the payload lacks; lists are compared by their first entry. */
function missing(example: Json, payload: Json, path = ''): string[] {
  if (Array.isArray(example))
    return example.length > 0 && payload?.length > 0 ? missing(example[0], payload[0], `${path}[]`) : [];
  if (typeof example !== 'object' || example === null || typeof payload !== 'object' || payload === null)
    return [];
  return Object.keys(example).flatMap((key) => {
    const here = path ? `${path}.${key}` : key;
    if (absent.has(key) || absent.has(here)) return [];
    return key in payload ? missing(example[key], payload[key], here) : [here];
  });
}

const cases: [string, string | null, () => Promise<WebhookEvent>][] = [
  ['issue_comment', 'created', () => github.event.issueComment(comment)],
  ['issues', 'opened', () => github.event.issues(issue)],
  ['issues', 'labeled', () => github.event.issues(issue, 'labeled')],
  ['issues', 'assigned', () => github.event.issues(issue, 'assigned')],
  ['pull_request', 'opened', () => github.event.pullRequest(pull)],
  ['pull_request', 'labeled', () => github.event.pullRequest(pull, 'labeled')],
  ['pull_request_review', 'submitted', () => github.event.pullRequestReview(review)],
  ['pull_request_review_comment', 'created', () => github.event.pullRequestReviewComment(inline)],
  ['discussion', 'created', () => github.event.discussion(discussion)],
  ['discussion_comment', 'created', () => github.event.discussionComment(said)],
  ['push', null, () => github.event.push('o/r', { branch: 'feature' })],
  ['workflow_dispatch', null, () => github.event.workflowDispatch('o/r', { inputs: { a: 'b' } })],
  ['repository_dispatch', 'on-demand-test', () => github.event.repositoryDispatch('o/r', 'on-demand-test')],
];

test.each(cases)('%s %s has every field of the public example', async (name, action, make) => {
  const known = (examples as unknown as Json[]).find((entry) => entry.name === name).examples;
  const example = known.find((one: Json) => !action || one.action === action);
  const event = await make();
  expect(event.name).toBe(name);
  expect(missing(example, event.payload)).toEqual([]);
});

test('an edit tells the former text', async () => {
  github.editComment(comment, '@claude help now');
  const { payload } = await github.event.issueComment(comment, 'edited', { sender: 'bob' });
  expect(payload).toMatchObject({
    action: 'edited',
    changes: { body: { from: '@claude help' } },
    sender: { login: 'bob' },
  });
});

test('a delivery is signed over the bytes that are sent, and redelivered under its guid', async () => {
  const received: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    response.writeHead(202).end('later');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const delivery = await github.deliver(url, 'secret', await github.event.issueComment(comment));
  await github.redeliver(delivery);
  server.close();
  const [first, second] = received;
  const signature = `sha256=${createHmac('sha256', 'secret').update(first!.body).digest('hex')}`;
  expect(first!.headers).toMatchObject({
    'x-github-event': 'issue_comment',
    'x-github-delivery': delivery.guid,
    'x-hub-signature-256': signature,
  });
  expect(second!.headers['x-github-delivery']).toBe(delivery.guid);
  expect(github.deliveries.map((one) => [one.statusCode, one.redelivery])).toEqual([
    [202, false],
    [202, true],
  ]);
});
