/** GraphQL's limits, paging, refusals and mutations. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../main.ts';
import type { Issue } from '../model.ts';
import { graphqlClient, type Json } from '../test-client.ts';

let github: LocalGitHub;
let ask: ReturnType<typeof graphqlClient>;
let issue: Issue;

beforeAll(async () => {
  github = await startGitHub();
  await github.createRepository({
    owner: 'o',
    name: 'r',
    private: true,
    files: { 'a.txt': 'a\n', 'b.txt': 'b\n' },
  });
  issue = github.createIssue('o/r', { title: 'Issue', labels: ['bug'], milestone: 'v1', assignees: ['ann'] });
  for (let n = 0; n < 230; n++)
    github.comment(issue, { body: `${n}`, author: n % 2 ? 'ann' : 'helper[bot]' });
  ask = graphqlClient(github, github.token({ login: 'o' }));
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

/** Declares exactly the variables that the fields use, as GraphQL demands. */
const inIssue = (fields: string) => {
  const used = ['$after: String', '$size: Int'].filter((one) => fields.includes(one.split(':')[0]!));
  const variables = used.length > 0 ? `(${used.join(', ')})` : '';
  return `query Ask${variables} { repository(owner: "o", name: "r") { issue(number: 1) { ${fields} } } }`;
};

test.each([
  [
    'more than 100',
    'comments(first: 101) { nodes { id } }',
    'EXCESSIVE_PAGINATION',
    'Requesting 101 records on the `comments` connection exceeds the `first` limit of 100 records.',
  ],
  [
    'more than 100 by a variable',
    'comments(last: $size) { nodes { id } }',
    'EXCESSIVE_PAGINATION',
    'Requesting 250 records on the `comments` connection exceeds the `last` limit of 100 records.',
  ],
  [
    'no size',
    'comments { nodes { id } }',
    'MISSING_PAGINATION_BOUNDARIES',
    'You must provide a `first` or `last` value to properly paginate the `comments` connection.',
  ],
  [
    'too many nodes',
    'comments(first: 100) { nodes { reactions(first: 100) { nodes { user { organizations(first: 100) { nodes { id } } } } } } }',
    'MAX_NODE_LIMIT_EXCEEDED',
    'This query requests up to 1,010,100 possible nodes which exceeds the maximum limit of 500,000.',
  ],
])('%s is refused', async (_, fields, type, message) => {
  const { data, errors } = await ask(inIssue(fields), { size: 250 });
  expect([data, errors?.[0]]).toEqual([undefined, expect.objectContaining({ type, message })]);
});

test('counting needs no size; unknown fields are GraphQL errors', async () => {
  expect((await ask(inIssue('comments { totalCount }'))).data.repository.issue.comments.totalCount).toBe(230);
  expect((await ask(inIssue('nonsense'))).errors?.[0]?.message).toContain('nonsense');
});

test('cursors lead through every comment, forwards and backwards', async () => {
  const seen: string[] = [];
  let page: Json = { hasNextPage: true, endCursor: null };
  while (page.hasNextPage) {
    const { data } = await ask(
      inIssue('comments(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { body } }'),
      { after: page.endCursor },
    );
    page = data.repository.issue.comments.pageInfo;
    seen.push(...data.repository.issue.comments.nodes.map((node: Json) => node.body));
  }
  expect(seen).toEqual(Array.from({ length: 230 }, (_, n) => `${n}`));
  const { data } = await ask(
    inIssue('comments(last: 2) { nodes { body author { __typename login } } pageInfo { hasPreviousPage } }'),
  );
  expect(data.repository.issue.comments).toEqual({
    nodes: [
      { body: '228', author: { __typename: 'Bot', login: 'helper' } },
      { body: '229', author: { __typename: 'User', login: 'ann' } },
    ],
    pageInfo: { hasPreviousPage: true },
  });
});

