/** Claude dies at every moment that matters, and the conversation goes on: each message once, each effect at most once. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../testkit/claude/request.ts';
import { bash } from '../../testkit/claude/tools.ts';
import { message, Story, type Told, timesSaid } from './conversation.test-support.ts';

const texts = ['msg-first', 'msg-second', 'msg-third', 'msg-fourth'];

/** Where the test can strike. */
interface Blow {
  story: Story;
  uuids: string[];
  kill(): void;
  /** At a message of Claude Code's. */
  at(fits: (message: Told['messages'][number]) => boolean, delayMs?: number): void;
  /** At the n-th request to the model. */
  atRequest(n: number, delayMs?: number): void;
  /** While entries are on their way to the store: before they are kept, they are lost with the process. */
  whileStoring(fits: (entry: string) => boolean, kept: boolean): void;
}

const lifecycle = (blow: Blow, index: number, state: string) => (told: Told['messages'][number]) =>
  told.type === 'command_lifecycle' && told.command_uuid === blow.uuids[index] && told.state === state;
const isFirst = (entry: string) => entry.includes('"content":"msg-first"');
const isCall = (entry: string) => entry.includes('"type":"tool_use"');
const isFold = (entry: string) => entry.includes('"type":"queued_command"');
const isBatch = (entry: string) => entry.includes('"content":"msg-fourth"');
const isResult = (told: Told['messages'][number]) => told.type === 'result';

const moments: [string, (blow: Blow) => void][] = [
  ['before it has said a word', (blow) => blow.at(({ subtype }) => subtype === 'session_state_changed')],
  ['as it takes the first message', (blow) => blow.at(lifecycle(blow, 0, 'started'))],
  ['as it asks the model', (blow) => blow.atRequest(1)],
  ['as the first message is stored, too early', (blow) => blow.whileStoring(isFirst, false)],
  ['as the first message is stored, too late', (blow) => blow.whileStoring(isFirst, true)],
  ['as a call is stored, too early', (blow) => blow.whileStoring(isCall, false)],
  ['as a call is stored, too late', (blow) => blow.whileStoring(isCall, true)],
  ['in the middle of a command', (blow) => blow.at(lifecycle(blow, 1, 'queued'))],
  ['as it folds a message in', (blow) => blow.at(lifecycle(blow, 1, 'started'))],
  ['as it asks the model with the folded message', (blow) => blow.atRequest(2)],
  ['a little later', (blow) => blow.atRequest(2, 15)],
  ['as the folded message is stored, too early', (blow) => blow.whileStoring(isFold, false)],
  ['as the folded message is stored, too late', (blow) => blow.whileStoring(isFold, true)],
  ['as a turn ends', (blow) => blow.at(isResult)],
  ['as it takes the first of several', (blow) => blow.at(lifecycle(blow, 2, 'started'))],
  ['as it has taken the first of several', (blow) => blow.at(lifecycle(blow, 2, 'completed'))],
  ['as it asks the model with several', (blow) => blow.atRequest(3)],
  ['as several are stored, too early', (blow) => blow.whileStoring(isBatch, false)],
  ['as all is done', (blow) => blow.at(lifecycle(blow, 3, 'completed'))],
];

describe('killed', () => {
  test.each(moments)('%s', async (_, aim) => {
    await using story = await Story.start();
    const { model, store } = story;
    const effects = join(story.directory, 'effects');
    const go = join(story.directory, 'go');
    const command = bash(`echo x >> ${effects}; while [ ! -e ${go} ]; do sleep 0.02; done`);
    const step = (request: ModelRequest) =>
      request.toolResults().length > 0 ? { text: 'ok' } : { tools: [command] };
    model.script(Array.from({ length: 9 }, () => step));

    const messages = texts.map((text) => message(text));
    const { struck, watch } = strike(
      story,
      messages.map(({ uuid }) => uuid),
      aim,
    );
    const told = await story.open({}, watch);
    struck.pid = told.pid;
    const talk = async () => {
      told.conversation.send([messages[0]!]);
      await expect.poll(() => existsSync(effects), { timeout: 120_000, interval: 10 }).toBe(true);
      told.conversation.send([messages[1]!]);
      await told.until(() => told.messages.some(({ state }) => state === 'queued'));
      await told.until(() => told.messages.filter(({ state }) => state === 'queued').length > 1);
      writeFileSync(go, '');
      await told.idle();
      told.conversation.send(messages.slice(2));
      await told.idle(2);
      throw new Error('The moment never came.');
    };
    const end = await Promise.race([
      told.conversation.over,
      talk().then(undefined, (error) => failUnless(struck.done, error, told)),
    ]);
    expect(end.reason).not.toBe('');
    expect(() => process.kill(told.pid, 0)).toThrow();

    // Whoever comes next sends everything; the conversation takes what it lacks.
    writeFileSync(go, '');
    store.onAppend = () => {};
    const again = await story.open();
    const notice = again.conversation.unfinished();
    again.conversation.send([...(notice === null ? [] : [message(notice)]), ...messages]);
    await again.until(
      () =>
        again.activities.at(-1) !== 'working' &&
        messages.every(({ uuid }) => again.conversation.hasAnswered(uuid)),
    );
    expect(again.taken.toSorted()).toEqual(
      expect.arrayContaining(messages.map(({ uuid }) => uuid).toSorted()),
    );
    if (again.turns.length > 0) expect(texts.map((text) => timesSaid(model, text))).toEqual([1, 1, 1, 1]);
    // Once, or not at all with Claude told that nobody knows: never twice.
    const runs = existsSync(effects) ? readFileSync(effects, 'utf8').trim().split('\n').length : 0;
    expect(runs).toBe(notice?.includes('`Bash`) is unknown') && runs === 0 ? 0 : 1);
    await again.conversation.end();
  });
});

/** Watches for the moment, and kills Claude in it. */
function strike(story: Story, uuids: string[], aim: (blow: Blow) => void) {
  const struck = { done: false, pid: 0 };
  const watchers: ((message: Told['messages'][number]) => void)[] = [];
  const kill = () => {
    if (struck.done) return;
    struck.done = true;
    process.kill(struck.pid, 'SIGKILL');
  };
  const later = (delayMs = 0) => (delayMs === 0 ? kill() : void setTimeout(kill, delayMs));
  aim({
    story,
    uuids,
    kill,
    at: (fits, delayMs) => watchers.push((message) => fits(message) && later(delayMs)),
    atRequest: (n, delayMs) => void story.model.request(n).then(() => later(delayMs)),
    whileStoring: (fits, kept) => {
      story.store.onAppend = async (entries) => {
        if (struck.done && !kept) throw new Error('The store went away with the process.');
        if (struck.done || !entries.some((entry) => fits(JSON.stringify(entry)))) return;
        if (kept) {
          kill();
          return;
        }
        // Long enough for a command that nobody holds back to have its effect.
        await new Promise((resolve) => setTimeout(resolve, 150));
        kill();
        throw new Error('The store went away with the process.');
      };
    },
  });
  return {
    struck,
    watch: (message: Told['messages'][number]) => {
      for (const watcher of watchers) watcher(message);
    },
  };
}

function failUnless(struck: boolean, error: unknown, told: Told) {
  if (!struck) throw error;
  return told.conversation.over;
}
