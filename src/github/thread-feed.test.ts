import { afterAll, expect, test } from 'vitest';
import { startGitHub } from '../../testkit/github/main.ts';
import { createClient } from './client.ts';
import { ThreadFeed } from './thread-feed.ts';

const github = await startGitHub();
const repository = await github.createRepository({
  owner: 'octo-org',
  name: 'hello',
  files: { 'a.txt': 'one\n' },
});
const token = github.token({ login: 'claude[bot]', repositories: ['octo-org/hello'] });
const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
const client = createClient(host, async () => token);
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});
const address = (number: number, kind: 'issue' | 'pull_request') => ({
  ...{ repository: { owner: 'octo-org', name: 'hello' }, number, kind },
  since: new Date(Date.now() - 60_000).toISOString(),
});
const statuses = () => github.requests.map(({ status }) => status);

test('a thread is read over all its pages, and what has not changed is not sent again', async () => {
  const issue = github.createIssue(repository, { title: 'Talk', author: 'mona' });
  const talk = (count: number) => {
    for (let i = 0; i < count; i += 1) github.comment(issue, { author: 'mona', body: `talk ${i}` });
  };
  talk(99);
  const feed = new ThreadFeed(client, address(issue.number, 'issue'));
  expect(await feed.poll()).toHaveLength(99);
  github.clearRequests();
  expect(await feed.poll()).toHaveLength(99);
  expect(statuses()).toEqual([304]);
  talk(3);
  expect((await feed.poll()).map(({ raw }) => raw.body).at(-1)).toBe('talk 2');
  github.clearRequests();
  talk(1);
  expect(await feed.poll()).toHaveLength(103);
  expect(statuses()).toEqual([304, 200]);
});

test('of a pull request also its reviews and what they say of lines', async () => {
  await repository.addCommit({ branch: 'two', message: 'Two', files: { 'a.txt': 'one\ntwo\n' } });
  const pull = await github.createPullRequest(repository, { title: 'Two', head: 'two', author: 'octocat' });
  const feed = new ThreadFeed(client, address(pull.number, 'pull_request'));
  expect(await feed.poll()).toEqual([]);
  github.comment(pull, { author: 'mona', body: 'In the conversation.' });
  await github.review(pull, {
    author: 'mona',
    state: 'COMMENTED',
    body: 'As a whole.',
    comments: [{ path: 'a.txt', line: 2, body: 'On a line.' }],
  });
  expect((await feed.poll()).map(({ kind, raw }) => [kind, raw.body])).toEqual([
    ['issue_comment', 'In the conversation.'],
    ['review_comment', 'On a line.'],
    ['review', 'As a whole.'],
  ]);
});
