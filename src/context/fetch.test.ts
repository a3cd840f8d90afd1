/** Reading a whole thread, against GitHub's schema executed over made-up data. */
import { schema as github } from '@octokit/graphql-schema';
import { buildSchema, graphql as execute } from 'graphql';
import { expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { fetchThread } from './fetch.ts';
import type { Graphql } from './pages.ts';

const schema = buildSchema(github.idl, { assumeValidSDL: true }); // GitHub publishes one type with a field twice.
const repository = { owner: 'octo-org', name: 'hello' };

type Node = Record<string, unknown>;
const times = (count: number, make: (index: number) => Node) =>
  Array.from({ length: count }, (_, i) => make(i));
const octocat = { __typename: 'User', login: 'octocat', databaseId: 583231 };

/** A connection that hands out pages as GitHub does. */
function connection(nodes: Node[]) {
  return ({
    first,
    after,
    last,
    before,
  }: {
    first?: number;
    after?: string;
    last?: number;
    before?: string;
  }) => {
    const end = before
      ? Number(before)
      : Math.min(nodes.length, Number(after ?? 0) + (first ?? nodes.length));
    const start = last ? Math.max(0, end - last) : Number(after ?? 0);
    const pageInfo = {
      ...{ hasNextPage: end < nodes.length, endCursor: String(end) },
      ...{ hasPreviousPage: start > 0, startCursor: String(start) },
    };
    return { totalCount: nodes.length, nodes: nodes.slice(start, end), pageInfo };
  };
}

const comment = (id: number, more: Node = {}): Node => ({
  id: `C_${id}`,
  fullDatabaseId: String(id),
  url: `https://github.com/octo-org/hello/issues/7#issuecomment-${id}`,
  body: `comment ${id}`,
  authorAssociation: 'MEMBER',
  createdAt: '2026-03-01T10:00:00Z',
  isMinimized: false,
  author: octocat,
  ...more,
});

const subject = (__typename: string, more: Node): Node => ({
  __typename,
  id: 'S_7',
  title: 'A title',
  body: 'A body',
  state: 'OPEN',
  createdAt: '2026-03-01T09:00:00Z',
  url: 'https://github.com/octo-org/hello/issues/7',
  authorAssociation: 'NONE',
  author: octocat,
  labels: connection([{ name: 'bug' }]),
  assignees: connection([]),
  comments: connection([]),
  timelineItems: connection([]),
  ...more,
});

const linked = (number: number, more: Node = {}): Node => ({
  number,
  title: `Issue ${number}`,
  repository: { nameWithOwner: 'Octo-Org/hello' },
  timelineItems: connection([]),
  ...more,
});

const pullRequest = (more: Node): Node =>
  subject('PullRequest', {
    isDraft: false,
    merged: false,
    additions: 3,
    deletions: 1,
    baseRefName: 'main',
    baseRefOid: 'b'.repeat(40),
    headRefName: 'topic',
    headRefOid: 'c'.repeat(40),
    headRepository: { nameWithOwner: 'monalisa/hello' },
    isCrossRepository: true,
    maintainerCanModify: true,
    statusCheckRollup: {
      state: 'FAILURE',
      contexts: connection([
        {
          __typename: 'CheckRun',
          name: 'build',
          status: 'COMPLETED',
          conclusion: 'FAILURE',
          title: '2 errors',
        },
        { __typename: 'CheckRun', name: 'lint', status: 'IN_PROGRESS', conclusion: null, title: null },
        { __typename: 'StatusContext', context: 'coverage', state: 'SUCCESS', description: '80 %' },
      ]),
    },
    reviews: connection([]),
    reviewThreads: connection([]),
    files: connection([]),
    commits: connection([]),
    closingIssuesReferences: connection([linked(3)]),
    ...more,
  });

/** GitHub's GraphQL endpoint at the network's edge; `asked` is what it was asked, in order. */
function gitHub(nodes: Node[]): { graphql: Graphql; asked: string[] } {
  const asked: string[] = [];
  const [entity] = nodes;
  const rootValue = {
    viewer: { login: 'claude[bot]', databaseId: 209825114 },
    repository: {
      defaultBranchRef: { name: 'main', target: { __typename: 'Commit', oid: 'a'.repeat(40) } },
      issue: entity,
      pullRequest: entity,
    },
    node: ({ id }: { id: string }) => nodes.find((node) => node.id === id),
  };
  return {
    asked,
    graphql: async <T>(source: string, variableValues: Record<string, unknown>) => {
      asked.push(JSON.stringify([/query (\w+)/.exec(source)?.[1], variableValues]));
      const { data, errors } = await execute({ schema, source, rootValue, variableValues });
      if (errors) throw errors[0];
      return JSON.parse(JSON.stringify(data)) as T;
    },
  };
}

test('an issue with 230 comments arrives whole in three requests', async () => {
  const { graphql, asked } = gitHub([
    subject('Issue', { comments: connection(times(230, (i) => comment(i + 1))) }),
  ]);
  const { thread, viewer } = await fetchThread({ graphql, repository, kind: 'issue', number: 7 });
  expect(thread.comments.map(({ id }) => id)).toEqual(times(230, (i) => ({ id: i + 1 })).map(({ id }) => id));
  expect(thread).toMatchObject({
    kind: 'issue',
    number: 7,
    nodeId: 'S_7',
    labels: ['bug'],
    state: 'open',
    pullRequest: null,
    leftOut: [],
    defaultBranch: { name: 'main', sha: 'a'.repeat(40) },
  });
  expect(viewer).toEqual({ login: 'claude[bot]', id: 209825114 });
  expect(asked).toHaveLength(3);
});

test('a pull request with 250 files and 40 long threads arrives whole, and no page is asked for twice', async () => {
  const threads = times(40, (i) => ({
    __typename: 'PullRequestReviewThread',
    id: `T_${i}`,
    path: 'src/a.ts',
    line: null,
    originalLine: 12,
    isResolved: i % 2 === 0,
    isOutdated: true,
    comments: connection(
      times(60, (j) =>
        comment(1000 * i + j, {
          diffHunk: '@@ -1 +1 @@',
          pullRequestReview: { fullDatabaseId: '3000000001' },
        }),
      ),
    ),
  }));
  const file = (i: number) => ({ path: `src/${i}.ts`, changeType: 'ADDED', additions: 1, deletions: 0 });
  const entity = pullRequest({ files: connection(times(250, file)), reviewThreads: connection(threads) });
  const { graphql, asked } = gitHub([entity, ...threads]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  const facts = thread.pullRequest!;
  expect(facts.files).toHaveLength(250);
  expect(facts.reviewThreads).toHaveLength(40);
  expect(facts.reviewThreads.every((one) => one.comments.length === 60)).toBe(true);
  expect(facts.reviewThreads[1]).toMatchObject({
    line: 12,
    resolved: false,
    outdated: true,
    diffHunk: '@@ -1 +1 @@',
  });
  expect(facts.reviewThreads[1]!.comments[0]!.reviewId).toBe(3_000_000_001);
  expect(facts).toMatchObject({
    fork: true,
    maintainerCanModify: true,
    checks: {
      state: 'FAILURE',
      list: [
        { name: 'build', result: 'failure', title: '2 errors' },
        { name: 'lint', result: 'in_progress', title: '' },
        { name: 'coverage', result: 'success', title: '80 %' },
      ],
    },
    head: { ref: 'topic', repository: 'monalisa/hello' },
    linkedIssues: [{ number: 3, title: 'Issue 3' }],
  });
  expect(asked).toHaveLength(1 + 2 + 40);
  expect(new Set(asked).size).toBe(asked.length);
});

test('deleted accounts are ghosts, bots have their suffix, ids of more than 32 bits stay exact', async () => {
  const bot = { __typename: 'Bot', login: 'dependabot', databaseId: 49699333 };
  const comments = [comment(4_000_000_123, { author: null }), comment(2, { author: bot, isMinimized: true })];
  const { graphql } = gitHub([subject('Issue', { comments: connection(comments) })]);
  const { thread, minimised } = await fetchThread({ graphql, repository, kind: 'issue', number: 7 });
  expect(thread.comments.map(({ id, author }) => [id, author.login])).toEqual([
    [4_000_000_123, 'ghost'],
    [2, 'dependabot[bot]'],
  ]);
  expect([...minimised]).toEqual([thread.comments[1]!.url]);
});

test('a comment of a review counts from when the review was published', async () => {
  const published = comment(1, { publishedAt: '2026-03-02T00:00:00Z' });
  const review = comment(9, { state: 'APPROVED', submittedAt: '2026-03-03T00:00:00Z' });
  const { graphql } = gitHub([
    pullRequest({ comments: connection([published]), reviews: connection([review]) }),
  ]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  expect(thread.comments[0]!.createdAt).toBe('2026-03-02T00:00:00Z');
  expect(thread.pullRequest!.reviews[0]!.createdAt).toBe('2026-03-03T00:00:00Z');
});

test('a diff too large to be listed is said', async () => {
  const { graphql } = gitHub([pullRequest({ files: () => null })]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  expect(thread.pullRequest!.files).toEqual([]);
  expect(thread.leftOut).toEqual([{ what: 'changed files', count: 0, why: 'not listed by GitHub' }]);
});

test('an issue of another repository is counted and not named: its title may be a secret', async () => {
  const issues = [linked(3), linked(4, { repository: { nameWithOwner: 'octo-org/vault' } })];
  const { graphql } = gitHub([pullRequest({ closingIssuesReferences: connection(issues) })]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  expect(thread.pullRequest!.linkedIssues).toMatchObject([{ number: 3, title: 'Issue 3' }]);
  expect(thread.leftOut).toEqual([{ what: 'linked issues', count: 1, why: 'of other repositories' }]);
});

test('of a thread without end the newest is read, in a bounded number of requests, and the rest is counted', async () => {
  const threads = times(60, (i) => ({
    __typename: 'PullRequestReviewThread',
    id: `T_${i}`,
    path: 'src/a.ts',
    isResolved: i > 30,
    isOutdated: false,
    comments: connection(times(260, (j) => comment(1000 * i + j, { pullRequestReview: null, diffHunk: '' }))),
  }));
  const entity = pullRequest({
    comments: connection(times(5_000, (i) => comment(i + 1))),
    reviewThreads: connection(threads),
  });
  const { graphql, asked } = gitHub([entity, ...threads]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  expect(thread.comments.map(({ id }) => id)).toEqual(
    times(3_000, (i) => ({ id: i + 2_001 })).map(({ id }) => id),
  );
  const facts = thread.pullRequest!;
  const whole = facts.reviewThreads.filter((one) => one.comments.length > 50);
  expect(whole.filter(({ resolved }) => !resolved)).toHaveLength(31);
  expect(asked.length).toBe(1 + 29 + 40);
  const read = facts.reviewThreads.reduce((sum, one) => sum + one.comments.length, 0);
  const why = 'beyond what is read of one thread';
  expect(thread.leftOut).toEqual([
    { what: 'comments', count: 2_000, why },
    { what: 'review comments', count: 60 * 260 - read, why },
  ]);
});

test('texts that fill the memory are not read on', async () => {
  const long = 'x'.repeat(60_000);
  const { graphql, asked } = gitHub([
    subject('Issue', { comments: connection(times(2_000, (i) => comment(i + 1, { body: long }))) }),
  ]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'issue', number: 7 });
  expect([asked.length, thread.comments.length, thread.comments.at(-1)!.id]).toEqual([2, 200, 2_000]);
  expect(thread.leftOut).toMatchObject([{ what: 'comments', count: 1_800 }]);
});

const refusal = (types: string[], data: unknown) => Object.assign(new Error('refused'), { types, data });

test('what the token may not read is said, the rest is used', async () => {
  const whole = gitHub([pullRequest({})]);
  const { thread } = await fetchThread({
    graphql: async <T>(query: string, variables: Record<string, unknown>) => {
      const data = await whole.graphql<{ repository: { subject: Node } }>(query, variables);
      data.repository.subject.statusCheckRollup = null;
      data.repository.subject.closingIssuesReferences = null;
      throw refusal(['FORBIDDEN', 'FORBIDDEN'], data) as T;
    },
    repository,
    kind: 'pull_request',
    number: 7,
  });
  expect(thread.title).toBe('A title');
  expect(thread.leftOut).toEqual([
    { what: 'linked issues', count: 0, why: 'not listed by GitHub' },
    { what: 'check results', count: 0, why: 'not listed by GitHub' },
  ]);
});

test('checks that the token may not read are counted, the others are there', async () => {
  const whole = gitHub([pullRequest({})]);
  const { thread } = await fetchThread({
    graphql: async <T>(query: string, variables: Record<string, unknown>) => {
      type Answer = { repository: { subject: { statusCheckRollup: { contexts: { nodes: unknown[] } } } } };
      const data = await whole.graphql<Answer>(query, variables);
      data.repository.subject.statusCheckRollup.contexts.nodes.fill(null, 0, 2);
      throw refusal(['FORBIDDEN', 'FORBIDDEN'], data) as T;
    },
    repository,
    kind: 'pull_request',
    number: 7,
  });
  expect(thread.pullRequest!.checks!.list.map(({ name }) => name)).toEqual(['coverage']);
  expect(thread.leftOut).toEqual([{ what: 'checks', count: 2, why: 'not listed by GitHub' }]);
});

test('titles come with those before them, so that what was meant when somebody asked is known', async () => {
  const rename = (previousTitle: string, createdAt: string) => ({
    __typename: 'RenamedTitleEvent',
    previousTitle,
    createdAt,
  });
  const renamed = {
    timelineItems: connection([
      rename('First', '2026-03-01T10:00:00Z'),
      rename('Second', '2026-03-02T10:00:00Z'),
    ]),
  };
  const { graphql } = gitHub([
    pullRequest({ ...renamed, closingIssuesReferences: connection([linked(3, renamed)]) }),
  ]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  const formerTitles = [
    { title: 'First', at: '2026-03-01T10:00:00Z' },
    { title: 'Second', at: '2026-03-02T10:00:00Z' },
  ];
  expect(thread).toMatchObject({ title: 'A title', formerTitles });
  expect(thread.pullRequest!.linkedIssues).toEqual([{ number: 3, title: 'Issue 3', formerTitles }]);
});

test('of more checks than a page the rest is counted', async () => {
  const checks = times(130, (i) => ({
    __typename: 'CheckRun',
    name: `build ${i}`,
    status: 'QUEUED',
    conclusion: null,
    title: null,
  }));
  const rollup = { state: 'PENDING', contexts: connection(checks) };
  const { graphql } = gitHub([pullRequest({ statusCheckRollup: rollup })]);
  const { thread } = await fetchThread({ graphql, repository, kind: 'pull_request', number: 7 });
  expect(thread.pullRequest!.checks!.list).toHaveLength(100);
  expect(thread.leftOut).toEqual([{ what: 'checks', count: 30, why: 'beyond what is read of one thread' }]);
});

test.each([
  ['the number is missing', { viewer: null, repository: { subject: null } }, 'Issue octo-org/hello#7'],
  ['the repository is missing', { viewer: null, repository: null }, 'Repository octo-org/hello'],
])('%s', async (_, data, name) => {
  const missing = { reason: 'invalid_input', message: expect.stringContaining(name) };
  const answer = async <T>() => data as T;
  const refuse = () => Promise.reject(refusal(['NOT_FOUND'], data));
  for (const graphql of [answer, refuse]) {
    await expect(fetchThread({ graphql, repository, kind: 'issue', number: 7 })).rejects.toMatchObject(
      missing,
    );
  }
});

test.each([
  ['a foreign error is an outage', new Error('socket hang up'), 'github_unavailable'],
  ['a known error passes', new AppError('github_auth', 'no'), 'github_auth'],
])('%s', async (_, error, reason) => {
  const graphql = () => Promise.reject(error);
  await expect(fetchThread({ graphql, repository, kind: 'issue', number: 7 })).rejects.toMatchObject({
    reason,
  });
});
