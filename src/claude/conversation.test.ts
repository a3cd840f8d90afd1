/** Conversations with the real Claude Code and a scripted model, told as stories; deaths are in a file of their own. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bash, write } from '../../testkit/claude/tools.ts';
import { AppError } from '../words/errors.ts';
import { message, Story, timesSaid } from './conversation.test-support.ts';

/** A command that runs until the test lets it end. */
const untilReleased = (story: Story) =>
  bash(
    `touch ${story.directory}/started; while [ ! -e ${story.directory}/go ]; do sleep 0.02; done; echo released`,
  );
const started = (story: Story) => expect.poll(() => existsSync(join(story.directory, 'started'))).toBe(true);
const release = (story: Story) => writeFile(join(story.directory, 'go'), '');

test('a conversation: a question, a follow-up into the running turn, several while idle, and a good end', async () => {
  await using story = await Story.start();
  const { model } = story;
  model.script([{ tools: [untilReleased(story)] }, { text: 'steered' }, { text: 'both' }]);
  const told = await story.open();
  const { conversation } = told;
  expect(conversation.resumed).toBe(false);
  const first = message('msg-first');
  conversation.send([first]);
  await started(story);
  expect(told.taken).toEqual([first.uuid]);

  // Claude is at work: what comes now joins its turn at the next tool boundary, in order.
  const [second, third] = [message('msg-second'), message('msg-third')];
  conversation.send([second]);
  conversation.send([third, second]);
  await told.until(() => told.messages.filter(({ state }) => state === 'queued').length === 3);
  expect(told.taken).not.toContain(second.uuid);
  await release(story);
  await told.idle();
  expect(told.turns).toMatchObject([{ reason: '', text: 'steered' }]);
  expect(told.turns[0]!.answered).toEqual([first.uuid, second.uuid, third.uuid]);
  expect(told.taken).toEqual([first.uuid, second.uuid, third.uuid]);

  // Claude is idle: what comes together is one turn. What it has already is not sent again.
  const [fourth, fifth] = [message('msg-fourth'), message('msg-fifth')];
  conversation.send([first, fourth, fifth]);
  await told.idle(2);
  expect(told.turns[1]).toMatchObject({ reason: '', text: 'both', answered: [fourth.uuid, fifth.uuid] });
  expect(model.main).toHaveLength(3);
  const said = JSON.stringify(model.main.at(-1)!.body.messages);
  const order = ['msg-first', 'msg-second', 'msg-third', 'msg-fourth', 'msg-fifth'];
  expect(order.map((text) => timesSaid(model, text))).toEqual([1, 1, 1, 1, 1]);
  expect(order.toSorted((a, b) => said.indexOf(a) - said.indexOf(b))).toEqual(order);
  expect(told.turns[1]!.usage.turns).toBe(3);
  expect(told.turns[1]!.usage.costUsd).toBeGreaterThan(told.turns[0]!.usage.costUsd);
  expect(conversation.unfinished()).toBeNull();

  await conversation.end();
  expect(await conversation.over).toMatchObject({ reason: '', usage: { turns: 3 } });
  expect(() => process.kill(told.pid, 0)).toThrow();

  // The next process goes on with the same conversation; its costs are its own.
  const again = await story.open();
  expect(again.conversation.resumed).toBe(true);
  expect(again.conversation.hasAnswered(fifth.uuid)).toBe(true);
  const sixth = message('msg-sixth');
  again.conversation.send([first, second, third, fourth, fifth, sixth]);
  expect(again.taken).toEqual([first, second, third, fourth, fifth].map(({ uuid }) => uuid));
  await again.idle();
  expect([...order, 'msg-sixth'].map((text) => timesSaid(model, text))).toEqual([1, 1, 1, 1, 1, 1]);
  expect(again.turns[0]!.usage.costUsd).toBeLessThan(told.turns[1]!.usage.costUsd);
  await again.conversation.end();
});

