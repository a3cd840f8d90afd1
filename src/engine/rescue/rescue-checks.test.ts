import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import { createClient, type GitHubClient } from '../../github/client.ts';
import { readConfig, type SettingName } from '../../words/config.ts';
import { checkedReview, checkTargets, type JobFacts } from './rescue-checks.ts';

const here = 'octo-org/hello';
const odd = 'feat(x)`ü$(id)';

let github: LocalGitHub;
let client: GitHubClient;

beforeAll(async () => {
  github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: '1' } });
  const fork = await github.fork(repository, 'mona');
  const files = { b: '1' };
  for (const branch of [odd, 'closed', 'next', 'other'])
    await repository.addCommit({ branch, message: branch, files });
  for (const branch of [odd, 'main']) await fork.addCommit({ branch, message: branch, files });
  const heads = [odd, 'closed', `mona:${odd}`, 'mona:main'];
  for (const head of heads) {
    const pull = await github.createPullRequest(repository, { title: head, head, author: 'octocat' });
    if (head === 'closed') github.change(pull, { state: 'closed' });
  }
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const token = github.token({ login: 'octocat', repositories: [here] });
  client = createClient(host, async () => token);
});
afterAll(() => github.close());

function check(repository: string, branch: string, inputs: Partial<Record<SettingName, string>> = {}) {
  const { config } = readConfig((name) => inputs[name]);
  const job = { config, repository: here, namedBranch: 'named' } as JobFacts;
  return checkTargets(job, [{ repository, branch }], client);
}

test.each<[string, string, string, Partial<Record<SettingName, string>>?]>([
  ['a name of ours', here, 'claude/issue-1-20260131-0945'],
  ['the one without a folder', here, 'claude-issue-1-20260131-0945-2'],
  ['a prefix in capitals', here, 'claude/bot-issue-1', { branch_prefix: 'Claude/Bot-' }],
  ['a template', here, 'Fix/1-x', { branch_name_template: '//Fix/{{entityNumber}}-x' }],
  ['the default name in place of a template’s', here, 'claude/issue-1', { branch_name_template: 'fix/x' }],
  ['the branch that the event named', here, 'named'],
  ['the head of an open pull request, whatever it is called', here, odd],
  ['that of a fork', 'mona/hello', odd],
  ['a fork’s `main`', 'mona/hello', 'main'],
])('post goes on with %s', async (_, repository, branch, inputs) => {
  await expect(check(repository, branch, inputs)).resolves.toBeUndefined();
});

test.each<[string, string, string, Partial<Record<SettingName, string>>?]>([
  ['the default branch', here, 'main'],
  ['the base', here, 'claude/next', { base_branch: 'claude/next' }],
  ['another branch', here, 'other'],
  ['the head of a closed pull request', here, 'closed'],
  ['another one of the fork', 'mona/hello', 'other'],
  ['another repository', 'mallory/hello', 'claude/x'],
  ['what Git would read as another branch', here, 'claude/x:refs/heads/main'],
  ['the same as a head', here, `${odd}:refs/heads/main`],
  ['a name that makes GitHub’s filter find everything', here, ''],
])('post does not believe %s', async (_, repository, branch, inputs) => {
  await expect(check(repository, branch, inputs)).rejects.toMatchObject({ reason: 'gate_refused' });
});

const review = {
  ...{
    id: '0b6cbc1e-5a0e-4f53-9b7e-5d9b2f0f6d11',
    number: 7,
    head: 'c'.repeat(40),
    answers: [],
    posted: false,
  },
  findings: [{ path: 'a', line: 3, startLine: null, side: 'RIGHT', body: 'Wrong.', code: ['x'] }],
  conclusion: { event: 'APPROVE', body: 'Fine.' },
};
const jobOf = (inputs: Partial<Record<SettingName, string>> = {}) =>
  ({ config: readConfig((name) => inputs[name]).config, subject: 7 }) as JobFacts;

test('post goes on with the review of its own pull request', () => {
  expect(checkedReview(jobOf({ review_events: 'approve' }), review)).toEqual(review);
});

test('post approves nothing that the workflow does not let Claude approve', () => {
  expect(checkedReview(jobOf(), review).conclusion).toEqual({ event: 'COMMENT', body: 'Fine.' });
});

test.each<[string, unknown]>([
  ['another pull request', { ...review, number: 8 }],
  ['a commit that is none', { ...review, head: 'main' }],
  ['what is no review', 'review'],
  ['a line that is none', { ...review, findings: [{ ...review.findings[0], line: 0 }] }],
])('post does not review %s', (_, told) => {
  expect(() => checkedReview(jobOf(), told)).toThrow("is not this run's own");
});
