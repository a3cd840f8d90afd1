import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { createClient, type GitHubClient } from '../github/client.ts';
import { type Config, readConfig, type SettingName } from '../words/config.ts';
import type { Task } from '../words/task.ts';
import type { PullRequestFacts, Thread } from '../words/thread.ts';
import { type BranchPlan, isMadeHere, planBranch } from './branch-plan.ts';

const here = 'octo-org/hello';
/** Branches may be called almost anything on GitHub. */
const odd = 'wip/#1-$(id)`ü"{x';

let github: LocalGitHub;
let client: GitHubClient;
let tips: Record<string, string>;

beforeAll(async () => {
  github = await startGitHub();
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: '1' } });
  for (const branch of ['next', 'release/1.0', odd])
    await repository.addCommit({ branch, message: branch, files: { b: branch } });
  tips = repository.branches();
  const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
  const token = github.token({ login: 'octocat', repositories: [here] });
  client = createClient(host, async () => token);
});
afterAll(() => github.close());

const task = { key: `${here}#7`, repository: { owner: 'octo-org', name: 'hello' } } as Task;

function config(inputs: Partial<Record<SettingName, string>>): Config {
  return readConfig((name) => inputs[name]).config;
}

const facts = {
  base: { ref: 'main', sha: 'b'.repeat(40) },
  head: { ref: 'feature', sha: 'c'.repeat(40), repository: here },
  fork: false,
  maintainerCanModify: false,
  commitCount: 3,
} as PullRequestFacts;

function thread(pullRequest: Partial<PullRequestFacts> | null, state: Thread['state'] = 'open'): Thread {
  return {
    kind: pullRequest ? 'pull_request' : 'issue',
    number: 7,
    title: 'Say hello',
    labels: [] as string[],
    state,
    pullRequest: pullRequest && { ...facts, ...pullRequest },
    defaultBranch: { name: 'main', sha: tips.main! },
  } as Thread;
}

const plan = (of: Thread | null, inputs: Partial<Record<SettingName, string>> = {}) =>
  planBranch({ task, thread: of, config: config({ branch_name_template: 'claude/new', ...inputs }) }, client);

/** Where the work goes first: `owner/repo branch`, or a branch that has yet to be made. */
function firstTarget({ targets: [target] }: BranchPlan): string {
  return `${target!.isNew ? 'new ' : ''}${target!.repository} ${target!.branch}`;
}

const fork = { fork: true, maintainerCanModify: true };
const headOf = (repository: string | null, ref = 'feature') => ({ ref, sha: facts.head.sha, repository });

describe('a pull request', () => {
  test.each<[string, Partial<PullRequestFacts>, Thread['state'], string]>([
    ['open, of this repository: its head', {}, 'open', `${here} feature`],
    ['closed: a new branch', {}, 'closed', `new ${here} claude/new`],
    ['merged: a new branch', { merged: true }, 'closed', `new ${here} claude/new`],
    [
      'of a fork that maintainers may edit: the fork',
      { ...fork, head: headOf('mona/hello') },
      'open',
      'mona/hello feature',
    ],
    [
      'of a fork that they may not edit: a new branch here',
      { ...fork, maintainerCanModify: false, head: headOf('mona/hello') },
      'open',
      `new ${here} claude/new`,
    ],
    [
      'of a fork that was deleted: a new branch here',
      { ...fork, head: headOf(null) },
      'open',
      `new ${here} claude/new`,
    ],
    [
      'of a fork’s `main`: the fork’s `main`',
      { ...fork, head: headOf('mona/hello', 'main') },
      'open',
      'mona/hello main',
    ],
    [
      'of a fork’s branch that is called like one of ours: the fork’s',
      { ...fork, head: headOf('mona/hello', 'next') },
      'open',
      'mona/hello next',
    ],
    [
      'of a fork’s branch that is called like one of ours, not editable: a new one',
      { ...fork, maintainerCanModify: false, head: headOf('mona/hello', 'next') },
      'open',
      `new ${here} claude/new`,
    ],
    [
      'of the default branch itself (into a release): a new branch',
      { head: headOf(here, 'main'), base: { ref: 'release/1.0', sha: 'b'.repeat(40) } },
      'open',
      `new ${here} claude/new`,
    ],
  ])('%s', async (_, pullRequest, state, expected) => {
    const made = await plan(thread(pullRequest, state));
    expect(firstTarget(made)).toBe(expected);
    expect(made.isNew).toBe(expected.startsWith('new '));
    const [target] = made.targets;
    expect(isMadeHere(made, { repository: target!.repository, name: target!.branch })).toBe(made.isNew);
    // Nothing is ever planned onto the base or the default branch of this repository.
    const ours = made.targets.filter(({ repository }) => repository === here).map(({ branch }) => branch);
    expect(ours).not.toContain('main');
    expect(ours).not.toContain(made.base.ref);
  });

  test('of another base has this one, whatever `base_branch` says', async () => {
    const made = await plan(thread({ base: { ref: 'gone', sha: 'd'.repeat(40) } }), { base_branch: 'next' });
    expect(made.base).toEqual({ ref: 'gone', sha: 'd'.repeat(40) });
  });
});

describe('a new branch', () => {
  test.each([
    ['the default branch', '', 'main'],
    ['`base_branch`', 'next', 'next'],
    ['a base with a folder', 'release/1.0', 'release/1.0'],
    ['a base with an odd name', odd, odd],
  ])('starts at %s', async (_, base_branch, ref) => {
    const made = await plan(thread(null), { base_branch });
    expect(made.base).toEqual({ ref, sha: tips[ref] });
    expect(made.head).toBeNull();
  });

  test.each([
    'nowhere',
    'release',
    'refs/heads/next',
    'next^',
    'next..main',
    '--upload-pack=x',
    '../../../../user',
    '[x](https://example.com)`',
    'x'.repeat(300),
  ])('does not start at %j, which there is not', async (base_branch) => {
    await expect(plan(thread(null), { base_branch })).rejects.toMatchObject({
      reason: 'invalid_input',
      message: expect.stringMatching(/^Input `base_branch`: there is no branch `[^`\n]*`\.$/),
    });
  });

  test('is never the base or the default branch, whatever the template says', async () => {
    const made = await plan(thread(null), { base_branch: 'next', branch_name_template: 'main' });
    expect(firstTarget(made)).toBe(`new ${here} main-2`);
    const other = await plan(thread(null), { base_branch: 'next', branch_name_template: 'next' });
    expect(firstTarget(other)).toBe(`new ${here} next-2`);
  });

  test('of a task without an issue starts at the default branch, too', async () => {
    const made = await plan(null, { branch_name_template: '' });
    expect(made.base).toEqual({ ref: 'main', sha: tips.main });
    expect(firstTarget(made)).toMatch(/^new octo-org\/hello claude\/task-\d{8}-\d{4}$/);
  });
});