test('a message at the very end of a turn is a turn of its own', async () => {
  await using story = await Story.start();
  story.model.script([{ text: 'x'.repeat(200), chunkDelayMs: 20 }, { text: 'two' }, { text: 'three' }]);
  const told = await story.open();
  told.conversation.send([message('msg-first')]);
  await story.model.request(1);
  const second = message('msg-second');
  told.conversation.send([second]);
  // Sent in the same moment in which the result comes.
  const third = message('msg-third');
  await told.until(() => told.turns.length === 1);
  told.conversation.send([third]);
  await told.until(() => told.turns.flatMap(({ answered }) => answered).length === 3);
  await told.until(() => told.activities.at(-1) === 'idle');
  expect(['msg-first', 'msg-second', 'msg-third'].map((text) => timesSaid(story.model, text))).toEqual([
    1, 1, 1,
  ]);
  expect(told.taken).toHaveLength(3);
  await told.conversation.end();
});

test("other people's text is only text: no command, no file; a command that is meant as one is carried out", async () => {
  await using story = await Story.start();
  const secret = join(story.directory, 'secret.txt');
  await writeFile(secret, 'TOP-SECRET');
  const told = await story.open();
  const texts = ['/clear', `@${secret}`, '/compact'].map((text) => message(text));
  told.conversation.send([message('msg-first'), ...texts]);
  await told.idle();
  const sent = JSON.stringify(story.model.main.at(-1)!.body.messages);
  for (const text of ['msg-first', '/clear', `@${secret}`, '/compact']) expect(sent).toContain(text);
  expect(sent).not.toContain('TOP-SECRET');

  // `/help` is Claude Code's own business: no request, no entry of its own, and yet nothing waits for it for ever.
  const help = message('/help', { verbatim: false });
  told.conversation.send([help]);
  await told.idle(2);
  expect(told.taken).toContain(help.uuid);
  expect(story.model.main).toHaveLength(1);
  await told.conversation.end();
});

test('an interrupted turn says so, what was queued runs next, and the conversation goes on', async () => {
  await using story = await Story.start();
  story.model.script([{ tools: [untilReleased(story)] }, { text: 'after the stop' }]);
  const told = await story.open();
  const [first, second] = [message('msg-first'), message('msg-second')];
  told.conversation.send([first]);
  await started(story);
  await told.conversation.interrupt();
  await told.idle();
  expect(told.turns[0]).toMatchObject({ reason: 'cancelled', answered: [] });
  // Nobody waits for an answer that was stopped on purpose.
  expect(told.conversation.unfinished()).toBeNull();
  told.conversation.send([second]);
  await told.idle(2);
  expect(told.turns[1]).toMatchObject({ reason: '', text: 'after the stop' });
  await told.conversation.end();
});

test('ended in the middle of a turn, it goes on with what is still open, and only with that', async () => {
  await using story = await Story.start();
  story.model.script([{ tools: [untilReleased(story)] }, { text: 'two' }, { text: 'three' }]);
  const told = await story.open();
  const first = message('msg-first');
  told.conversation.send([first]);
  await started(story);
  await told.conversation.end();
  expect(await told.conversation.over).toMatchObject({ reason: '' });

  const again = await story.open();
  expect(again.conversation.unfinished()).toBeNull();
  const notice = again.conversation.unfinished([first.uuid]);
  again.conversation.send([message(notice!), first]);
  await again.idle();
  expect(again.turns[0]!.answered).toEqual([first.uuid, expect.any(String)]);
  expect(timesSaid(story.model, 'msg-first')).toBe(1);
  expect(again.conversation.unfinished([first.uuid])).toBeNull();
  await again.conversation.end();
});

test('a command in the background wakes Claude by itself', async () => {
  await using story = await Story.start();
  story.model.script([
    { tools: [bash('sleep 1; echo finished', { background: true })] },
    { text: 'it runs' },
    { text: 'it has run' },
  ]);
  const told = await story.open();
  told.conversation.send([message('msg-first')]);
  await told.idle(2);
  expect(told.turns.map(({ text }) => text)).toEqual(['it runs', 'it has run']);
  await told.conversation.end();
});

