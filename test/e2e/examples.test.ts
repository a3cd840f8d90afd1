/** The example workflows for everything but pull requests, each run once as it stands. */
import { expect, test } from 'vitest';
import type { ModelRequest } from '../../testkit/claude/request.ts';
import { bash, mcp, read, structuredOutput, write } from '../../testkit/claude/tools.ts';
import { runExample } from './example-run.ts';
import { answers, type Exception, lastComment, leaveAlone, play, type Story } from './example-story.ts';
import { type Stage, setStage } from './stage.ts';

const readOnly = ['Edit', 'Write', 'NotebookEdit'];
const failedRun =
  (more: { headBranch?: string; conclusion?: string; actor?: string } = {}) =>
  async ({ github, repository }: Stage) => {
    const of = { name: 'CI', headBranch: 'main', conclusion: 'failure', actor: 'octocat', ...more };
    const steps = [{ name: 'npm test', conclusion: 'failure' }];
    const log =
      '##[group]Run npm test\nExpected Hello, got Helo\n##[error]Process completed with exit code 1.';
    const jobs = [{ name: 'lint' }, { name: 'test', conclusion: 'failure', steps, log }];
    const headSha = repository.tip('main')!;
    const run = github.createWorkflowRun(repository, { ...of, headSha, jobs });
    github.createStatus(repository, { sha: headSha, state: 'success', context: 'ci/elsewhere' });
    return github.event.workflowRun(repository.record, run, 'completed', { sender: 'octocat' });
  };
/** Asks for what the tool before has named: `run` or `job`, with its number. */
const askFor =
  (tool: string, argument: 'run_id' | 'job_id', more = {}) =>
  (request: ModelRequest) => {
    const what = argument === 'run_id' ? 'workflow run' : 'job';
    const id = new RegExp(`^- ${what} (\\d+), failure`, 'm').exec(
      request.toolResults().at(-1)?.text ?? '',
    )?.[1];
    return { tools: [mcp('github_ci', tool, { [argument]: Number(id), ...more })] };
  };
const newIssue =
  ({ actor = 'mallory' } = {}) =>
  async ({ github, repository }: Stage) =>
    github.event.issues(
      github.createIssue(repository, { title: 'Broken', body: 'It says Helo.', author: actor }),
    );

