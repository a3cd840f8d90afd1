/** The server's main job: an issue in, a draft pull request out, follow-ups taken in, all of it visible where it was asked. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bash, mcp } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
beforeAll(async () => {
  stage = await setServerStage();
});
afterAll(() => stage?.[Symbol.asyncDispose]());

const commit = (change: string, message: string) =>
  bash(`${change} && git add -A && git commit -qm "${message}"`);

let issue: Issue;
const pull = () => stage.pullOf(issue);

test('an issue becomes a draft pull request, and its description says what and why', async () => {
  stage.model.script([
    { tools: [commit('sed -i s/Helo/Hello/ src/greet.js', 'Spell the greeting right')] },
    {
      tools: [
        mcp('github_pull_request', 'update_pull_request', {
          title: 'Spell the greeting right',
          body: 'It said Helo. Tested by reading it.',
        }),
      ],
    },
    { text: 'The greeting is right now.' },
    { text: 'The readme is fine.' },
  ]);
  issue = await stage.openIssue();
  await stage.answered(issue, 'The greeting is right now.');

  expect(pull()).toMatchObject({ draft: true, state: 'open', title: 'Spell the greeting right' });
  expect(pull()?.head.ref).toBe(`issue-${issue.number}`);
  expect(pull()?.body).toContain('It said Helo. Tested by reading it.');
  expect(pull()?.body).toContain(`Closes #${issue.number}`);
  const log = await stage.repository.log(`main..issue-${issue.number}`);
  expect(log.map(({ message }) => message.split('\n')[0])).toEqual([
    'Spell the greeting right',
    `Start work on octo-org/hello#${issue.number}`,
  ]);
  expect(await stage.repository.file(`issue-${issue.number}`, 'src/greet.js')).toContain('Hello, ');
});

test('there is one answer, by its words the end of the work, and the issue shows 👍', async () => {
  expect(stage.answers(issue)).toHaveLength(1);
  await stage.until('the reaction', () => issue.reactions.some(({ content }) => content === '+1'));
  expect(issue.reactions.map(({ content }) => content)).toEqual(['+1']);
});

test('/health shows the live session in the shape that it always had', async () => {
  expect(await stage.health()).toMatchObject({
    status: 'ok',
    active_sessions: {
      [`octo-org/hello#${issue.number}`]: {
        session_name: `claude-octo-org-hello-${issue.number}`,
        branch: `issue-${issue.number}`,
        pr_url: `${stage.github.serverUrl}/octo-org/hello/pull/${pull()?.number}`,
        tmux_active: stage.hasTmux,
      },
    },
    total_sessions: 1,
  });
});

test('a comment afterwards goes on with the same conversation and gets an answer of its own', async () => {
  const asked = await stage.comment(issue, 'Does the readme need a change?');
  await stage.answered(issue, 'The readme is fine.');
  expect(stage.answers(issue)).toHaveLength(2);
  await stage.until('the reaction', () => asked.reactions.some(({ content }) => content === '+1'));
  expect(stage.timesHeard('Does the readme need a change?')).toBe(1);
  expect(stage.timesHeard('Resolve this issue')).toBe(1);
  expect(stage.pulls()).toHaveLength(1);
});

test('one delivery can be followed by its id from the webhook to the pull request', async () => {
  const [{ delivery_id: id }] = (await stage.thread(issue)).messages as [{ delivery_id: string }];
  const lines = stage
    .output()
    .split('\n')
    .filter((line) => line.includes(id));
  expect(lines.map((line) => JSON.parse(line).event ?? JSON.parse(line).message)).toEqual(
    expect.arrayContaining(['issues', 'delivered', 'turn']),
  );
});

test('Claude works in a workspace of its own, where no credential is', async () => {
  expect(readFileSync(stage.path(issue, '.git/config'), 'utf8')).not.toMatch(/extraheader|ghp_|token/i);
});