test('what is not there, and what is not allowed', async () => {
  const stranger = graphqlClient(github, github.token({ login: 'stranger' }));
  const narrow = graphqlClient(
    github,
    github.token({ login: 'claude[bot]', permissions: { contents: 'read' }, repositories: ['o/r'] }),
  );
  const gone = await stranger(inIssue('title'));
  expect(gone).toMatchObject({
    data: { repository: null },
    errors: [{ type: 'NOT_FOUND', path: ['repository'] }],
  });
  expect(await narrow(inIssue('title'))).toMatchObject({
    errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }],
  });
  const none = await ask(
    '{ repository(owner: "o", name: "r") { issueOrPullRequest(number: 99) { __typename } } }',
  );
  expect(none.errors?.[0]?.message).toBe(
    'Could not resolve to an issue or pull request with the number of 99.',
  );
  const anonymous = await fetch(github.graphqlUrl, {
    method: 'POST',
    headers: { authorization: 'bearer nonsense' },
    body: '{}',
  });
  expect(anonymous.status).toBe(401);
});

test('several reactions in one document', async () => {
  const [first, second] = issue.comments;
  const add = (id: string) =>
    `addReaction(input: { subjectId: "${id}", content: EYES }) { reaction { content } }`;
  const { errors } = await ask(
    `mutation { a: ${add(first!.nodeId)} b: ${add(second!.nodeId)} c: ${add(issue.nodeId)} }`,
  );
  expect(errors).toBeUndefined();
  expect([first!, second!, issue].map((subject) => github.reactions(subject))).toEqual(
    Array(3).fill([{ content: 'eyes', login: 'o' }]),
  );
  await ask(
    `mutation { removeReaction(input: { subjectId: "${first!.nodeId}", content: EYES }) { subject { id } } }`,
  );
  expect(github.reactions(first!)).toEqual([]);
});

test('comments are added, edited and hidden by node id', async () => {
  const added = await ask(
    `mutation { addComment(input: { subjectId: "${issue.nodeId}", body: "new" }) { commentEdge { node { id body } } } }`,
  );
  const { id } = added.data.addComment.commentEdge.node;
  await ask(
    `mutation { updateIssueComment(input: { id: "${id}", body: "newer" }) { issueComment { body } } }`,
  );
  await ask(
    `mutation { minimizeComment(input: { subjectId: "${id}", classifier: OUTDATED }) { minimizedComment { isMinimized } } }`,
  );
  const { data } = await ask(
    `{ node(id: "${id}") { ... on IssueComment { body lastEditedAt isMinimized minimizedReason fullDatabaseId authorAssociation url } } }`,
  );
  expect(data.node).toMatchObject({
    body: 'newer',
    lastEditedAt: expect.any(String),
    isMinimized: true,
    minimizedReason: 'outdated',
    authorAssociation: 'OWNER',
  });
});

test('a commit through the API is verified, and only on the expected head', async () => {
  const repository = github.repository('o/r');
  const head = repository.tip('main')!;
  const bot = graphqlClient(github, github.token({ login: 'claude[bot]', repositories: ['o/r'] }));
  const commit = `mutation Commit($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid signature { isValid } author { name user { login } } } } }`;
  const contents = Buffer.from([0, 255, 10]).toString('base64');
  const input = {
    branch: { repositoryNameWithOwner: 'o/r', branchName: 'main' },
    expectedHeadOid: head,
    message: { headline: 'Write', body: 'more' },
    fileChanges: { additions: [{ path: 'new/ä b.bin', contents }], deletions: [{ path: 'b.txt' }] },
  };
  const { data, errors } = await bot(commit, { input });
  expect(errors).toBeUndefined();
  expect(data.createCommitOnBranch.commit).toMatchObject({
    signature: { isValid: true },
    author: { name: 'claude[bot]', user: { login: 'claude[bot]' } },
  });
  expect(await repository.files('main')).toEqual(['a.txt', 'new/ä b.bin']);
  expect((await repository.commit('main'))?.message).toBe('Write\n\nmore');
  expect((await bot(commit, { input })).errors?.[0]).toMatchObject({ type: 'STALE_DATA' });
  const workflow = {
    ...input,
    expectedHeadOid: repository.tip('main'),
    fileChanges: { additions: [{ path: '.github/workflows/x.yml', contents }] },
  };
  expect((await bot(commit, { input: workflow })).errors?.[0]?.message).toMatch(
    /without `workflows` permission/,
  );
});
