/** A review is posted exactly once and with nothing lost, whatever became of the pull request while Claude read it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { PullRequest } from '../../../testkit/github/model.ts';
import type { RepositoryView } from '../../../testkit/github/repository-view.ts';
import { createClient } from '../../github/client.ts';
import type { CollectedReview, Finding } from '../../words/review.ts';
import { type PostRequest, postReview } from './review-post.ts';

const actions = 'github-actions[bot]';
const page = ['one', 'two', 'three', 'four', ''];

let github: LocalGitHub;
let repository: RepositoryView;
let pull: PullRequest;
let branch: string;

beforeAll(async () => {
  github = await startGitHub();
  repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: '1\n' } });
  repository.setPermission('octocat', 'write');
});
afterAll(() => github.close());

beforeEach(async () => {
  github.clearRequests();
  github.faults.clear();
  branch = `topic-${crypto.randomUUID()}`;
  await repository.addCommit({ branch, message: 'Add', files: { 'page.txt': page.join('\n') } });
  pull = await github.createPullRequest(repository, { title: 'Topic', head: branch, author: 'octocat' });
});

const finding = (line: number, body: string, more: Partial<Finding> = {}): Finding => ({
  ...{ path: 'page.txt', line, startLine: null, side: 'RIGHT', body, code: [page[line - 1]!] },
  ...more,
});

async function post(
  given: Partial<CollectedReview>,
  { login = null, ...more }: Partial<PostRequest> & { login?: string | null } = {},
) {
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const repositories = ['octo-org/hello'];
  const token = github.token(login ? { login, repositories } : { kind: 'actions', repositories });
  const policy = { attempts: 1, firstDelayMs: 1, longestWaitMs: 1, timeoutMs: 20_000 };
  const saved: CollectedReview[] = [];
  const review: CollectedReview = {
    ...{ id: crypto.randomUUID(), number: pull.number, head: pull.head.sha },
    ...{ findings: [], conclusion: null, answers: [], posted: false },
    ...given,
  };
  const request: PostRequest = {
    client: createClient(host, async () => token, policy),
    repository: { owner: 'octo-org', name: 'hello' },
    ...{
      review,
      ownLogin: login ?? actions,
      run: { workflow: 'Review', job: 'review', id: '7', attempt: '1' },
    },
    ...{ fixLinks: false, redact: (text) => text, succeeded: true, again: false },
    save: (state) => saved.push(state),
    ...more,
  };
  const posted = await postReview(request);
  return { ...posted, saved: saved.at(-1), request };
}

const shown = () => pull.threads.map(({ line, comments }) => `${line} ${comments[0]!.body.split('\n')[0]}`);
const sent = () =>
  github.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/reviews'));

test('all of it is one review, on the commit that Claude saw', async () => {
  const several = finding(3, 'B', { startLine: 2, code: ['two', 'three'] });
  const { url, notes, saved } = await post({
    findings: [finding(1, 'A'), several],
    conclusion: { event: 'REQUEST_CHANGES', body: 'Two findings.' },
  });
  expect(pull.reviews).toMatchObject([{ state: 'CHANGES_REQUESTED', commitId: pull.head.sha }]);
  expect(pull.threads).toMatchObject([
    { line: 1, startLine: null },
    { line: 3, startLine: 2 },
  ]);
  expect({ notes, posted: saved!.posted, requests: sent().length }).toEqual({
    notes: [],
    posted: true,
    requests: 1,
  });
  expect(url).toContain(`/pull/${pull.number}#pullrequestreview-${pull.reviews[0]!.id}`);
});

test.each<[string, Partial<CollectedReview>]>([
  ['Claude has looked at nothing but the diff', {}],
  ['its conclusion says nothing', { conclusion: { event: 'COMMENT', body: '  ' } }],
])('nothing is posted when %s', async (_, review) => {
  expect(await post(review)).toMatchObject({ url: null, notes: [] });
  expect(pull.reviews).toEqual([]);
});

test('the secret is taken out, the rest is left as it is', async () => {
  const redact = (text: string) => text.replaceAll('s3cret', '[redacted]');
  await post({ findings: [finding(1, '`s3cret` <b title="&#39;">')] }, { redact });
  expect(shown()).toEqual(['1 `[redacted]` <b title="&#39;">']);
});

test('where GitHub shows no diff, the finding stands in the body', async () => {
  await post({
    findings: [finding(1, 'A'), finding(9, 'The logo is blurred.', { path: 'logo.png', code: null })],
  });
  expect(shown()).toEqual(['1 A']);
  expect(pull.reviews[0]!.body).toContain('**`logo.png`, line 9**\n\nThe logo is blurred.');
});

describe('when the pull request has moved', () => {
  const push = (lines: string[]) =>
    repository.addCommit({ branch, message: 'Again', files: { 'page.txt': lines.join('\n') } });

  test('by commits, the review is of the commit that Claude saw', async () => {
    const head = pull.head.sha;
    await push(['zero', ...page]);
    await post({ findings: [finding(2, 'A')], head });
    expect(pull.reviews).toMatchObject([{ commitId: head }]);
    expect(sent()).toHaveLength(1);
  });

  test('by a force-push, what is there as it was is posted on it, and the rest in the body', async () => {
    const former = pull.head.sha;
    const main = await repository.tip('main');
    await repository.setBranch(branch, main!);
    await push(['one', 'two', 'THREE', 'four', '']);
    const { notes } = await post({ findings: [finding(2, 'A'), finding(3, 'B')], head: former });
    expect(shown()).toEqual(['2 A']);
    const [review, ...others] = pull.reviews;
    expect(others).toEqual([]);
    expect(review!.commitId).not.toBe(former);
    expect(review!.body).toContain('**`page.txt`, line 3**\n\nB');
    expect(notes).toEqual([expect.stringContaining('the pull request has changed')]);
  });

  test('so that no line is there any more, all of it stands in the body', async () => {
    const { notes } = await post({ findings: [finding(7, 'A', { code: ['seven'] })] });
    expect(shown()).toEqual([]);
    expect(pull.reviews[0]!.body).toContain('**`page.txt`, line 7**\n\nA');
    expect(notes).toHaveLength(1);
  });
});

describe('a verdict that GitHub does not take', () => {
  const conclusion = { event: 'APPROVE' as const, body: 'Fine.' };

  test.each([
    ['of the job’s own token', null, /not permitted to approve/],
    ['of the author', 'octocat', /own pull request/],
  ])('%s becomes a comment', async (_, login, why) => {
    const { notes } = await post({ findings: [finding(1, 'A')], conclusion }, { login });
    expect(pull.reviews).toMatchObject([{ state: 'COMMENTED' }]);
    expect(shown()).toEqual(['1 A']);
    expect(notes).toEqual([expect.stringMatching(why)]);
  });

  test('is not asked for by a run that broke off', async () => {
    repository.setPermission('monalisa', 'write');
    await post({ conclusion }, { login: 'monalisa', succeeded: false });
    expect(pull.reviews).toMatchObject([{ state: 'COMMENTED' }]);
    expect(pull.reviews[0]!.body).toContain('The run ended before the review was finished.');
    await post({ conclusion }, { login: 'monalisa' });
    expect(pull.reviews[1]).toMatchObject({ state: 'APPROVED' });
  });
});

describe('a review that GitHub does not take', () => {
  test('of a person who has one under way becomes a comment', async () => {
    repository.setPermission('monalisa', 'write');
    await github.review(pull, { author: 'monalisa', state: 'PENDING', body: 'Draft' });
    const { url, notes } = await post(
      { findings: [finding(1, 'A')], conclusion: { event: 'COMMENT', body: 'One.' } },
      { login: 'monalisa' },
    );
    expect(pull.reviews).toHaveLength(1);
    expect(pull.comments).toHaveLength(1);
    expect(pull.comments[0]!.body).toMatch(
      /^One\.\n\n### Findings outside of the diff\n\n\*\*`page\.txt`, line 1\*\*\n\nA/,
    );
    expect(url).toContain('#issuecomment-');
    expect(notes.at(-1)).toContain('one pending review');
  });

  test('as GitHub is away, is an error, and is posted when it is back', async () => {
    github.faults.add({ method: 'POST', path: /\/reviews$/, status: 502 });
    const findings = [finding(1, 'A')];
    await expect(post({ findings })).rejects.toMatchObject({ reason: 'github_unavailable' });
    github.faults.clear();
    await post({ findings }, { again: true });
    expect(shown()).toEqual(['1 A']);
  });
});

describe('nothing is posted twice', () => {
  test('when the answer is lost', async () => {
    github.faults.add({ method: 'POST', path: /\/reviews$/, after: true, status: 502, times: 1 });
    const { url } = await post({ findings: [finding(1, 'A')] });
    expect(shown()).toEqual(['1 A']);
    expect(url).toContain('#pullrequestreview-');
  });

  test('when `post` does not know how far main came', async () => {
    const before = await post({
      findings: [finding(1, 'A')],
      conclusion: { event: 'COMMENT', body: 'One.' },
    });
    const { url } = await post(before.request.review, { again: true });
    expect(url).toBe(before.url);
    expect(pull.reviews).toHaveLength(1);
  });

  test('when another run has said it meanwhile; copied marks count for nothing', async () => {
    await post({ findings: [finding(1, 'A')] });
    await github.review(pull, {
      author: 'mallory',
      comments: [
        {
          path: 'page.txt',
          line: 2,
          author: 'mallory',
          body: pull.threads[0]!.comments[0]!.body.replace('A', 'B'),
        },
      ],
    });
    await post({ findings: [finding(1, 'Otherwise'), finding(3, 'a.'), finding(2, 'C')] });
    expect(shown()).toEqual(['1 A', '2 B', '2 C']);
  });
});

describe('threads of earlier reviews', () => {
  const answer = (index: number, more = {}) => ({
    ...{
      commentId: pull.threads[index]!.comments[0]!.id,
      body: 'It is right now.',
      resolve: true,
      done: false,
    },
    ...more,
  });

  test('are answered and resolved once, and only those of our own', async () => {
    await post({ findings: [finding(1, 'A'), finding(2, 'B')] });
    await github.reviewComment(pull, { author: 'octocat', path: 'page.txt', line: 3, body: 'Mine.' });
    const answers = [answer(0), answer(1, { resolve: false }), answer(2)];
    const first = await post({ answers, posted: true });
    expect(first.saved!.answers.every(({ done }) => done)).toBe(true);
    await post({ ...first.request.review, answers }, { again: true });
    expect(pull.threads.map(({ comments }) => comments.length)).toEqual([2, 2, 1]);
    expect(pull.threads.map(({ resolvedBy }) => resolvedBy?.login ?? null)).toEqual([actions, null, null]);
  });

  test('that the token may not resolve are answered, and a note says what is missing', async () => {
    await post({ findings: [finding(1, 'A')] });
    github.faults.add({ operation: 'Resolve', status: 403 });
    const { notes } = await post({ answers: [answer(0)] });
    expect(pull.threads[0]!.comments).toHaveLength(2);
    expect(notes).toEqual([expect.stringContaining('`contents: write`')]);
  });
});
