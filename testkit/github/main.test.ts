/** Stories of the local GitHub as a whole: git over HTTP, comments, GraphQL, and answers as GitHub describes them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gitEnvironment } from './git/command.ts';
import { type LocalGitHub, startGitHub } from './main.ts';

let github: LocalGitHub;
let work: string;

beforeAll(async () => {
  github = await startGitHub();
  work = await mkdtemp(join(tmpdir(), 'local-github-work-'));
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
  await rm(work, { recursive: true, force: true });
});

const run = promisify(execFile);
const git = async (cwd: string, ...args: string[]) =>
  (
    await run('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd,
      env: { ...gitEnvironment, HOME: work },
    })
  ).stdout;

/** Address with the token where git wants it. */
const withToken = (url: string, token: string) => url.replace('://', `://x-access-token:${token}@`);

async function rest(method: string, path: string, token?: string, body?: unknown) {
  const answer = await fetch(github.apiUrl + path, {
    method,
    headers: token ? { authorization: `token ${token}` } : {},
    body: body === undefined ? undefined : JSON.stringify(body),
    redirect: 'manual',
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  };
}

async function graphql(token: string, query: string, variables = {}) {
  const headers = { authorization: `bearer ${token}` };
  const answer = await fetch(github.graphqlUrl, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  return (await answer.json()) as {
    data?: any;
    errors?: { type?: string; message: string; path?: unknown }[];
  };
}

test('a writer clones, commits and pushes; a reader may only clone', async () => {
  const repository = await github.createRepository({
    owner: 'o',
    name: 'r',
    private: true,
    collaborators: { ann: 'write', bob: 'read' },
  });
  const [ann, bob] = [github.token({ login: 'ann' }), github.token({ login: 'bob' })];
  const clone = join(work, 'clone');
  await expect(git(work, 'clone', '-q', repository.cloneUrl, clone)).rejects.toThrow(
    /could not read Username|Authentication/,
  );
  await git(work, 'clone', '-q', withToken(repository.cloneUrl, ann), clone);
  await writeFile(join(clone, 'a.txt'), 'a'.repeat(200_000));
  await git(clone, 'add', '.');
  await git(clone, 'commit', '-q', '-m', 'Add a');
  await git(clone, 'push', '-q', 'origin', 'HEAD:feature');
  expect((await repository.log('main..feature')).map((commit) => commit.message)).toEqual(['Add a']);
  expect(await repository.file('feature', 'a.txt')).toHaveLength(200_000);
  await git(clone, 'fetch', '-q', withToken(repository.cloneUrl, bob));
  await expect(git(clone, 'push', withToken(repository.cloneUrl, bob), 'HEAD:other')).rejects.toThrow(
    /403|denied to bob/,
  );
});

test('a comment is made, edited, reacted to and deleted; every state of it stays readable', async () => {
  await github.createRepository({ owner: 'o', name: 'talk' });
  const issue = github.createIssue('o/talk', { title: 'Help', author: 'carl' });
  const token = github.token({ kind: 'installation', login: 'claude[bot]', repositories: ['o/talk'] });
  const made = await rest('POST', `/repos/o/talk/issues/${issue.number}/comments`, token, { body: 'one' });
  expect(made).toMatchObject({
    status: 201,
    body: { body: 'one', user: { login: 'claude[bot]', type: 'Bot', id: 209825114 } },
  });
  await rest('PATCH', `/repos/o/talk/issues/comments/${made.body.id}`, token, { body: 'two' });
  await rest('POST', `/repos/o/talk/issues/comments/${made.body.id}/reactions`, token, { content: 'eyes' });
  expect(issue.comments[0]!.history.map((revision) => revision.body)).toEqual(['one', 'two']);
  expect(github.reactions(issue.comments[0]!)).toEqual([{ content: 'eyes', login: 'claude[bot]' }]);
  expect((await rest('DELETE', `/repos/o/talk/issues/comments/${made.body.id}`, token)).status).toBe(204);
  expect((await rest('GET', `/repos/o/talk/issues/${issue.number}/comments`, token)).body).toEqual([]);
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
  const { data, errors } = await graphql(
    token,
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
