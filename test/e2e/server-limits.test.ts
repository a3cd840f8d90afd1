/** Commands, limits and what goes wrong with Claude: the thread says what happened, and a person decides how it goes on. */
import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { type ServerScene, type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
afterEach(() => stage?.[Symbol.asyncDispose]());
const set = async (scene: ServerScene) => {
  stage = await setServerStage(scene);
  return stage;
};

const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.02; done')] };
const go = (issue: Issue) => writeFileSync(stage.path(issue, '.git/go'), '');
const work: Step = { tools: [bash('echo more >> notes.txt && git add -A && git commit -qm "Take a note"')] };
const paused = (issue: Issue, reason: string) =>
  stage.until(`it waits (${reason})`, async () => {
    const { state, pause_reason, lease_owner } = await stage.thread(issue);
    return state === 'paused' && pause_reason === reason && lease_owner === null;
  });
const said = (issue: Issue, words: RegExp) =>
  stage.until(`the thread says ${words}`, () => stage.answers(issue).find((body) => words.test(body)));

test('/status, /stop and /retry: asked, stopped with what was done kept, and taken up again', async () => {
  await set({ script: [work, busy, { text: 'Never.' }, { text: 'Finished after all.' }] });
  const issue = await stage.openIssue();
  await stage.until('Claude is busy', () => stage.model.main.length === 2);
  await stage.comment(issue, '/status');
  await said(issue, /issue-1/);
  const stop = await stage.comment(issue, '@claude /stop');
  await paused(issue, 'cancelled');
  await said(issue, /stopped/);
  expect(stop.reactions.map(({ content }) => content)).toContain('+1');
  // What Claude had committed is published all the same.
  expect(await stage.repository.file('issue-1', 'notes.txt')).toBe('more\n');
  go(issue);
  await stage.comment(issue, '/retry');
  await stage.answered(issue, 'Finished after all.');
  expect(stage.timesHeard('/retry')).toBe(0);
  expect(stage.pulls()).toHaveLength(1);
});

test('the budget of a session: it asks, /continue $5 lets it go on, and the words are not lost', async () => {
  await set({
    script: [
      { ...work, usage: { output_tokens: 40_000 } },
      { text: 'Costly.', usage: { output_tokens: 40_000 } },
      { text: 'Went on.' },
      { text: 'Went on.' },
    ],
    env: { MAX_BUDGET_USD: '0.5' },
  });
  const issue = await stage.openIssue();
  await paused(issue, 'budget');
  await said(issue, /MAX_BUDGET_USD[\s\S]*\/continue/);
  expect(await stage.repository.file('issue-1', 'notes.txt')).toBe('more\n');
  await stage.comment(issue, '/continue $5');
  await stage.answered(issue, 'Went on.');
  const { messages } = (await stage.thread(issue)) as { messages: { state: string }[] };
  await stage.until('all are done', async () => messages.every(({ state }) => state !== 'withdrawn'));
});

test('the turns of a session', async () => {
  await set({ script: [work, work, work, { text: 'Went on.' }], env: { MAX_TURNS: '2' } });
  const issue = await stage.openIssue();
  await paused(issue, 'turns');
  await said(issue, /MAX_TURNS/);
  await stage.comment(issue, '/continue');
  await stage.until('it went on', () => stage.model.main.length > 2);
});

test('the time of a session', async () => {
  await set({ script: [busy], env: { SESSION_MINUTES: '0.05' } });
  const issue = await stage.openIssue();
  await paused(issue, 'timed_out');
  await said(issue, /SESSION_MINUTES/);
});

test('the cap of a day holds for every thread, and nobody but the operator lifts it', async () => {
  await set({
    script: [{ text: 'Costly.', usage: { output_tokens: 40_000 } }],
    env: { MAX_BUDGET_USD_PER_DAY: '0.5' },
  });
  const first = await stage.openIssue();
  await stage.answered(first, 'Costly.');
  const second = await stage.openIssue();
  await paused(second, 'budget');
  await said(second, /MAX_BUDGET_USD_PER_DAY/);
  await stage.comment(second, '/continue $100');
  await stage.until('it is refused', () => second.comments.at(-1)?.author?.login === 'forgehand-bot');
  expect(stage.model.main).toHaveLength(1);
});

test('a Claude that says nothing is ended once, and then asked about', async () => {
  await set({ script: [{ hang: true }, { hang: true }, { hang: true }], env: { WATCHDOG_MINUTES: '0.04' } });
  const issue = await stage.openIssue();
  await paused(issue, 'timed_out');
  await said(issue, /silent[\s\S]*\/retry/);
});

test('a model that refuses the key waits for a person; one that is away is tried again by itself', async () => {
  await set({ env: { CLAUDE_CODE_MAX_RETRIES: '1' } });
  stage.model.when('A locked door', [{ error: { status: 401 } }]);
  let asked = 0;
  const breaks = () => {
    asked += 1;
    return asked <= 3 ? { error: { status: 529 } } : { text: 'Back again.' };
  };
  stage.model.when('A short break', [breaks, breaks, breaks, breaks]);
  const locked = await stage.openIssue({ title: 'A locked door' });
  const away = await stage.openIssue({ title: 'A short break' });
  await paused(locked, 'model_auth');
  await said(locked, /model_auth/);
  await stage.answered(away, 'Back again.');
});

test('a message of which session after session dies is set aside, said so, and the next one is heard', async () => {
  await set({});
  let deaths = 0;
  const deadly = async () => {
    if (deaths >= 6) return { text: 'Alive again.' };
    deaths += 1;
    const [held] = await (await stage.database()).query<{ pid: number }>(
      `select lease_pid as pid from threads`,
    );
    process.kill(held!.pid, 'SIGKILL');
    return { hang: true as const };
  };
  stage.model.script(Array.from({ length: 20 }, () => deadly));
  const issue = await stage.openIssue({ title: 'A deadly one' });
  await said(issue, /set aside/);
  expect(deaths).toBeLessThanOrEqual(6);
  deaths = 6;
  await stage.comment(issue, 'And now?');
  await stage.answered(issue, 'Alive again.');
  const { messages } = (await stage.thread(issue)) as { messages: { state: string }[] };
  expect(messages[0]?.state).toBe('set_aside');
  expect(stage.pulls()).toHaveLength(1);
}, 180_000);