test('limits end a turn with their reason: turns are counted anew, a budget is for the process', async () => {
  await using story = await Story.start();
  const busy = { tools: [bash('true')] };
  story.model.script([busy, busy, { text: 'done' }, busy, { text: 'done' }]);
  const told = await story.open({ args: '--max-turns 1' });
  const first = message('msg-first');
  told.conversation.send([first]);
  await told.idle();
  expect(told.turns[0]).toMatchObject({ reason: 'turns', answered: [] });
  expect(told.conversation.unfinished()).toContain('cut off');
  told.conversation.send([message('more')]);
  await told.idle(2);
  expect(told.turns[1]).toMatchObject({ reason: 'turns' });
  told.conversation.send([message('more still')]);
  await told.idle(3);
  expect(told.turns[2]).toMatchObject({ reason: '', text: 'done' });
  expect(told.turns[2]!.answered[0]).toBe(first.uuid);
  await told.conversation.end();

  const poor = await story.open({ maxBudgetUsd: 0.000001 });
  poor.conversation.send([message('for money')]);
  await poor.idle();
  expect(poor.turns[0]).toMatchObject({ reason: 'budget' });
  await poor.conversation.end();
  expect(await poor.conversation.over).toMatchObject({ reason: '' });
});

test('a turn that ends without a word has answered all the same', async () => {
  await using story = await Story.start();
  story.model.script([{ thinking: 'Nothing to add.' }]);
  const told = await story.open();
  const first = message('msg-first');
  told.conversation.send([first]);
  await told.idle();
  expect(told.turns[0]).toMatchObject({ reason: '', answered: [first.uuid] });
  await told.conversation.end();
});

test('a model that is down ends the turn, not the conversation', async () => {
  await using story = await Story.start();
  let up = false;
  story.model.script([() => (up ? { text: 'here again' } : { error: { status: 529 } })]);
  const told = await story.open({ env: { CLAUDE_CODE_MAX_RETRIES: '1' } });
  const first = message('msg-first');
  told.conversation.send([first]);
  await told.idle();
  expect(told.turns[0]).toMatchObject({ reason: 'model_unavailable', answered: [] });
  up = true;
  told.conversation.send([message(told.conversation.unfinished()!)]);
  await told.idle(2);
  expect(told.turns[1]).toMatchObject({ reason: '', text: 'here again' });
  expect(told.turns[1]!.answered).toContain(first.uuid);
  expect(timesSaid(story.model, 'msg-first')).toBe(1);
  await told.conversation.end();
});

test('a refused key ends the conversation at the first answer', async () => {
  await using story = await Story.start();
  const told = await story.open({ env: { ANTHROPIC_API_KEY: 'sk-ant-wrong' } });
  told.conversation.send([message('msg-first')]);
  expect(await told.conversation.over).toMatchObject({ reason: 'model_auth' });
  expect(story.model.main).toHaveLength(1);
});

test('an abort ends everything at once, with its reason', async () => {
  await using story = await Story.start();
  story.model.script([{ tools: [untilReleased(story)] }]);
  const told = await story.open();
  told.conversation.send([message('msg-first')]);
  await started(story);
  story.abort.abort(new AppError('timed_out', 'It took too long.'));
  expect(await told.conversation.over).toMatchObject({ reason: 'timed_out', text: 'It took too long.' });
  expect(() => process.kill(told.pid, 0)).toThrow();
});

test('a store that is lost ends Claude before another tool runs', async () => {
  await using story = await Story.start();
  const file = join(story.directory, 'a.txt');
  story.model.script([{ text: 'ready' }, { tools: [write(file, 'x')] }]);
  const told = await story.open();
  told.conversation.send([message('msg-first')]);
  await told.idle();
  story.store.onAppend = () => {
    throw new AppError('handed_over', 'Another session has the lease.');
  };
  told.conversation.send([message('msg-second')]);
  expect(await told.conversation.over).toMatchObject({ reason: 'handed_over' });
  await expect(readFile(file)).rejects.toThrow();
});

test('a subagent keeps its own transcript, and its tools wait for it', async () => {
  await using story = await Story.start();
  const file = join(story.directory, 'by-subagent.txt');
  const task = {
    name: 'Agent',
    input: { description: 'd', prompt: 'SUBTASK', subagent_type: 'general-purpose' },
  };
  story.model.script([{ tools: [task] }, { text: 'all done' }]);
  story.model.when('SUBTASK', [{ tools: [bash(`echo x >> ${file}`)] }, { text: 'sub done' }]);
  const told = await story.open();
  told.conversation.send([message('msg-first')]);
  // The subagent works on while the turn that started it ends; its result is a turn of its own.
  await told.idle(2);
  expect(told.activities).toEqual(['working', 'idle']);
  expect(await readFile(file, 'utf8')).toBe('x\n');
  expect(await story.store.subpaths(story.sessionId)).toHaveLength(1);
  await told.conversation.end();
});
