/** Stories of the local GitHub as a whole: a comment's life, a pull request read whole, many of everything. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from './main.ts';
import { graphqlClient, restClient } from './test-client.ts';

let github: LocalGitHub;

beforeAll(async () => {
  github = await startGitHub();
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

test('a comment is made, edited, reacted to and deleted; every state of it stays readable', async () => {
  await github.createRepository({ owner: 'o', name: 'talk' });
  const issue = github.createIssue('o/talk', { title: 'Help', author: 'carl' });
  const token = github.token({ kind: 'installation', login: 'claude[bot]', repositories: ['o/talk'] });
  const rest = restClient(github, token);
  const made = await rest('POST', `/repos/o/talk/issues/${issue.number}/comments`, { body: 'one' });
  expect(made).toMatchObject({
    status: 201,
    body: { body: 'one', user: { login: 'claude[bot]', type: 'Bot', id: 209825114 } },
  });
  await rest('PATCH', `/repos/o/talk/issues/comments/${made.body.id}`, { body: 'two' });
  await rest('POST', `/repos/o/talk/issues/comments/${made.body.id}/reactions`, { content: 'eyes' });
  expect(issue.comments[0]!.history.map((revision) => revision.body)).toEqual(['one', 'two']);
  expect(github.reactions(issue.comments[0]!)).toEqual([{ content: 'eyes', login: 'claude[bot]' }]);
  expect((await rest('DELETE', `/repos/o/talk/issues/comments/${made.body.id}`)).status).toBe(204);
  expect((await rest('GET', `/repos/o/talk/issues/${issue.number}/comments`)).body).toEqual([]);
});

test('a pull request is read whole through GraphQL', async () => {
  const repository = await github.createRepository({
    owner: 'o',
    name: 'pulls',
    files: { 'a.txt': 'one\ntwo\nthree\n' },
  });
  await repository.addCommit({
    branch: 'feature',
    message: 'Change two',
    files: { 'a.txt': 'one\n2\nthree\n', 'b.txt': 'b\n' },
  });
  const issue = github.createIssue('o/pulls', { title: 'Two is wrong' });
  const pull = await github.createPullRequest('o/pulls', {
    title: 'Fix',
    body: `Fixes #${issue.number}`,
    head: 'feature',
    author: 'dora',
  });
  const comment = await github.reviewComment(pull, { path: 'a.txt', line: 2, body: 'why?', author: 'eve' });
  github.reply(comment, { body: 'because', author: 'dora' });
  github.createCheckRun('o/pulls', { name: 'test', headSha: pull.head.sha, conclusion: 'failure' });
  const token = github.token({ login: 'o' });
  const { data, errors } = await graphqlClient(github, token)(
    `query Whole($n: Int!) { repository(owner: "o", name: "pulls") { defaultBranchRef { name target { oid } } isPrivate
      pullRequest(number: $n) { title baseRefName baseRefOid headRefName headRefOid headRepository { nameWithOwner } isCrossRepository
        maintainerCanModify isDraft merged additions deletions changedFiles author { __typename login }
        files(first: 100) { totalCount nodes { path changeType additions deletions } }
        commits(first: 10) { totalCount nodes { commit { oid messageHeadline author { name user { login } } statusCheckRollup { state } } } }
        reviews(first: 10) { nodes { state fullDatabaseId } }
        reviewThreads(first: 10) { nodes { isResolved isOutdated path line startLine comments(first: 10) { nodes {
          body diffHunk author { login } replyTo { databaseId } pullRequestReview { databaseId fullDatabaseId } } } } }
        closingIssuesReferences(first: 10) { nodes { number title } } } } }`,
    { n: pull.number },
  );
  expect(errors).toBeUndefined();
  expect(data.repository.pullRequest).toMatchObject({
    headRefName: 'feature',
    isCrossRepository: false,
    additions: 2,
    deletions: 1,
    changedFiles: 2,
    files: {
      totalCount: 2,
      nodes: [
        { path: 'a.txt', changeType: 'MODIFIED' },
        { path: 'b.txt', changeType: 'ADDED' },
      ],
    },
    commits: {
      totalCount: 1,
      nodes: [{ commit: { messageHeadline: 'Change two', statusCheckRollup: { state: 'FAILURE' } } }],
    },
    closingIssuesReferences: { nodes: [{ number: issue.number, title: 'Two is wrong' }] },
  });
  const [thread] = data.repository.pullRequest.reviewThreads.nodes;
  expect(thread).toMatchObject({ path: 'a.txt', line: 2, isResolved: false });
  expect(thread.comments.nodes[0].diffHunk).toBe('@@ -1,3 +1,3 @@\n one\n-two\n+2');
  expect(thread.comments.nodes[1].replyTo.databaseId).toBe(comment.id);
});

test('many of everything is quick to make and is paged', async () => {
  const files = Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`src/${n}.txt`, `${n}\n`]));
  const repository = await github.createRepository({ owner: 'o', name: 'big' });
  await repository.addCommit({ branch: 'feature', message: 'Write much', files });
  const pull = await github.createPullRequest(repository, { title: 'Much', head: 'feature' });
  for (let n = 0; n < 230; n++) github.comment(pull, { body: `${n}`, createdAt: new Date(n * 1000) });
  for (let n = 0; n < 40; n++)
    await github.reviewComment(pull, { path: `src/${n}.txt`, line: 1, body: 'why?' });
  const rest = restClient(github, github.token({ login: 'o' }));
  const seen: string[] = [];
  let next: string | undefined = `/repos/o/big/issues/${pull.number}/comments?per_page=1000`;
  while (next) {
    const { body, headers } = await rest('GET', next);
    seen.push(...body.map((comment: { body: string }) => comment.body));
    next = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
  }
  expect(seen).toEqual(Array.from({ length: 230 }, (_, n) => `${n}`));
  const { data } = await graphqlClient(
    github,
    github.token({ login: 'o' }),
  )(
    `{ repository(owner: "o", name: "big") { pullRequest(number: ${pull.number}) {
      files(last: 1) { totalCount nodes { path } } reviewThreads(first: 100) { totalCount nodes { comments(first: 1) { nodes { diffHunk } } } } } } }`,
  );
  expect(data.repository.pullRequest.files.totalCount).toBe(250);
  expect(data.repository.pullRequest.reviewThreads.nodes[39].comments.nodes[0].diffHunk).toBe(
    '@@ -0,0 +1 @@\n+39',
  );
});

test('two writers of one branch: one is told that it is late', async () => {
  const repository = await github.createRepository({ owner: 'o', name: 'race' });
  const ask = graphqlClient(github, github.token({ login: 'o' }));
  const commit = (path: string) =>
    ask(
      'mutation C($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }',
      {
        input: {
          branch: { repositoryNameWithOwner: 'o/race', branchName: 'main' },
          expectedHeadOid: repository.tip('main'),
          message: { headline: path },
          fileChanges: { additions: [{ path, contents: '' }] },
        },
      },
    );
  const answers = await Promise.all([commit('a.txt'), commit('b.txt')]);
  expect(answers.map((answer) => answer.errors?.[0]?.type ?? 'ok').sort()).toEqual(['STALE_DATA', 'ok']);
});
