/** With `resume: true` a later mention goes on with the conversation of its thread, and with no other. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pack } from '../../src/engine/conversation/packed.ts';
import { Secret } from '../../src/words/secret.ts';
import type { ModelRequest } from '../../testkit/claude/request.ts';
import { bash } from '../../testkit/claude/tools.ts';
import { type CacheService, startCacheService } from '../../testkit/runner/cache-service.ts';
import { startBackend } from './backend.ts';
import { newBranches } from './endings.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

let stage: Stage;
let cache: CacheService;
/** Of the conversation on issue 1. */
let sessionId: string;

beforeAll(async () => {
  stage = await setStage();
  cache = await startCacheService();
});
afterAll(async () => {
  await cache?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const scene = (changes: Partial<Scene> = {}): Partial<Scene> => ({
  cache,
  ...changes,
  inputs: { resume: 'true', ...changes.inputs },
});
/** octocat asks again on issue 1. */
async function askAgain(text: string, changes?: Partial<Scene>) {
  const comment = stage.github.comment(stage.repository.issue(1), { author: 'octocat', body: text });
  return stage.run({ event: await stage.github.event.issueComment(comment), ...scene(changes) });
}
/** All that the model was sent last. */
const sent = (): ModelRequest => stage.model.main.at(-1)!;
const words = (): string => JSON.stringify(sent().body.messages);
const answers = (text: string) => [...Array.from({ length: 9 }, () => ({ text }))];

test('the second mention on an issue goes on where the first one came to its limit', async () => {
  stage.model.script([
    {
      text: 'THE-FIRST-WORDS',
      tools: [bash('echo THE-FIRST-RESULT > one.md && git add one.md && git commit -qm "Add one"')],
    },
  ]);
  const inputs = { claude_args: '--max-turns 1' };
  const first = await stage.mention('@claude THE-FIRST-REQUEST', scene({ inputs }));
  expectFailure(first, 'turns', /turns/);
  expect(cache.entries).toHaveLength(1);
  expect(cache.entries[0]!.bytes.includes('THE-FIRST')).toBe(false);
  sessionId = first.outputs.session_id!;

  stage.model.script([
    ...answers('').slice(0, 1),
    { tools: [bash('echo two > two.md && git add two.md && git commit -qm "Add two"')] },
    ...answers('THE-SECOND-ANSWER'),
  ]);
  const second = await askAgain('@claude and now the second');
  expectSuccess(second);
  expectTidy(second, stage);
  const branch = first.outputs.branch_name!;
  expect(second.outputs).toMatchObject({ session_id: sessionId, num_turns: '2', branch_name: branch });
  expect(newBranches(stage)).toEqual([branch]);
  expect(
    (await stage.repository.log(`main..${branch}`)).map(({ message }) => message.split('\n')[0]),
  ).toEqual(['Add two', 'Add one']);
  expect(stage.repository.issue(1).comments.at(-1)!.body).toContain('[Create pull request ➔]');
  expect(sent().firstText()).toContain('THE-FIRST-REQUEST');
  expect(words()).toContain('echo THE-FIRST-RESULT');
  expect(words()).toContain('THE-FIRST-WORDS');
  expect(words()).toContain('## This conversation goes on');
  expect(words()).toContain(`It has what you pushed then, as far as \`${branch}\``);
  expect(words()).toContain('and now the second');
  expect(second.log).not.toMatch(/forgehand-[0-9a-f]{32}|runtime-/);
  expect(second.summary).not.toContain('`resume`');
});

test('a dispatch goes on with it by its id together with the issue, and is refused before Claude starts without', async () => {
  await using backend = await startBackend();
  const dispatch = async (payload: Record<string, unknown>, runId: string) => {
    const event = await stage.github.event.repositoryDispatch('octo-org/hello', 'claude-task', {
      description: 'THE-TASK',
      progress_endpoint: backend.endpoint,
      session_id: sessionId,
      ...payload,
    });
    return stage.run({
      event: { ...event, payload: { ...event.payload, sender: { login: 'octocat', id: 1, type: 'User' } } },
      ...scene({ runId, inputs: { progress_endpoints_allowed: backend.origin } }),
      oidc: stage.github.oidc.request({ repository: 'octo-org/hello', runId }),
    });
  };
  const asked = stage.model.main.length;
  const why = /`client_payload\.session_id`: no such session of octo-org\/hello is kept/;
  expectFailure(await dispatch({}, '4711'), 'invalid_input', why);
  expect(backend.heard.at(-1)).toMatchObject({ status: 'failed', message: expect.stringMatching(why) });
  expect(stage.model.main).toHaveLength(asked);

  const run = await dispatch({ issue_number: 1 }, '4712');
  expectSuccess(run);
  expect(words()).toContain('THE-FIRST-WORDS');
  expect(words()).toContain('THE-TASK');
  expect(backend.heard.at(-1)).toMatchObject({ status: 'completed', result: { session_id: sessionId } });
});

test("another thread never has it, also when somebody puts it under that thread's key", async () => {
  // Attack: a copy of what was kept of issue 1, as what was kept of issue 2.
  const [kept] = cache.entries;
  const hash = (thread: string) => createHash('sha256').update(thread).digest('hex').slice(0, 32);
  const key = kept!.key.replace(hash('octo-org/hello#1'), hash('octo-org/hello#2'));
  expect(key).not.toBe(kept!.key);
  cache.entries.push({ ...kept!, key });

  stage.model.script(answers('The answer on the other issue.'));
  const run = await stage.mention('@claude on the other issue', scene());
  expectSuccess(run);
  expect(words()).not.toContain('THE-FIRST');
  expect(words()).not.toContain('## This conversation goes on');
  expect(run.outputs.session_id).not.toBe(sessionId);
  expect(stage.repository.issue(2).comments.at(-1)!.body).toContain(
    'The earlier conversation of this thread was not gone on with: it cannot be read',
  );
});

test('what Claude Code does not take up gives way to a new conversation', async () => {
  const ofIssue1 = cache.entries[0]!.key.split(sessionId)[0]!;
  const newest = cache.entries.findLast(({ key }) => key.startsWith(ofIssue1))!;
  const thread = 'octo-org/hello#1';
  newest.bytes = await pack(
    { sessionId, thread, readAt: null, branch: null, entries: { '': [{ type: 'of another time' }] } },
    new Secret(stage.model.key),
    [thread, newest.key],
  );
  const run = await askAgain('@claude once more');
  expectSuccess(run);
  expect(words()).not.toContain('## This conversation goes on');
  expect(sent().firstText()).toMatch(/^## Task/);
  expect(stage.repository.issue(1).comments.at(-1)!.body).toContain('Claude Code did not take it up');
});

test('a cache that is down takes nothing from the run but the conversation', async () => {
  cache.answer = 503;
  const run = await askAgain('@claude without a cache');
  expectSuccess(run);
  expect(sent().firstText()).toMatch(/^## Task/);
  expect(run.annotations.filter(({ level }) => level === 'warning')).toEqual([
    expect.objectContaining({
      message: "`resume` is off for this run: the runner's cache did not answer (status 503: out of order).",
    }),
  ]);
});
