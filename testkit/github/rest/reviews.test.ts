/** Reviews as GitHub takes and refuses them, and threads that follow their lines through later commits. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../main.ts';
import type { PullRequest } from '../model.ts';
import type { RepositoryView } from '../repository-view.ts';

const page = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);

let github: LocalGitHub;
let repository: RepositoryView;

beforeAll(async () => {
  github = await startGitHub();
  repository = await github.createRepository({
    owner: 'octo',
    name: 'hello',
    files: { 'a.txt': page.join('\n') },
  });
});
afterAll(() => github.close());

async function open(branch: string): Promise<PullRequest> {
  const files = { 'a.txt': page.with(9, 'ten').with(29, 'thirty').join('\n'), 'new.txt': 'a\nb\nc\nd\n' };
  await repository.addCommit({ branch, message: 'Change', files });
  return github.createPullRequest(repository, { title: branch, head: branch, author: 'octocat' });
}

async function post(pull: PullRequest, review: Record<string, unknown>) {
  const token = github.token({ kind: 'actions', repositories: ['octo/hello'] });
  const answer = await fetch(`${github.apiUrl}/repos/octo/hello/pulls/${pull.number}/reviews`, {
    method: 'POST',
    headers: { authorization: `token ${token}` },
    body: JSON.stringify(review),
  });
  const { errors } = (await answer.json()) as { errors?: string[] };
  return { status: answer.status, errors };
}

const line = 'Pull request review thread line must be part of the diff';
const hunk = 'same hunk';

test.each<[string, Record<string, unknown>, string]>([
  ['a line outside the diff', { path: 'a.txt', line: 20 }, line],
  ['no line', { path: 'a.txt' }, line],
  ['a line of the other side', { path: 'new.txt', line: 1, side: 'LEFT' }, line],
  ['a file that is not changed', { path: 'b.txt', line: 1 }, 'path is invalid'],
  ['lines of two hunks', { path: 'a.txt', line: 30, start_line: 10 }, hunk],
  ['lines in the wrong order', { path: 'a.txt', line: 10, start_line: 11 }, hunk],
])('GitHub refuses %s, all of the review with it, and says so in a sentence', async (name, comment, says) => {
  const pull = await open(name.replaceAll(' ', '-'));
  const comments = [
    { path: 'a.txt', line: 10, body: 'Good.' },
    { body: 'Bad.', ...comment },
  ];
  const { status, errors } = await post(pull, { event: 'COMMENT', comments });
  expect({ status, errors }).toEqual({ status: 422, errors: [expect.stringContaining(says)] });
  expect([pull.reviews, pull.threads]).toEqual([[], []]);
});

test('the commit may be an earlier one of the pull request, and no other', async () => {
  const pull = await open('earlier');
  const earlier = pull.head.sha;
  await repository.addCommit({ branch: 'earlier', message: 'Again', files: { 'new.txt': 'z\n' } });
  const comments = [{ path: 'new.txt', line: 3, body: 'Of then.' }];
  expect((await post(pull, { event: 'COMMENT', comments, commit_id: earlier })).status).toBe(200);
  expect((await post(pull, { event: 'COMMENT', body: 'x', commit_id: repository.tip('main') })).status).toBe(
    422,
  );
});

test('Actions approves nothing unless a repository allows it; nobody has two drafts', async () => {
  const pull = await open('verdicts');
  expect((await post(pull, { event: 'APPROVE' })).errors).toEqual([
    expect.stringContaining('not permitted to approve'),
  ]);
  expect((await post(pull, { body: 'Draft' })).status).toBe(200);
  expect((await post(pull, { event: 'COMMENT', body: 'x' })).errors).toEqual([
    expect.stringContaining('one pending review'),
  ]);
});

describe('a thread on lines 2 to 3 of a new file', () => {
  test.each<[string, string, [number | null, number | null] | null]>([
    ['stays where it is', 'a\nb\nc\nD\n', [2, 3]],
    ['moves down with its lines', 'x\ny\na\nb\nc\nd\n', [4, 5]],
    ['moves up', 'b\nc\nd\n', [1, 2]],
    ['is outdated when one of them changes', 'a\nb\nC\nd\n', null],
    ['is outdated when something comes between', 'a\nb\nx\nc\nd\n', null],
    ['is outdated when its file goes', '', null],
  ])('%s', async (name, content, place) => {
    const branch = name.replaceAll(' ', '-');
    const pull = await open(branch);
    const comments = [{ path: 'new.txt', start_line: 2, line: 3, body: 'Here.' }];
    expect((await post(pull, { event: 'COMMENT', comments })).status).toBe(200);
    const change = content ? { files: { 'new.txt': content } } : { deletions: ['new.txt'] };
    await repository.addCommit({ branch, message: 'Push', ...change });
    const [thread] = pull.threads;
    expect(thread!.outdated).toBe(place === null);
    if (place) expect([thread!.startLine, thread!.line]).toEqual(place);
  });
});
