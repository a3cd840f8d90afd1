import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import { createClient, type GitHubClient } from '../../github/client.ts';
import { redactor } from '../../words/redact.ts';
import { Secret } from '../../words/secret.ts';
import type { Task } from '../../words/task.ts';
import { mirrorTip, updateMirror } from '../../workspace/mirror.ts';
import { readTemplate } from '../../workspace/mirror-files.ts';
import { issueBranches, type OpenedBranch, openIssueBranch } from '../../workspace/opening.ts';
import { closeEmpty, openDraft, updateAfterTurn } from './issue-pull-request.ts';

const secret = `ghp_${'s'.repeat(36)}`;
const redact = redactor([secret]);

interface Scene {
  github: LocalGitHub;
  client: GitHubClient;
  task: Task;
  remote: { url: string; token: Secret };
  /** The branch of the issue, as a session opens it. */
  opened: OpenedBranch;
  template: string | null;
}

/** An issue whose branch is open, on a GitHub of its own. */
async function scene(files: Record<string, string> = {}): Promise<Scene> {
  const github = await startGitHub();
  const data = mkdtempSync(join(tmpdir(), 'forgehand-test-'));
  onTestFinished(async () => {
    expect(github.violations).toEqual([]);
    await github.close();
    rmSync(data, { recursive: true, force: true });
  });
  const repository = await github.createRepository({
    owner: 'octo-org',
    name: 'hello',
    files: { 'README.md': '# Helo', ...files },
  });
  const issue = github.createIssue(repository, { title: 'Say hello right', body: 'Helo', author: 'octocat' });
  const token = github.token({ login: 'claude[bot]', repositories: ['octo-org/hello'] });
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const policy = { attempts: 2, firstDelayMs: 1, longestWaitMs: 1, timeoutMs: 10_000 };
  const client = createClient(host, async () => token, policy);
  const task = {
    key: `octo-org/hello#${issue.number}`,
    repository: { owner: 'octo-org', name: 'hello' },
    subject: { kind: 'issue', number: issue.number, title: issue.title, body: issue.body, labels: [] },
  } as unknown as Task;
  const mirror = join(data, 'hello.git');
  const remote = { url: repository.cloneUrl, token: new Secret(token) };
  await updateMirror({ directory: mirror, remote, exclusive: (work) => work() });
  const base = { ref: 'main', sha: (await mirrorTip(mirror, 'refs/heads/main'))! };
  const opened = await openIssueBranch({
    mirror,
    remote,
    candidates: issueBranches(issue.number),
    base,
    neverTo: ['main'],
    identity: { name: 'claude[bot]', email: '1+claude[bot]@users.noreply.github.com' },
    message: `Begin work on ${task.key}`,
    mark: task.key,
  });
  return { github, client, task, remote, opened, template: await readTemplate(mirror, base.sha) };
}

const open = ({ client, task, opened, template }: Scene) =>
  openDraft(client, { task, branch: opened.branch, base: 'main', template });
const pulls = ({ github }: Scene) => github.repository('octo-org/hello').pullRequests();
const work = ({ github, opened }: Scene) =>
  github.repository('octo-org/hello').addCommit({
    branch: opened.branch,
    message: 'Say hello',
    files: { 'README.md': '# Hello' },
  });
const update = (
  { client, task }: Scene,
  number: number,
  more: { text?: { title?: string; body: string } | null; ready?: boolean },
) => updateAfterTurn(client, { task, number, text: null, ready: false, redact, ...more });

test('a draft with the title of the issue, linked to it, before the first turn', async () => {
  const set = await scene();
  const made = await open(set);
  expect(made).toMatchObject({ draft: true, isNew: true, notes: [] });
  const [pull] = pulls(set);
  expect(pull).toMatchObject({ title: 'Fix #1: Say hello right', draft: true, base: { ref: 'main' } });
  expect(pull!.head.ref).toBe('issue-1');
  expect(pull!.body).toMatch(/## What[\s\S]*Closes #1[\s\S]*## How tested/);
  expect(made.url).toBe(`${set.github.serverUrl}/octo-org/hello/pull/${pull!.number}`);
});

test("the repository's template is respected, and linked all the same", async () => {
  const template = '## Summary\n\n- [ ] Docs are updated\n';
  const set = await scene({ '.github/pull_request_template.md': template });
  await open(set);
  expect(pulls(set)[0]!.body).toContain('## Summary\n\n- [ ] Docs are updated\n\nCloses #1\n');
});

test('after a crash before it was written down it is found, not made again', async () => {
  const set = await scene();
  const first = await open(set);
  expect(await open(set)).toEqual({ ...first, isNew: false });
  expect(pulls(set)).toHaveLength(1);
});

test.each([
  ['the answer was lost', { status: 502, after: true, times: 1 }],
  ['the connection broke after it was made', { reset: true as const, after: true, times: 1 }],
])('made once also when %s', async (_, fault) => {
  const set = await scene();
  set.github.faults.add({ method: 'POST', path: /\/pulls$/, ...fault });
  expect((await open(set)).number).toBe(pulls(set)[0]!.number);
  expect(pulls(set)).toHaveLength(1);
});

test('two processes at once make one', async () => {
  const set = await scene();
  const [one, two] = await Promise.all([open(set), open(set)]);
  expect(one.number).toBe(two.number);
  expect(pulls(set)).toHaveLength(1);
});

test("a pull request that a person opened for the branch is taken, and linked below the person's words", async () => {
  const set = await scene();
  const theirs = await set.github.createPullRequest('octo-org/hello', {
    title: 'Mine',
    body: 'I was faster.',
    head: 'issue-1',
    author: 'octocat',
  });
  expect(await open(set)).toMatchObject({ number: theirs.number, isNew: false, draft: false });
  expect(theirs).toMatchObject({ title: 'Mine', body: 'I was faster.\n\nCloses #1' });
});

test('a closed one is not reopened', async () => {
  const set = await scene();
  const { number } = await open(set);
  set.github.change(pulls(set)[0]!, { state: 'closed' });
  expect((await open(set)).number).not.toBe(number);
});

test('where the repository takes no drafts it is open for review, and that is said', async () => {
  const set = await scene();
  const body = {
    message: 'Validation Failed',
    errors: ['Draft pull requests are not supported in this repository.'],
    documentation_url: 'https://docs.github.com/rest/pulls/pulls#create-a-pull-request',
  };
  set.github.faults.add({ method: 'POST', path: /\/pulls$/, status: 422, body, times: 1 });
  const made = await open(set);
  expect(made).toMatchObject({ draft: false, isNew: true, notes: [expect.stringContaining('draft')] });
});

test('a refusal is told in GitHub’s words', async () => {
  const set = await scene();
  const { client, task } = set;
  const same = openDraft(client, { task, branch: 'main', base: 'main', template: null });
  await expect(same).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringContaining('No commits between main and main'),
  });
});

