/** What a pull request costs to read, by its size: requests to GitHub and characters of the prompt, as numbers that hold. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFileDiff } from '../../src/context/diff.ts';
import { fetchThread } from '../../src/context/fetch.ts';
import { filterThread } from '../../src/context/filter.ts';
import { createClient } from '../../src/github/client.ts';
import { buildPrompt } from '../../src/prompt/build.ts';
import { answerRoom, commentsAnswer, diffAnswer, filesAnswer, threadAnswer } from '../../src/prompt/shelf.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { huge, makePullRequest, type Size, small } from '../../testkit/large-pull-request.ts';
import { defaults, item, pullRequest, thread as sample } from './prompt-samples.ts';

const { facts, settings, pullRequestTask } = defaults;
const createdAt = '2026-03-01T10:00:00Z';

let github: LocalGitHub;
beforeAll(async () => {
  // The answers of a huge one take long to check against GitHub's description; a small one's are checked elsewhere.
  github = await startGitHub({ validate: false });
});
afterAll(() => github.close());

/** Reads a pull request as a run does, and writes its prompt. */
async function read(name: string, size: Size) {
  const number = await makePullRequest(github, { name, size, createdAt });
  const { apiUrl, graphqlUrl, serverUrl } = github;
  const token = github.token({ login: 'octo-org' });
  const client = createClient({ apiUrl, graphqlUrl, serverUrl }, async () => token);
  const repository = { owner: 'octo-org', name };
  const trigger = { kind: 'mention' as const, item: item() };
  const task = pullRequestTask({ trigger, instruction: 'please fix this' });
  github.clearRequests();
  const fetched = await fetchThread({ graphql: client.graphql, repository, kind: 'pull_request', number });
  const thread = filterThread({ ...fetched, task, include: [], exclude: [], trackingCommentId: null });
  const input = { task, settings, facts: { ...facts, tools: { ...facts.tools, context: true } } };
  const { prompt, shelf, leftOut } = buildPrompt({ ...input, thread });
  const framing = buildPrompt({
    ...input,
    thread: sample({ kind: 'pull_request', comments: [item()], pullRequest: pullRequest() }),
  }).prompt;
  const fileDiff = (path: string) =>
    readFileDiff({ rest: client.rest, repository, number, facts: thread.pullRequest! }, path);
  return { thread, prompt, shelf: shelf!, leftOut, framing, fileDiff, requests: [...github.requests] };
}

const count = (text: string, part: RegExp) => (text.match(part) ?? []).length;

test('a small one is one request and all in the prompt', async () => {
  const { prompt, leftOut, requests } = await read('small', small);
  expect(requests).toHaveLength(1);
  expect(leftOut).toEqual([]);
  expect(count(prompt, /kind="comment"/g)).toBe(small.comments + 1);
  expect(count(prompt, /^added `src/gm)).toBe(small.files);
});

test('of a huge one each page is read once, the prompt keeps to its budget, and all the rest can be had', async () => {
  const { thread, prompt, shelf, leftOut, framing, fileDiff, requests } = await read('huge', huge);
  const pages = (of: number) => Math.ceil(of / 100) - 1;
  // On GitHub the answer in a review thread is a review of its own.
  const reviews = huge.threads + 1;
  const lists = [huge.files, huge.comments, huge.threads, reviews].map(pages);
  expect(requests).toHaveLength(1 + lists.reduce((sum, one) => sum + one));
  const { files, reviewThreads } = thread.pullRequest!;
  expect([files.length, thread.comments.length, reviewThreads.length]).toEqual([
    huge.files,
    huge.comments + 1,
    huge.threads,
  ]);

  expect(prompt.length).toBeLessThan(settings.contextBudgetChars + framing.length);
  expect(prompt.length).toBeGreaterThan(settings.contextBudgetChars * 0.9);
  const left = (what: string) => leftOut.find((entry) => entry.what === what)?.count ?? 0;
  expect(count(prompt, /^#### Review thread/gm) + left('review threads')).toBe(huge.threads);
  // The one that calls is the request.
  expect(count(prompt, /kind="comment"/g) - 1 + left('comments')).toBe(huge.comments);
  expect(count(prompt, /^added `src/gm) + left('changed files')).toBe(huge.files);

  let seen = 0;
  for (let before: number | null = null; ; ) {
    const answer = commentsAnswer(shelf, before);
    expect(answer.length).toBeLessThan(answerRoom + 500);
    seen += count(answer, /kind="comment"/g);
    const next = /with `before` (\d+)/.exec(answer);
    if (!next) break;
    before = Number(next[1]);
  }
  expect(seen).toBe(left('comments'));
  const listed = [...threadAnswer(shelf, null).matchAll(/Review thread (\d+)/g)].map(([, number]) =>
    Number(number),
  );
  expect(listed).toHaveLength(left('review threads'));
  expect(threadAnswer(shelf, listed[0]!)).toContain(`Review thread ${listed[0]}`);
  expect(count(filesAnswer(shelf, 10), /^added `src/gm)).toBe(300);
  github.clearRequests();
  const { path } = files[1_500]!;
  expect(diffAnswer(shelf, await fileDiff(path))).toContain('+export const n = ');
  expect(github.requests).toHaveLength(1);
});