const stories: Story[] = [
  {
    example: 'claude.yml',
    when: 'octocat mentions @claude on an issue: the work is on a branch, the answer in the thread',
    event: async ({ github, repository }) => {
      const issue = github.createIssue(repository, { title: 'Typo', body: 'Helo', author: 'mallory' });
      return github.event.issueComment(github.comment(issue, { author: 'octocat', body: '@claude mend it' }));
    },
    mode: 'tag',
    told: ['@claude mend it', 'Helo'],
    permissionMode: 'acceptEdits',
    claude: (path) => [
      () => ({ tools: [write(path('NOTES.md'), 'Hello.\n')] }),
      { tools: [bash('git add -A && git commit -qm "Spell it right"')] },
      { tools: [mcp('github_file_ops', 'push_changes')] },
      { tools: [bash('npm publish')] },
      { text: 'It is spelt right.' },
    ],
    tried: ['done', 'done', 'done', 'refused'],
    outcome: async ({ run, stage }) => {
      expect(await stage.repository.file(run.action!.outputs.branch_name!, 'NOTES.md')).toBe('Hello.\n');
      expect(lastComment(stage)).toContain('It is spelt right.');
    },
  },
  {
    example: 'claude-federation.yml',
    when: 'the same, with the job’s identity instead of a key',
    event: async ({ github, repository }) => {
      const issue = github.createIssue(repository, { title: '@claude hello', author: 'octocat' });
      return github.event.issues(issue);
    },
    vars: {
      ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_forgehand',
      ANTHROPIC_ORGANIZATION_ID: 'org-octo',
      ANTHROPIC_SERVICE_ACCOUNT_ID: 'svac_robot',
    },
    // The fence lets nothing through to loopback, where the token endpoint of this story is.
    inputs: { sandbox: 'off' },
    mode: 'tag',
    told: ['@claude hello'],
    permissionMode: 'acceptEdits',
    ...answers('Hello.'),
  },
  {
    example: 'issue-triage.yml',
    when: 'anybody opens an issue: the labels that Claude chose, and no comment',
    event: newIssue(),
    mode: 'tag',
    told: ['Choose the labels', 'It says Helo.'],
    permissionMode: 'acceptEdits',
    without: ['Bash', ...readOnly],
    claude: () => [{ tools: [structuredOutput({ labels: ['bug', 'documentation'] })] }],
    outcome: ({ run, stage }) => {
      expect(run.ghCalls).toEqual([
        expect.stringMatching(/^gh issue edit \S+\/issues\/1 --add-label bug,documentation$/),
      ]);
      expect(lastComment(stage)).toBeUndefined();
    },
  },
  {
    example: 'issue-deduplication.yml',
    when: 'anybody opens an issue that is an old one: numbers, and nothing else, in a comment',
    event: newIssue(),
    mode: 'agent',
    told: ['Is issue #1 of octo-org/hello a duplicate?'],
    permissionMode: 'default',
    claude: () => [
      { tools: [bash('gh issue view 1 --repo octo-org/hello')] },
      { tools: [bash('gh issue close 1 --repo octo-org/hello')] },
      { tools: [structuredOutput({ duplicates: [7, 9] })] },
    ],
    tried: ['done', 'refused'],
    warned: ['Claude works with a GitHub token of its own (`claude_github_token`).'],
    outcome: ({ run }) =>
      expect(run.ghCalls).toEqual([
        expect.stringMatching(/^gh issue comment \S+ --body This looks like #7, #9\./),
      ]),
  },
  {
    example: 'ci-failure-fix.yml',
    when: 'CI fails: a repair as a draft pull request, made where Claude has never been',
    event: failedRun(),
    mode: 'agent',
    told: ['CI failed on this branch: workflow run '],
    permissionMode: 'acceptEdits',
    claude: (path) => [
      { tools: [mcp('github_ci', 'get_ci_status')] },
      askFor('get_workflow_run_details', 'run_id'),
      askFor('download_job_log', 'job_id', { grep: 'expected|error' }),
      // The whole of it is where Claude can read it, in the fence too.
      (request) => ({ tools: [read(/`(\/\S+\.log)`/.exec(request.toolResults().at(-1)!.text)![1]!)] }),
      { tools: [bash('npm test -- --help')] },
      { tools: [bash('git push origin HEAD')] },
      () => ({ tools: [write(path('src/hello.js'), 'Hello\n')] }),
      { text: 'Repaired.' },
    ],
    tried: ['done', 'done', 'done', 'done', 'done', 'refused', 'done'],
    outcome: async ({ run, stage: { repository, model } }) => {
      const [status, details, log, file] = model.toolResults().map(({ text }) => text);
      expect(status).toContain('1 failed, 0 pending, 1 passed, 0 neutral.');
      expect(details).toContain('  - step 1, failure: npm test');
      expect(log).toContain('2: Expected Hello, got Helo\n3: ##[error]Process completed');
      expect(file).toContain('##[group]Run npm test');
      const [branch] = Object.keys(repository.branches()).filter((name) => name.startsWith('claude/repair-'));
      expect(await repository.file(branch!, 'src/hello.js')).toBe('Hello\n');
      expect(run.ghCalls).toEqual([
        expect.stringContaining(`gh pr create --draft --base main --head ${branch}`),
      ]);
    },
  },
  {
    example: 'test-failure-analysis.yml',
    when: 'tests are flaky: they run again',
    event: failedRun(),
    mode: 'agent',
    told: ['Flaky means that the same code may pass'],
    permissionMode: 'default',
    claude: (path) => [
      { tools: [bash('git log -1 --format=%s')] },
      () => ({ tools: [write(path('x'), '')] }),
      { tools: [mcp('github_ci', 'get_ci_status')] },
      { tools: [structuredOutput({ flaky: true, confidence: 0.9, reason: 'It waits for a clock.' })] },
    ],
    tried: ['done', 'refused', 'refused'],
    outcome: ({ run }) => {
      expect(run.ghCalls.at(-1)).toMatch(/^gh run rerun \d+ --failed$/);
      expect(run.action!.summary).toContain('It waits for a clock.');
    },
  },
  {
    example: 'code-analysis.yml',
    when: 'somebody asks in the Actions tab: the answer is in the summary',
    event: ({ github, repository }) =>
      github.event.workflowDispatch(repository.record, {
        sender: 'octocat',
        inputs: { topic: 'performance', question: 'Why is the start slow?' },
      }),
    mode: 'agent',
    told: ['with regard to: performance. Why is the start slow?'],
    permissionMode: 'default',
    claude: (path) => [
      { tools: [bash('git blame README.md')] },
      () => ({ tools: [write(path('x'), '')] }),
      { text: 'It reads everything twice.' },
    ],
    tried: ['done', 'refused'],
    outcome: ({ run }) => expect(run.action!.summary).toContain('It reads everything twice.'),
  },
  {
    example: 'scheduled-maintenance.yml',
    when: 'the week begins: an issue with what has gone stale',
    event: ({ github, repository }) => github.event.schedule(repository.record),
    mode: 'agent',
    told: ['what has gone stale'],
    permissionMode: 'default',
    claude: () => [{ tools: [structuredOutput({ checklist: '- [ ] README.md:1 says Helo.' })] }],
    outcome: ({ run }) =>
      expect(run.ghCalls).toEqual([
        expect.stringMatching(
          /^gh issue create --title Maintenance, [\d-]+ --body - \[ \] README.md:1 says Helo\.$/,
        ),
      ]),
  },
  {
    example: 'release-notes.yml',
    when: 'a version is tagged: its notes in a draft of the release',
    event: async ({ github, repository }) => {
      await repository.tag('v1.0.0', repository.tip('main')!);
      const after = await repository.addCommit({
        branch: 'main',
        message: 'Greet in German',
        files: { a: '1' },
      });
      await repository.tag('v1.1.0', after);
      return github.event.push(repository.record, { tag: 'v1.1.0', after });
    },
    mode: 'agent',
    told: ['Write the release notes of v1.1.0.'],
    permissionMode: 'default',
    claude: (path) => [
      { tools: [bash('git describe --tags --abbrev=0 HEAD^')] },
      { tools: [bash('git log --format=%s v1.0.0..v1.1.0')] },
      () => ({ tools: [write(path('x'), '')] }),
      { tools: [structuredOutput({ notes: '- Greetings in German' })] },
    ],
    tried: ['done', 'done', 'refused'],
    outcome: ({ run, stage }) => {
      const [before, commits] = stage.model.toolResults();
      expect([before!.text, commits!.text]).toEqual(['v1.0.0', 'Greet in German']);
      expect(run.ghCalls).toEqual([
        'gh release create v1.1.0 --draft --verify-tag --title v1.1.0 --notes - Greetings in German',
      ]);
    },
  },
  {
    example: 'dispatch.yml',
    when: 'a backend dispatches a task: a draft pull request',
    event: ({ github }) =>
      github.event.repositoryDispatch('octo-org/hello', 'claude-task', { description: 'Write the notes.' }),
    mode: 'agent',
    told: ['Write the notes.'],
    permissionMode: 'acceptEdits',
    claude: (path) => [
      () => ({ tools: [write(path('NOTES.md'), 'Notes.\n')] }),
      { tools: [bash('git add -A && git commit -qm "Write the notes"')] },
      { text: 'Written.' },
    ],
    outcome: ({ stage }) => expect(stage.repository.pullRequests()).toMatchObject([{ draft: true }]),
  },
];

test.each(stories)('$example: $when', play);

const exceptions: Exception[] = [
  [
    'ci-failure-fix.yml',
    'a success',
    failedRun({ conclusion: 'success' }),
    { repair: 'skipped', propose: 'skipped' },
  ],
  [
    'ci-failure-fix.yml',
    'its own repair',
    failedRun({ headBranch: 'claude/x' }),
    { repair: 'skipped', propose: 'skipped' },
  ],
  [
    'release-notes.yml',
    'a push to a branch',
    ({ github, repository }) => github.event.push(repository.record),
    '`tags` has no main',
  ],
  ['test-failure-analysis.yml', 'a success', failedRun({ conclusion: 'success' }), { analyse: 'skipped' }],
];

test.each(exceptions)('%s leaves %s alone', (...exception) => leaveAlone(exception));

test.each([
  ['issue-triage.yml', newIssue, { triage: 'success' }],
  ['issue-deduplication.yml', newIssue, { search: 'success', tell: 'skipped' }],
  ['ci-failure-fix.yml', failedRun, { repair: 'success', propose: 'skipped' }],
  ['test-failure-analysis.yml', failedRun, { analyse: 'success' }],
] as const)('%s: a bot’s doing ends green, without Claude', async (example, makeEvent, jobs) => {
  await using stage = await setStage();
  const run = await runExample(stage, { example, event: await makeEvent({ actor: 'renovate[bot]' })(stage) });
  expect(run.jobs).toEqual(jobs);
  expect(run.action!.outputs).toEqual({ conclusion: 'skipped', reason: 'not_permitted' });
  expect(run.ghCalls).toEqual([]);
});