test('after each turn it shows what Claude said, without secrets, and only changes are sent', async () => {
  const set = await scene();
  const { number } = await open(set);
  const text = { title: 'Say hello', body: `## What\nSpelt right. ${secret}` };
  expect(await update(set, number, { text })).toEqual({ draft: true, notes: [] });
  const [pull] = pulls(set);
  expect(pull!.title).toBe('Say hello');
  expect(pull!.body).toContain('## What\nSpelt right. ***\n\nCloses #1');
  set.github.clearRequests();
  await update(set, number, { text });
  expect(set.github.requests.map(({ method }) => method)).toEqual(['GET']);
});

test('what people edit meanwhile stays', async () => {
  const set = await scene();
  const { number } = await open(set);
  const [pull] = pulls(set);
  set.github.change(pull!, { title: 'A better title' }, { by: 'octocat' });
  set.github.editBody(pull!, `${pull!.body}\r\n\r\nTested by hand.`, { by: 'octocat' });
  await update(set, number, { text: { title: 'Ours', body: 'New text' } });
  expect(pull!.title).toBe('A better title');
  expect(pull!.body).toMatch(/New text\n\nCloses #1\n<!--.*-->\n\nTested by hand\.$/);
});

test('ready for review when that is wanted and there is work, once', async () => {
  const set = await scene();
  const { number } = await open(set);
  expect(await update(set, number, { ready: true })).toMatchObject({ draft: true });
  await work(set);
  expect(await update(set, number, {})).toMatchObject({ draft: true });
  expect(await update(set, number, { ready: true })).toEqual({ draft: false, notes: [] });
  expect(pulls(set)[0]!.draft).toBe(false);
  set.github.clearRequests();
  await update(set, number, { ready: true });
  expect(set.github.requests.filter(({ kind }) => kind === 'graphql')).toEqual([]);
});

test('a credential that may not mark it ready is a note', async () => {
  const set = await scene();
  const { number } = await open(set);
  await work(set);
  const errors = [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }];
  set.github.faults.add({ operation: 'MarkReady', status: 200, body: { data: null, errors } });
  expect(await update(set, number, { ready: true })).toEqual({
    draft: true,
    notes: [expect.stringContaining('could not be marked ready')],
  });
});

test('a pull request that was closed or merged is left as it is', async () => {
  const set = await scene();
  const { number } = await open(set);
  const before = pulls(set)[0]!.body;
  set.github.change(pulls(set)[0]!, { state: 'closed' });
  const { notes } = await update(set, number, { text: { body: 'Late' }, ready: true });
  expect(notes).toEqual([expect.stringContaining('is closed')]);
  expect(pulls(set)[0]!.body).toBe(before);
  await expect(update(set, 99, { ready: true })).rejects.toMatchObject({ reason: 'github_auth' });
});

test('an empty draft is closed and its branch deleted, twice is once', async () => {
  const set = await scene();
  const { client, task, remote, opened } = set;
  const { number } = await open(set);
  const request = { task, number, branch: opened.branch, opening: opened.opening, remote };
  expect(await closeEmpty(client, request)).toBe('closed');
  expect(await closeEmpty(client, { ...request, number: null })).toBe('closed');
  expect(pulls(set)[0]!.state).toBe('closed');
  expect(Object.keys(set.github.repository('octo-org/hello').branches())).toEqual(['main']);
});

test('one with work is never closed, nor its branch deleted', async () => {
  const set = await scene();
  const { client, task, remote, opened } = set;
  await open(set);
  await work(set);
  const request = { task, number: null, branch: opened.branch, opening: opened.opening, remote };
  expect(await closeEmpty(client, request)).toBe('kept');
  expect(pulls(set)[0]!.state).toBe('open');
  expect(Object.keys(set.github.repository('octo-org/hello').branches())).toEqual(['issue-1', 'main']);
});

test('work that arrives while it is being closed keeps both', async () => {
  const set = await scene();
  const { client, task, remote, opened } = set;
  const { number } = await open(set);
  const racing: GitHubClient = {
    ...client,
    rest: async (...call) => {
      const answer = await client.rest(...call);
      await work(set);
      return answer as never;
    },
  };
  const request = { task, number, branch: opened.branch, opening: opened.opening, remote };
  expect(await closeEmpty(racing, request)).toBe('kept');
  expect(pulls(set)[0]!.state).toBe('open');
});
