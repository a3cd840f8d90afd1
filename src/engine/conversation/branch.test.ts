import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { RepositoryView } from '../../../testkit/github/repository-view.ts';
import { createClient, type GitHubClient } from '../../github/client.ts';
import { readConfig } from '../../words/config.ts';
import type { Task } from '../../words/task.ts';
import type { Thread } from '../../words/thread.ts';
import { type BranchPlan, isMadeHere, planBranch } from '../branch-plan.ts';
import { onEarlierBranch } from './branch.ts';

const here = 'octo-org/hello';
const task = { key: `${here}#1`, repository: { owner: 'octo-org', name: 'hello' } } as Task;
const identity = { name: 'claude[bot]', email: '1+claude[bot]@users.noreply.github.com' };
const theirs = { name: 'monalisa', email: 'monalisa@example.com' };

let github: LocalGitHub;
let repository: RepositoryView;
let client: GitHubClient;

beforeAll(async () => {
  github = await startGitHub();
  repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: '1' } });
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const token = github.token({ login: 'octocat', repositories: [here] });
  client = createClient(host, async () => token);
  const commit = (branch: string, author = identity) =>
    repository.addCommit({ branch, message: branch, files: { [branch]: branch }, author });
  for (const branch of ['claude/open', 'claude/shared', 'claude/merged', 'claude/closed', 'claude/protected'])
    await commit(branch);
  await commit('claude/shared', theirs);
  repository.protect('claude/protected');
  const pull = (head: string) =>
    github.createPullRequest(repository, { title: head, body: '', head, author: 'octocat' });
  await pull('claude/open');
  await github.merge(await pull('claude/merged'));
  github.change(await pull('claude/closed'), { state: 'closed' });
});
afterAll(() => github.close());

async function plan(branch: string, pullRequest: Thread['pullRequest'] = null): Promise<BranchPlan> {
  const thread = {
    ...{ kind: pullRequest ? 'pull_request' : 'issue', number: 1, title: 'Hello', labels: [] as string[] },
    ...{ state: 'open', pullRequest, defaultBranch: { name: 'main', sha: repository.tip('main') } },
  } as Thread;
  const { config } = readConfig((name) => (name === 'branch_name_template' ? 'claude/new' : undefined));
  const fresh = await planBranch({ task, thread, config }, client);
  return onEarlierBranch(fresh, { branch, task, identity }, client);
}

test('the work goes on where it was, and what is there counts as made by us', async () => {
  const found = await plan('claude/open');
  expect(found).toMatchObject({
    head: { ref: 'claude/open', sha: repository.tip('claude/open'), fork: false, commitCount: 1 },
    targets: [{ repository: here, branch: 'claude/open' }],
    isNew: false,
  });
  expect(isMadeHere(found, { repository: here, name: 'claude/open' })).toBe(true);
});

test.each([
  ['is gone', 'claude/gone'],
  ['was merged', 'claude/merged'],
  ['had its pull request closed', 'claude/closed'],
  ['has commits of others', 'claude/shared'],
  ['is protected', 'claude/protected'],
  ['is the default branch', 'main'],
])('a new branch where that of before %s', async (_, branch) => {
  expect(await plan(branch)).toMatchObject({ head: null, isNew: true });
});

test('a pull request has a branch of its own', async () => {
  const head = { ref: 'feature', sha: 'c'.repeat(40), repository: here };
  const base = { ref: 'main', sha: repository.tip('main')! };
  const pull = { ...{ head, base, fork: false }, maintainerCanModify: false, commitCount: 3 };
  expect(await plan('claude/open', pull as Thread['pullRequest'])).toMatchObject({
    head: { ref: 'feature' },
  });
});
