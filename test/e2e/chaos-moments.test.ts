/**
 * A comment that comes at the very moment in which a turn ends, or a session parks, is heard and answered like any other.
 * Every other moment by default; all of them, many times, in `npm run test:scale`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Issue } from '../../testkit/github/model.ts';
import { diligent, timesHeard, wish } from './chaos-claude.ts';
import { points } from './chaos-points.ts';
import { isScale } from './chaos-run.ts';
import { deliver, done, park } from './chaos-story.ts';
import { arm, type Trigger } from './chaos-strike.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

const rounds = isScale ? 25 : 1;
const names = [
  'the last words are being kept',
  'the last words are kept',
  'the work is about to be pushed',
  'the answer is about to be given',
  'the answer is given',
  'the messages are being marked done',
  'the messages are done',
  '👍 is about to be shown',
  'the session falls idle',
  'the session is being parked',
  'the session is parked',
];
const moments = names
  .filter((_, index) => isScale || index % 2 === 0)
  .map((name): [string, Trigger] => [name, points.end.find((point) => point.name === name)!.at]);

describe.each(Array.from({ length: rounds }, (_, round) => `round ${round + 1}`))('%s', () => {
  let stage: ServerStage;
  beforeAll(async () => {
    stage = await setServerStage();
    stage.model.script(diligent());
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test.each(moments)(
    'a comment comes as %s',
    async (_, trigger) => {
      const issue = stage.github.createIssue(stage.repository, {
        author: 'octocat',
        title: 'To do',
        body: '',
      });
      const { number } = issue;
      const whats = [`task-${number}`, `just-${number}`];
      issue.body = wish(whats[0]!);
      const facts = { key: `octo-org/hello#${number}`, number, workspace: stage.path(issue, '.') };
      const comment = stage.github.comment(issue, { author: 'octocat', body: wish(whats[1]!) });
      const event = await stage.github.event.issueComment(comment);
      // Taken in, not decided yet: that goes its own way from here on.
      const strike = await arm(stage, { trigger, facts, blow: () => deliver(stage, event) });
      await deliver(stage, await stage.github.event.issues(issue));
      await stage.until('one is done', () => isDone(issue));
      await park(stage, facts.key);
      await strike.struck;
      await done(stage, issue, 2);
      await strike.end();
      const last = stage.model.main.findLast((request) => request.firstText().includes(whats[0]!))!;
      expect(whats.map((what) => timesHeard(last, what))).toEqual([1, 1]);
      const answers = stage.answers(issue);
      expect(
        whats.map((what) => answers.filter((body) => body.includes(`I did ${what}.`)).length),
        answers.join('\n====\n'),
      ).toEqual([1, 1]);
    },
    300_000,
  );

  async function isDone(issue: Issue) {
    const rows = await (await stage.database()).query(
      `select from messages where thread_key = $1 and state = 'done'`,
      [`octo-org/hello#${issue.number}`],
    );
    return rows.length > 0;
  }
});
