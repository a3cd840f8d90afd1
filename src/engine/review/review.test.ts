/** What Claude's calls become while it reviews: collected, or refused with what to do instead. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { PullRequest } from '../../../testkit/github/model.ts';
import type { RepositoryView } from '../../../testkit/github/repository-view.ts';
import { fetchThread } from '../../context/fetch.ts';
import { createClient } from '../../github/client.ts';
import type { InlineComment } from '../../mcp/review.ts';
import { hidden } from '../../report/marker.ts';
import { readConfig, type SettingName } from '../../words/config.ts';
import type { CollectedReview, ReviewEvent } from '../../words/review.ts';
import type { Task } from '../../words/task.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';
import { type Review, reviewOf } from './review.ts';

const own = 'github-actions[bot]';
const marker = hidden({ workflow: 'Review', job: 'review', run: '6', attempt: '1', review: 'r' });
const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

let github: LocalGitHub;
let repository: RepositoryView;
let pull: PullRequest;

beforeAll(async () => {
  github = await startGitHub();
  const files = { 'long.txt': lines(90).join('\n'), 'gone.txt': 'a\nb\n', 'old.txt': lines(20).join('\n') };
  repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files });
  await repository.addCommit({
    branch: 'topic',
    message: 'Change',
    files: {
      'long.txt': lines(90).with(9, 'changed').with(69, 'changed too').join('\n'),
      'new.txt': lines(20).join('\n'),
      'logo.bin': 'a\0b',
    },
    deletions: ['gone.txt', 'old.txt'],
  });
  pull = await github.createPullRequest(repository, { title: 'Topic', head: 'topic', author: 'octocat' });
  await github.review(pull, {
    author: own,
    body: `One.\n\n${marker}`,
    comments: [{ author: own, path: 'long.txt', line: 70, body: `This was better before.\n\n${marker}` }],
  });
  await github.reviewComment(pull, { author: 'monalisa', path: 'long.txt', line: 10, body: 'Why?' });
});
afterAll(() => github.close());

async function review(
  given: { inputs?: Partial<Record<SettingName, string>>; mode?: 'tag' | 'agent'; login?: string } = {},
) {
  const { inputs = {}, mode = 'tag', login } = given;
  const repositories = ['octo-org/hello'];
  const token = github.token(login ? { login, repositories } : { kind: 'actions', repositories });
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const client = createClient(host, async () => token);
  const named = { owner: 'octo-org', name: 'hello' };
  const { graphql } = client;
  const gathered =
    mode === 'tag'
      ? await fetchThread({ graphql, repository: named, kind: 'pull_request', number: pull.number })
      : null;
  const remembered: CollectedReview[] = [];
  const door = {
    config: readConfig((name) => inputs[name]).config,
    directory: '/checkout',
    remember: (_: string, value: CollectedReview) => remembered.push(value),
  } as unknown as Door;
  const subject = { kind: 'pull_request', number: pull.number, author: { login: 'octocat' } };
  const task = { repository: named, subject, mode } as unknown as Task;
  const desk = reviewOf({ door, task, connection: { client } as Connection, gathered: () => gathered })!;
  return { desk, last: () => remembered.at(-1) };
}

const finding = (more: Partial<InlineComment>): InlineComment => ({
  path: 'long.txt',
  line: 10,
  body: 'Wrong.',
  ...more,
});

describe('collected', () => {
  test.each<[string, Partial<InlineComment>, Record<string, unknown>]>([
    ['a line', {}, { path: 'long.txt', line: 10, startLine: null, side: 'RIGHT', code: ['changed'] }],
    ['several lines', { startLine: 9, line: 11 }, { startLine: 9, code: ['line 9', 'changed', 'line 11'] }],
    ['a range of one line', { startLine: 10 }, { startLine: null, line: 10 }],
    ['the first line alone', { line: undefined, startLine: 10 }, { startLine: null, line: 10 }],
    ['a deleted line', { side: 'LEFT' }, { side: 'LEFT', code: ['line 10'] }],
    ['a line of a deleted file', { path: 'gone.txt', line: 2, side: 'LEFT' }, { code: ['b'] }],
    ['a path as the shell has it', { path: './long.txt' }, { path: 'long.txt' }],
    ['a path as the file tools have it', { path: '/checkout/long.txt' }, { path: 'long.txt' }],
    ['a binary file, for the body', { path: 'logo.bin', line: 1 }, { code: null }],
    ['a file that was only renamed, for the body', { path: 'new.txt', line: 3 }, { code: null }],
    ['the commit that is reviewed, by its name', { commit_id: 'HEAD' }, {}],
  ])('%s', async (_, given, collected) => {
    const { desk, last } = await review();
    const commit_id = given.commit_id && pull.head.sha.slice(0, 12);
    const answer = await desk.comment(finding({ ...given, commit_id }));
    expect(last()).toMatchObject({ head: pull.head.sha, number: pull.number, findings: [collected] });
    expect(answer.includes('no diff')).toBe(last()!.findings[0]!.code === null);
  });

  test('without a thread, of the commit that the event names or the head', async () => {
    const { desk, last } = await review({ mode: 'agent' });
    await desk.comment(finding({}));
    expect(last()).toMatchObject({ head: pull.head.sha, findings: [{ code: ['changed'] }] });
    expect(desk.answer).toBeUndefined();
  });

  test('a probe is not', async () => {
    const { desk, last } = await review();
    await desk.comment(finding({ confirmed: false }));
    await desk.comment(finding({ confirmed: true }));
    expect(last()!.findings).toHaveLength(1);
  });

  test('several of one file ask GitHub once', async () => {
    const { desk } = await review();
    github.clearRequests();
    await Promise.all([9, 10, 11].map((line) => desk.comment(finding({ line, body: `In ${line}` }))));
    const asked = github.requests.map(({ path }) => /\/pulls\/\d+(\/\w+)/.exec(path)![1]);
    expect(asked.sort()).toEqual(['/comments', '/files']);
  });
});

describe('refused', () => {
  test.each<[string, Partial<InlineComment>, RegExp]>([
    ['a line outside the diff', { line: 40 }, /Line 40 .* not part of the diff/],
    ['lines of two hunks', { startLine: 10, line: 71 }, /not in one hunk/],
    ['lines in the wrong order', { startLine: 11, line: 10 }, /`startLine` comes after `line`/],
    ['no line', { line: undefined }, /No `line`/],
    ['a file that is not changed', { path: 'README.md' }, /does not change `README.md`/],
    ['the former name of a file', { path: 'old.txt', line: 1, side: 'LEFT' }, /does not change `old.txt`/],
    ['a place outside of the repository', { path: '/etc/passwd' }, /does not change/],
    ['another commit', { commit_id: 'abc1234' }, /not of `commit_id`/],
    ['a suggestion for what is deleted', { side: 'LEFT', body: 'x\n```suggestion\ny\n```' }, /no suggestion/],
    ['what an earlier review has in that place', { line: 70 }, /says this already.*review thread 1/],
    ['what an earlier review has said elsewhere', { body: 'this was better before' }, /review thread 1/],
  ])('%s', async (_, given, why) => {
    const { desk, last } = await review();
    await expect(desk.comment(finding(given))).rejects.toMatchObject({
      ...{
        reason: 'invalid_input',
        message: expect.stringMatching(why),
        remedy: expect.stringMatching(/\w/),
      },
    });
    expect(last()?.findings ?? []).toEqual([]);
  });

  test('the same twice, also at the same time', async () => {
    const { desk, last } = await review();
    const both = await Promise.allSettled([
      desk.comment(finding({})),
      desk.comment(finding({ body: 'wrong' })),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(last()!.findings).toHaveLength(1);
  });

  test('in agent mode an earlier finding is named by its page', async () => {
    const { desk } = await review({ mode: 'agent' });
    await expect(desk.comment(finding({ line: 70 }))).rejects.toThrow(/the thread at http.*#discussion_r\d+/);
  });
});

describe('the verdict', () => {
  test.each<[string, ReviewEvent, string, Parameters<typeof review>[0], RegExp | null]>([
    ['a comment', 'COMMENT', 'Fine.', {}, null],
    ['nothing to say', 'COMMENT', '', {}, null],
    ['an approval that is allowed', 'APPROVE', '', { inputs: { review_events: 'approve' } }, null],
    [
      'an approval that is not',
      'APPROVE',
      'Fine.',
      {},
      /`review_events` of this workflow allows `COMMENT`, not `APPROVE`/,
    ],
    [
      'a comment where only verdicts are',
      'COMMENT',
      'x',
      { inputs: { review_events: 'APPROVE' } },
      /not `COMMENT`/,
    ],
    [
      'an approval of one’s own',
      'APPROVE',
      'x',
      { inputs: { review_events: 'APPROVE' }, login: 'octocat' },
      /their own pull request/,
    ],
    [
      'a request without words',
      'REQUEST_CHANGES',
      ' ',
      { inputs: { review_events: 'REQUEST_CHANGES' } },
      /needs a `body`/,
    ],
  ])('%s', async (_, event, body, given, why) => {
    const { desk, last } = await review(given);
    const answer = desk.submit({ event, body });
    if (why) await expect(answer).rejects.toThrow(why);
    else expect(await answer).toContain(`posted as ${event}`);
    expect(last()?.conclusion ?? null).toEqual(why ? null : { event, body });
  });
});

describe('answers in threads', () => {
  const answer = async ({ desk }: { desk: Review }, number: number, body: string | null = null) =>
    desk.answer!(number, { body, resolve: body === null });

  test('of our own are collected; the last one counts', async () => {
    const open = await review();
    await answer(open, 1, 'Still so.');
    await answer(open, 1);
    const commentId = pull.threads[0]!.comments[0]!.id;
    expect(open.last()!.answers).toEqual([{ commentId, body: null, resolve: true, done: false }]);
  });

  test.each([
    ['other people’s', 2, /is not yours/],
    ['none', 3, /no review thread 3/],
  ])('of %s are refused', async (_, number, why) => {
    await expect(answer(await review(), number)).rejects.toThrow(why);
  });
});

test.each(['approve, merge', 'everything'])(
  '`review_events: %s` is a problem that names the input',
  (events) => {
    const { problems } = readConfig((name) => (name === 'review_events' ? events : undefined));
    expect(problems).toEqual([
      { name: 'review_events', message: expect.stringMatching(/must be one of `COMMENT`, `APPROVE`/) },
    ]);
  },
);
