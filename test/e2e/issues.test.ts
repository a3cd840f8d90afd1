/** Issues: how a task begins there, which branch it works on, and what it ends in. */
import { expect, test } from 'vitest';
import type { Step } from '../../testkit/claude/step.ts';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { type Stage, setStage } from './stage.ts';

function openIssue(stage: Stage, title = 'The greeting is misspelt', body = 'It says Helo.'): Issue {
  return stage.github.createIssue(stage.repository, { title, body, author: 'octocat' });
}

/** Claude adds a file, commits and publishes. */
const addition = (stage: Stage) => [
  () => ({ tools: [write(stage.path('NEW.md'), 'New.\n')] }),
  { tools: [bash('git add -A && git commit -q -m "Add a file"')] },
  { tools: [mcp('github_file_ops', 'push_changes')] },
  { text: 'Added.' },
];

test('a label, an assignment, a new issue and an edit can all call Claude', async () => {
  await using stage = await setStage();
  const { github } = stage;
  const labeled = openIssue(stage);
  github.addLabel(labeled, 'Claude');
  const assigned = openIssue(stage);
  github.assign(assigned, 'claude-bot');
  const inBody = openIssue(stage, 'Greeting', 'It says Helo. @claude please mend it');
  const inTitle = openIssue(stage, '@claude mend the greeting', 'It says Helo.');
  const edited = openIssue(stage, 'Greeting', 'It says Helo.');
  const editedEvent = async () => {
    github.editBody(edited, 'It says Helo. @claude mend it', { by: 'octocat' });
    return github.event.issues(edited, 'edited', { sender: 'octocat' });
  };
  const begins = [
    [labeled, await github.event.issues(labeled, 'labeled', { label: 'Claude', sender: 'octocat' })],
    [
      assigned,
      await github.event.issues(assigned, 'assigned', { assignee: 'claude-bot', sender: 'octocat' }),
    ],
    [inBody, await github.event.issues(inBody, 'opened')],
    [inTitle, await github.event.issues(inTitle, 'opened')],
    [edited, await editedEvent()],
  ] as const;

  for (const [issue, event] of begins) {
    const asked = stage.model.main.length;
    const run = await stage.run({ event, inputs: { assignee_trigger: '@Claude-Bot' } });
    expectSuccess(run);
    expect(issue.comments.map(({ body }) => body.split('\n')[0])).toEqual([
      expect.stringContaining("✅ **Claude finished @octocat's task**"),
    ]);
    expect(stage.model.main[asked]!.firstText()).toContain(issue.body || issue.title);
  }
});

test('the branch starts at `base_branch` and is named by `branch_name_template`', async () => {
  await using stage = await setStage();
  await stage.repository.addCommit({ branch: 'next', message: 'Begin', files: { 'next.md': 'Next.\n' } });
  stage.model.script(addition(stage));
  const run = await stage.mention('@claude add a file', {
    inputs: {
      base_branch: 'next',
      branch_prefix: 'bot/',
      branch_name_template: '{{prefix}}{{entityType}}/{{entityNumber}}-{{description}}',
    },
  });

  expectSuccess(run);
  const branch = 'bot/issue/1-the-greeting-is-misspelt';
  expect(run.outputs.branch_name).toBe(branch);
  expect((await stage.repository.log(`next..${branch}`)).map(({ message }) => message.trim())).toEqual([
    'Add a file',
  ]);
  expect(stage.repository.issue(1).comments[1]!.body).toContain(`/compare/next...${branch}`);
});

test('a name that is taken gets a number, and the other branch stays as it is', async () => {
  await using stage = await setStage();
  const taken = await stage.repository.addCommit({
    branch: 'fix-1',
    message: 'Mine',
    files: { 'a.md': 'a' },
  });
  stage.model.script(addition(stage));
  const run = await stage.mention('@claude add a file', {
    inputs: { branch_name_template: 'fix-{{entityNumber}}' },
  });

  expectSuccess(run);
  expect(run.outputs.branch_name).toBe('fix-1-2');
  expect(stage.repository.tip('fix-1')).toBe(taken);
});

test('a base branch that does not exist is named', async () => {
  await using stage = await setStage();
  const run = await stage.mention('@claude add a file', { inputs: { base_branch: 'nowhere' } });

  expectFailure(run, 'invalid_input', 'Input `base_branch`: there is no branch `nowhere`.');
  expect(stage.repository.issue(1).comments[1]!.body).toContain('there is no branch `nowhere`');
  expect(stage.model.main).toEqual([]);
  expectTidy(run, stage);
});

test('a template that gives no branch name is refused before anything begins', async () => {
  await using stage = await setStage();
  const inputs = { branch_name_template: 'fix {{entityNumber}}; rm -rf /' };
  const run = await stage.mention('@claude add a file', { inputs });

  expectFailure(run, 'invalid_input', 'Input `branch_name_template` gives the branch name `fix 1; rm -rf `');
  expect(run.summary).toContain('Correct `branch_name_template`');
  expect(stage.model.main).toEqual([]);
});

const template = '## Summary\n\n- [ ] I have tested it.';
const described = {
  title: 'Add a file',
  body: '## Summary\n\nThere is `a.txt` now.\n\n- [x] I have tested it.',
};

test.each<['draft' | 'ready', { says: Step[]; title: string; shows: string[]; hides?: string }]>([
  [
    'draft',
    {
      says: [{ tools: [mcp('github_pull_request', 'update_pull_request', described)] }],
      title: 'Add a file',
      shows: [described.body],
      hides: '[ ]',
    },
  ],
  ['ready', { says: [], title: 'Fix #1: The greeting is misspelt', shows: [template, 'Added.'] }],
])(
  'with `create_pull_request: %s` the work ends in one, described by Claude or else by the template and its last words',
  async (kind, { says, title, shows, hides }) => {
    await using stage = await setStage();
    const path = '.github/PULL_REQUEST_TEMPLATE.md';
    await stage.repository.addCommit({ branch: 'main', message: 'Template', files: { [path]: template } });
    stage.model.script([...addition(stage).slice(0, -1), ...says, { text: 'Added.' }]);
    const run = await stage.mention('@claude add a file', { inputs: { create_pull_request: kind } });

    expectSuccess(run);
    const [pull] = stage.repository.pullRequests();
    expect(pull).toMatchObject({
      ...{ title, draft: kind === 'draft', base: { ref: 'main' } },
      head: { ref: run.outputs.branch_name },
    });
    for (const text of [...shows, 'Closes #1']) expect(pull!.body).toContain(text);
    if (hides) expect(pull!.body).not.toContain(hides);
    expect(run.outputs.pull_request_url).toContain(`/pull/${pull!.number}`);
    const answer = stage.repository.issue(1).comments[1]!.body;
    expect(answer).toContain(`[Pull request](${run.outputs.pull_request_url})`);
    expect(answer).not.toContain('Create pull request');
    expectTidy(run, stage);
  },
);

test('without a commit there is no branch, no pull request and no link to one', async () => {
  await using stage = await setStage([{ text: 'Nothing needs to change.' }]);
  const run = await stage.mention('@claude is it right?', { inputs: { create_pull_request: 'ready' } });

  expectSuccess(run);
  expect(Object.keys(stage.repository.branches())).toEqual(['main']);
  expect(stage.repository.pullRequests()).toEqual([]);
  expect(run.outputs).not.toHaveProperty('branch_name');
  const answer = stage.repository.issue(1).comments[1]!.body;
  expect(answer).toContain('Nothing needs to change.');
  expect(answer).not.toContain('tree/claude');
});
