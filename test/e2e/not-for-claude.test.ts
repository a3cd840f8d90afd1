/** An event that is not for Claude ends at once: green, with a reason, and without a single request. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ActionOptions } from '../../testkit/runner/action-run.ts';
import { expectNoRequests, expectSkipped } from './expectations.ts';
import { type Stage, setStage } from './stage.ts';

type Event = ActionOptions['event'];

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => stage.github.clearRequests());

/** All that can be wrong besides: none of it may matter to an event that is not for Claude. */
const everythingElseWrong = {
  inputs: {
    github_token: '',
    anthropic_api_key: '',
    path_to_claude_code_executable: '/nowhere/claude',
    app_id: '12',
    use_bedrock: 'true',
    use_vertex: 'true',
    max_budget_usd: 'plenty',
    sandbox: 'maybe',
    claude_args: '--model "unclosed',
    settings: '{broken',
    no_such_input: 'at all',
  },
  checkout: false as const,
};

function issue(body = 'It says Helo.') {
  const { github, repository } = stage;
  return github.createIssue(repository, { title: 'A misspelt greeting', body, author: 'octocat' });
}

function comment(body: string, action = 'created', former?: string): Promise<Event> {
  const said = stage.github.comment(issue(), { author: 'octocat', body });
  return stage.github.event.issueComment(said, action, former === undefined ? {} : { formerBody: former });
}

async function pull(body: string, action: string): Promise<Event> {
  const { github, repository } = stage;
  const head = `change-${repository.subjects().length}`;
  await repository.addCommit({ branch: head, message: 'Change', files: { 'a.txt': head } });
  const opened = await github.createPullRequest(repository, { title: 'Change', body, head });
  return github.event.pullRequest(opened, action);
}

const calls = '@claude fix it';

const cases: [string, string, () => Promise<Event>][] = [
  ['a comment without a mention', 'not_mentioned', () => comment('Does anybody know?')],
  ['a mention in a code block', 'not_mentioned', () => comment(`Like so:\n\`\`\`\n${calls}\n\`\`\``)],
  ['a mention in inline code', 'not_mentioned', () => comment(`Write \`${calls}\` then.`)],
  ['a mention in a quoted reply', 'not_mentioned', () => comment(`> ${calls}\n\nNo, do not.`)],
  ['a mention in an HTML comment', 'not_mentioned', () => comment(`Hello <!-- ${calls} -->`)],
  ['a longer login', 'not_mentioned', () => comment('@claudette fix it, me@claude.ai too')],
  ['a deleted comment', 'unsupported_event', () => comment(calls, 'deleted')],
  ['an edit of a comment that called before', 'not_mentioned', () => comment(`${calls}!`, 'edited', calls)],
  ['an edit that takes the call away', 'not_mentioned', () => comment('Never mind.', 'edited', calls)],
  ['a closed issue', 'unsupported_event', () => stage.github.event.issues(issue(calls), 'closed')],
  [
    'another label',
    'not_mentioned',
    () => stage.github.event.issues(issue(calls), 'labeled', { label: 'bug' }),
  ],
  [
    'an assignment without `assignee_trigger`',
    'switched_off',
    () => stage.github.event.issues(issue(calls), 'assigned', { assignee: 'octocat' }),
  ],
  ['commits on a pull request', 'unsupported_event', () => pull(calls, 'synchronize')],
  ['a pull request without a mention', 'not_mentioned', () => pull('A change.', 'opened')],
  ['a push without a prompt', 'unsupported_event', () => stage.github.event.push(stage.repository.record)],
  ['a schedule without a prompt', 'unsupported_event', () => stage.github.event.schedule('octo-org/hello')],
  [
    'a dispatch without a task',
    'unsupported_event',
    () => stage.github.event.repositoryDispatch('octo-org/hello', 'deploy', { version: 3 }),
  ],
  [
    'an event that GitHub may invent one day',
    'unsupported_event',
    () => stage.github.event.other('rocket_launch', 'octo-org/hello', { action: 'created' }),
  ],
];

describe('ends green without a request, whatever else is wrong:', () => {
  test.each(cases)('%s', async (_, reason, event) => {
    const run = await stage.run({ event: await event(), ...everythingElseWrong });

    expectSkipped(run, reason);
    expectNoRequests(stage);
    expect(run.annotations.filter(({ source }) => source !== 'runner')).toEqual([]);
    expect(run.masks).toEqual([]);
    expect(run.log).toContain('Nothing to do: ');
  });
});

test('says in the summary what was looked at', async () => {
  const run = await stage.run({ event: await comment('Does anybody know?') });

  expectSkipped(run, 'not_mentioned');
  expect(run.summary).toContain('The text does not mention `@claude`.');
  expect(run.summary).toContain('body of the issue comment');
  expect(run.summary).toContain('`octocat`');
});

test('a prompt of blanks starts nothing', async () => {
  const event = await stage.github.event.push('octo-org/hello');
  const run = await stage.run({ event, inputs: { prompt: ' \n ' }, checkout: false });

  expectSkipped(run, 'unsupported_event');
  expectNoRequests(stage);
});
