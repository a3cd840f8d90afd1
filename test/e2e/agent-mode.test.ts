/** With a `prompt` Claude works on any event: the prompt as it is, and nothing written anywhere unless asked. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { bash, mcp, structuredOutput } from '../../testkit/claude/tools.ts';
import type { ActionOptions } from '../../testkit/runner/action-run.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

type Event = ActionOptions['event'];

const prompt = 'Count the files.\n\n  Then say  how many. <!-- as it is -->';

function somethingSaid({ github, repository }: Stage) {
  const issue = github.createIssue(repository, { title: 'Hi', body: 'ISSUE-TEXT', author: 'octocat' });
  return github.comment(issue, { author: 'octocat', body: 'No mention here. COMMENT-TEXT' });
}

const events: Array<[string, (stage: Stage) => Promise<Event>]> = [
  ['workflow_dispatch', (stage) => stage.github.event.workflowDispatch(stage.repository.record)],
  ['schedule', (stage) => stage.github.event.schedule(stage.repository.record)],
  ['push', (stage) => stage.github.event.push(stage.repository.record)],
  ['pull_request', async (stage) => stage.github.event.pullRequest(await openPull(stage), 'synchronize')],
  ['issue_comment', (stage) => stage.github.event.issueComment(somethingSaid(stage))],
  ...['release.published', 'check_suite.completed', 'deployment_status.created'].map(
    (file): (typeof events)[number] => [file, (stage) => stored(stage, file)],
  ),
  ['an event that nobody knows', (stage) => stage.github.event.other('brand_new', stage.repository.record)],
];

/** GitHub's own example, as if it were about the stage's repository. */
async function stored({ github, repository }: Stage, file: string): Promise<Event> {
  const text = await readFile(`test/fixtures/payloads/${file}.json`, 'utf8');
  const { repository: _, sender: __, ...fields } = JSON.parse(text);
  return github.event.other(file.split('.')[0]!, repository.record, fields);
}

