import { afterAll, beforeEach, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { createClient, type GitHubClient } from './client.ts';
import { type CommentPlace, createComment, fetchComment, findComment, updateComment } from './comments.ts';
import { defaultPolicy } from './retry.ts';

const github: LocalGitHub = await startGitHub();
await github.createRepository({ owner: 'octo-org', name: 'hello', files: { 'a.txt': 'one\ntwo\n' } });
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const marker = '<!-- mark of this run -->';
const text = { body: `Hello.\n\n${marker}`, marker };
const token = github.token({ login: 'claude[bot]', repositories: ['octo-org/hello'] });
const policy = { ...defaultPolicy, attempts: 2, firstDelayMs: 1 };
const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
let client: GitHubClient;
beforeEach(() => {
  github.faults.clear();
  client = createClient(host, async () => token, policy);
});

const posts = () => github.requests.filter(({ method }) => method === 'POST').length;

/** A fresh issue, and the place for a comment on it. */
function conversation() {
  const issue = github.createIssue('octo-org/hello', { title: 'Help', author: 'mona' });
  const place: CommentPlace = { owner: 'octo-org', repo: 'hello', number: issue.number, replyTo: null };
  return { issue, place };
}

/** A fresh pull request with one review comment, and the place for an answer in its thread. */
async function reviewThread(branch: string) {
  const repository = await github.createRepository({
    owner: 'octo-org',
    name: branch,
    files: { 'a.txt': 'one\n' },
  });
  await repository.addCommit({ branch, message: 'Change', files: { 'a.txt': '1\n' } });
  const pull = await github.createPullRequest(`octo-org/${branch}`, { title: 'Fix', head: branch });
  const comment = await github.reviewComment(pull, { path: 'a.txt', line: 1, body: 'why?', author: 'mona' });
  const place: CommentPlace = { owner: 'octo-org', repo: branch, number: pull.number, replyTo: comment.id };
  const own = github.token({ login: 'claude[bot]', repositories: [`octo-org/${branch}`] });
  return { pull, comment, place, client: createClient(host, async () => own, policy) };
}

test('a comment is created, read, and changed', async () => {
  const { issue, place } = conversation();
  const made = await createComment(client, place, text);
  expect(made).toEqual({
    kind: 'issue_comment',
    id: issue.comments[0]!.id,
    url: expect.stringMatching(/\/octo-org\/hello\/issues\/\d+#issuecomment-\d+$/),
  });
  await updateComment(client, place, made, 'Bye.');
  expect(issue.comments.map(({ body }) => body)).toEqual(['Bye.']);
  expect(await fetchComment(client, place, made)).toEqual({
    ...made,
    body: 'Bye.',
    author: { login: 'claude[bot]', type: 'Bot' },
  });
});

test('an answer goes into the review thread that was asked in', async () => {
  const { pull, comment, place, client } = await reviewThread('thread');
  const made = await createComment(client, place, text);
  expect(made.kind).toBe('review_comment');
  await updateComment(client, place, made, 'Because.');
  expect(await fetchComment(client, place, made)).toMatchObject({ kind: 'review_comment', body: 'Because.' });
  expect(pull.comments).toEqual([]);
  const answers = await client.rest<{ in_reply_to_id?: number; body: string }[]>(
    'GET /repos/octo-org/thread/pulls/{number}/comments',
    { number: pull.number },
  );
  expect(answers.map(({ body, in_reply_to_id }) => [body, in_reply_to_id])).toEqual([
    ['why?', undefined],
    ['Because.', comment.id],
  ]);
});

test('when the thread is gone, the conversation gets the comment', async () => {
  const { pull, place, client } = await reviewThread('gone');
  const made = await createComment(client, { ...place, replyTo: 999_999 }, text);
  expect(made.kind).toBe('issue_comment');
  expect(pull.comments.map(({ body }) => body)).toEqual([text.body]);
});

test('a refusal is not taken for a thread that is gone', async () => {
  const { pull, place, client } = await reviewThread('refused');
  github.faults.add({
    method: 'POST',
    status: 403,
    body: { message: 'Resource not accessible by integration' },
  });
  await expect(createComment(client, place, text)).rejects.toMatchObject({ reason: 'github_auth' });
  expect(pull.comments).toEqual([]);
});

const lost = { method: 'POST', after: true, times: 1, reset: true } as const;

test('a comment whose answer was lost is found instead of doubled', async () => {
  const { issue, place } = conversation();
  // The same words without the mark are not the comment that is looked for.
  github.comment(issue, { body: 'Hello.', author: 'mona' });
  github.faults.add(lost);
  const made = await createComment(client, place, text);
  expect(issue.comments.map(({ body }) => body)).toEqual(['Hello.', text.body]);
  expect(made.id).toBe(issue.comments[1]!.id);
});

test('the same in a review thread', async () => {
  const { comment, place, client } = await reviewThread('lost');
  github.faults.add(lost);
  expect((await createComment(client, place, text)).kind).toBe('review_comment');
  expect(comment.thread.comments.map(({ body }) => body)).toEqual(['why?', text.body]);
});

test('the same in the conversation that stands in for a thread that is gone', async () => {
  const { pull, place, client } = await reviewThread('both');
  github.faults.add({ ...lost, path: /\/issues\/\d+\/comments$/ });
  const made = await createComment(client, { ...place, replyTo: 999_999 }, text);
  expect(made.kind).toBe('issue_comment');
  expect(pull.comments.map(({ body }) => body)).toEqual([text.body]);
});

test('a comment that never arrived is posted again', async () => {
  const { issue, place } = conversation();
  github.faults.add({ method: 'POST', times: 1, status: 502 });
  await createComment(client, place, text);
  expect(issue.comments.map(({ body }) => body)).toEqual([text.body]);
});

test('what GitHub refuses is not tried again', async () => {
  const { place } = conversation();
  github.clearRequests();
  await expect(createComment(client, place, { ...text, body: 'x'.repeat(70_000) })).rejects.toMatchObject({
    status: 422,
  });
  expect(posts()).toBe(1);
});

test('a comment is looked for over all pages, the latest wins, and only by its author', async () => {
  const { issue, place } = conversation();
  const by = (author: string, body: string) => github.comment(issue, { body, author });
  by('claude[bot]', `first ${marker}`);
  for (let i = 0; i < 130; i += 1) by('mona', `talk ${i}`);
  const ours = by('claude[bot]', `latest ${marker}`);
  by('mallory', `copied ${marker}`);
  for (let i = 0; i < 80; i += 1) by('mona', `more talk ${i}`);
  expect(await findComment(client, place, { marker, login: 'claude[bot]' })).toMatchObject({
    kind: 'issue_comment',
    id: ours.id,
    body: `latest ${marker}`,
    author: { login: 'claude[bot]', type: 'Bot' },
  });
  expect(await findComment(client, place, { marker: 'nowhere', login: null })).toBeNull();
});

test('the search ends where a page is exactly full', async () => {
  const { issue, place } = conversation();
  for (let i = 0; i < 100; i += 1) github.comment(issue, { body: `talk ${i}`, author: 'mona' });
  expect(await findComment(client, place, { marker, login: null })).toBeNull();
});