test.each(events)(
  'a prompt on `%s` is sent as it is; no comment, no branch, nothing to sign',
  async (_, make) => {
    await using stage = await setStage([{ text: 'Three files.' }]);
    const event = await make(stage);
    const before = stage.repository.branches();
    const said = stage.repository.subjects().map(({ comments }) => comments.length);
    const inputs = { prompt, use_commit_signing: 'true' };
    const run = await stage.run({ event: { ...event, payload: withSender(event) }, inputs });

    expectSuccess(run);
    expect(stage.model.firstText()).toBe(prompt);
    expect(JSON.stringify(stage.model.main[0]!.body)).not.toMatch(/ISSUE-TEXT|COMMENT-TEXT/);
    expect(stage.repository.branches()).toEqual(before);
    expect(stage.repository.subjects().map(({ comments }) => comments.length)).toEqual(said);
    expect(stage.github.requests.filter(({ method, kind }) => kind === 'rest' && method !== 'GET')).toEqual(
      [],
    );
    expect(run.outputs).toMatchObject({
      num_turns: '1',
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(run.summary).toContain('agent mode');
    expect(run.summary).toContain(`| event | \`${event.name}\` |`);
    expect(run.summary).toContain(
      'No effect on a `prompt` alone, which has no branch: `use_commit_signing`.',
    );
    expectTidy(run, stage);
  },
);

/** octocat did it: the owner of the repository, whom the kit takes, is an organisation. */
function withSender({ payload }: Event) {
  return { ...payload, sender: { login: 'octocat', id: 1, type: 'User' } };
}

test('a dispatch brings its task as `description`', async () => {
  await using stage = await setStage();
  const description = 'Write the release notes.';
  const event = await stage.github.event.repositoryDispatch('octo-org/hello', 'task', { description });
  const run = await stage.run({ event });

  expectSuccess(run);
  expect(stage.model.firstText()).toContain(description);
});

test('a comment is written where it is asked for', async () => {
  await using stage = await setStage([{ text: 'Three files.' }]);
  const comment = somethingSaid(stage);
  const event = await stage.github.event.issueComment(comment);
  const run = await stage.run({ event, inputs: { prompt, comment: 'always' } });

  expectSuccess(run);
  const [, answer] = stage.repository.issue(1).comments;
  expect(answer!.body).toContain('Three files.');
  expect(run.outputs.comment_url).toContain(`#issuecomment-${answer!.id}`);
  expect(run.outputs.claude_comment_id).toBe(String(answer!.id));
});

test('a review of each push keeps to one comment, which Claude may write where its tool is allowed', async () => {
  const text = 'First look: `Halo` is misspelt.';
  await using stage = await setStage([
    { tools: [mcp('github_comment', 'update_claude_comment', { body: text })] },
    { text: 'Reported.' },
  ]);
  const pull = await openPull(stage);
  stage.github.comment(pull, { author: 'octocat', body: 'Thanks.' });
  const inputs = {
    ...{ prompt: 'Review what was pushed.', comment: 'always', use_sticky_comment: 'true' },
    claude_args: '--allowedTools mcp__github_comment__update_claude_comment',
  };
  const push = async () =>
    stage.run({ event: await stage.github.event.pullRequest(pull, 'synchronize'), inputs });
  const first = await push();

  expectSuccess(first);
  expect(stage.model.firstText()).toBe(inputs.prompt);
  expect(pull.comments).toHaveLength(2);
  expect(pull.comments[1]!.body).toContain(text);

  await stage.repository.addCommit({ branch: 'german', message: 'Correct it', files: { 'a.txt': 'a' } });
  stage.model.script([{ text: 'Second look: nothing is left.' }]);
  const second = await push();

  expectSuccess(second);
  expect(pull.comments).toHaveLength(2);
  expect(pull.comments[1]!.body).toContain('Second look: nothing is left.');
  expect(pull.comments[1]!.body).not.toContain('First look');
  expect(second.outputs.comment_url).toBe(first.outputs.comment_url);
  expectTidy(second, stage);
});

describe('with `--json-schema`', () => {
  const schema = { type: 'object', properties: { files: { type: 'number' } }, required: ['files'] };
  const inputs = { prompt, claude_args: `--json-schema '${JSON.stringify(schema)}'` };

  test('the answer is an output, and in the comment where one is asked for', async () => {
    await using stage = await setStage([{ tools: [structuredOutput({ files: 3 })] }]);
    const event = await stage.github.event.issueComment(somethingSaid(stage));
    const run = await stage.run({ event, inputs: { ...inputs, comment: 'always' } });

    expectSuccess(run);
    expect(JSON.parse(run.outputs.structured_output!)).toEqual({ files: 3 });
    expect(stage.repository.issue(1).comments[1]!.body).toContain('```json\n{"files":3}\n```');
  });

  test('an answer in no form is a failure', async () => {
    await using stage = await setStage(Array.from({ length: 12 }, () => ({ text: 'Three, I think.' })));
    const run = await stage.run({ event: await stage.github.event.push('octo-org/hello'), inputs });

    expect(run.outputs).toMatchObject({ conclusion: 'failure' });
    expect(run.outputs.structured_output).toBeUndefined();
    expect(run.summary).toContain('--json-schema');
  });
});

describe('Claude’s own process gets a GitHub token', () => {
  const look = [{ tools: [bash('env')] }, { text: 'Looked.' }];
  const cases = [
    ['auto', 'Bash(env)', false],
    ['auto', 'Bash(env),Bash(gh pr view:*)', true],
    ['never', 'Bash(env),Bash(gh pr view:*)', false],
    ['always', 'Bash(env)', true],
  ] as const;

  test.each(cases)('with `%s` and the tools %s: %s', async (setting, tools, given) => {
    await using stage = await setStage(look);
    const run = await stage.run({
      event: await stage.github.event.push('octo-org/hello'),
      inputs: { prompt, claude_github_token: setting, claude_args: `--allowedTools ${tools}` },
    });

    expectSuccess(run);
    const env = stage.model.toolResults()[0]!.text.split('\n');
    expect(env.includes(`GITHUB_TOKEN=${stage.token}`)).toBe(given);
    expect(env.includes(`GH_TOKEN=${stage.token}`)).toBe(given);
    expect(run.summary.includes('Claude works with a GitHub token of its own')).toBe(given);
  });

  test('and not in tag mode, whatever its tools are', async () => {
    await using stage = await setStage(look);
    const run = await stage.mention('@claude look', {
      inputs: { claude_args: '--allowedTools Bash(env),Bash(gh pr view:*)' },
    });

    expectSuccess(run);
    expect(stage.model.toolResults()[0]!.text).not.toContain(stage.token);
  });

  test('with which `git push` works where the workflow allows it', async () => {
    await using stage = await setStage([
      {
        tools: [bash('echo 2 > VERSION && git add VERSION && git commit -qm "Raise the version"')],
      },
      { tools: [bash('git push origin HEAD:refs/heads/version')] },
    ]);
    const run = await stage.run({
      event: await stage.github.event.push('octo-org/hello'),
      // The fence leads to no private address, and this GitHub has one.
      inputs: { prompt, claude_args: '--allowedTools "Bash(git push:*)" Bash', sandbox: 'off' },
    });

    expectSuccess(run);
    expect(await stage.repository.file('version', 'VERSION')).toBe('2\n');
    expectTidy(run, stage);
  });
});

test('it works without a checkout', async () => {
  await using stage = await setStage([{ tools: [bash('ls -A | wc -l')] }]);
  const run = await stage.run({
    event: await stage.github.event.schedule('octo-org/hello'),
    checkout: false,
    inputs: { prompt, claude_args: '--allowedTools Bash' },
  });

  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toBe('0');
});

test('a prompt may be a slash command', async () => {
  await using stage = await setStage();
  await stage.repository.addCommit({
    branch: 'main',
    message: 'Add a command',
    files: { '.claude/commands/count.md': 'EXPANDED: count $ARGUMENTS.\n' },
  });
  const run = await stage.run({
    event: await stage.github.event.schedule('octo-org/hello'),
    inputs: { prompt: '/count the files' },
  });

  expectSuccess(run);
  expect(JSON.stringify(stage.model.main[0]!.body.messages)).toContain('EXPANDED: count the files.');
});

test('with `track_progress` it works as if mentioned, with the prompt as instructions', async () => {
  await using stage = await setStage([{ text: 'Sorted.' }]);
  const { github, repository } = stage;
  const issue = github.createIssue(repository, { title: 'Hi', body: 'ISSUE-TEXT', author: 'octocat' });
  const run = await stage.run({
    event: await github.event.issues(issue, 'opened'),
    inputs: { prompt: 'Label this issue.', track_progress: 'true' },
  });

  expectSuccess(run);
  expect(issue.comments[0]!.body).toContain('Sorted.');
  const asked = stage.model.firstText();
  expect(asked).toContain("The workflow's instructions:\n\nLabel this issue.");
  expect(asked).toContain('ISSUE-TEXT');
  expect(run.summary).toContain('tag mode');
});

test('what asks for a comment where there is nothing to comment on is a warning that says where the answer is', async () => {
  await using stage = await setStage();
  const run = await stage.run({
    event: await stage.github.event.push('octo-org/hello'),
    inputs: { prompt, track_progress: 'true', comment: 'always' },
  });

  expectSuccess(run);
  for (const warning of [
    '`track_progress` needs an issue or pull request; progress goes to the step summary.',
    '`comment: always` finds no issue, pull request or discussion in this event; the answer is in the step summary.',
  ]) {
    expect(run.annotations.map(({ message }) => message)).toContain(warning);
    expect(run.summary).toContain(warning);
  }
});

test('a person without write access cannot start it by an event that anyone can cause', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  const discussion = github.createDiscussion(repository, { title: 'Ideas', author: 'mallory' });
  // Whoever labels or edits it, it was mallory who wrote.
  const event = await github.event.discussion(discussion, 'created', { sender: 'octocat' });
  const run = await stage.run({ event, inputs: { prompt, on_denied: 'fail' } });

  expectFailure(run, 'not_permitted', '`mallory` may not call Claude here');
  expect(stage.model.requests).toEqual([]);
  expect(discussion.comments).toEqual([]);
});
