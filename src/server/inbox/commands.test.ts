import { describe, expect, test } from 'vitest';
import { type Command, type CommandThread, type Limits, parseCommand, planCommand } from './commands.ts';

describe('what is a command', () => {
  test.each<[string, Partial<Command>]>([
    ['/stop', { name: 'stop' }],
    ['  /status  ', { name: 'status' }],
    ['/retry\n\nWith the other key.', { name: 'retry', rest: 'With the other key.' }],
    ['/retry\r\nNow.', { name: 'retry', rest: 'Now.' }],
    ['/continue', { name: 'continue', usd: null }],
    ['/continue $5', { name: 'continue', usd: 5 }],
    ['/continue $0.50', { name: 'continue', usd: 0.5 }],
    ['@claude /stop', { name: 'stop' }],
    ['**@claude** /continue $2', { name: 'continue', usd: 2 }],
  ])('%j', (body, wanted) => {
    expect(parseCommand(body.replace('**@claude**', '@claude'), '@claude')).toMatchObject(wanted);
  });

  test.each([
    '/stop the build',
    'Please /stop',
    'please @claude /stop',
    '/stops',
    '/STOP',
    '/review',
    '/continue 5',
    '/continue $',
    '/continue $0',
    '/continue $-5',
    '/continue $1e9',
    '/continue $9999999',
    '@octocat /stop',
    'words\n/stop',
    '',
  ])('%j is for Claude', (body) => {
    expect(parseCommand(body, '@claude')).toBeNull();
  });
});

const thread: CommandThread = {
  ...{ state: 'open', pauseReason: null, pauseMessage: null, granted: {}, live: false },
  ...{ spentUsd: 1.5, turns: 4, activity: null, branch: 'issue-42', pullUrl: null, queued: 0, setAside: 0 },
};
const limits: Limits = {
  ...{ sessionUsd: 5, sessionTurns: 50, sessionMinutes: 120, repositoryDayUsd: null, dayUsd: null },
  ...{ spentRepositoryUsd: 0, spentUsd: 0 },
};
const paused = (pauseReason: CommandThread['pauseReason']): Partial<CommandThread> => ({
  state: 'paused',
  pauseReason,
});
const plan = (text: string, changes: Partial<CommandThread> = {}, caps: Partial<Limits> = {}) =>
  planCommand(parseCommand(text, '@claude')!, { ...thread, ...changes }, { ...limits, ...caps });

describe('what a command does', () => {
  test.each<[string, string, Partial<CommandThread>, object]>([
    ['/stop', 'an open thread', {}, { done: true, state: 'paused', answer: null }],
    ['/stop', 'a thread at its limit', paused('budget'), { done: true, state: 'paused' }],
    [
      '/retry',
      'a session that failed',
      paused('claude_crashed'),
      { done: true, state: 'open', forgive: true },
    ],
    ['/retry', 'a stopped session', paused('cancelled'), { done: true, state: 'open' }],
    ['/retry', 'a parked session', {}, { done: true, note: expect.stringContaining('again') }],
    ['/continue', 'the budget', paused('budget'), { state: 'open', granted: { usd: 5 } }],
    ['/continue', 'the turns', paused('turns'), { state: 'open', granted: { turns: 50 } }],
    ['/continue', 'the time', paused('timed_out'), { state: 'open', granted: { minutes: 120 } }],
    [
      '/continue',
      'a stopped session',
      paused('cancelled'),
      { state: 'open', granted: {}, note: expect.any(String) },
    ],
    ['/continue $3', 'the budget', paused('budget'), { state: 'open', granted: { usd: 3 } }],
    ['/continue $3', 'a session that goes on', { live: true }, { done: true, granted: { usd: 3 } }],
    [
      '/continue',
      'a budget that was granted once',
      { ...paused('budget'), granted: { usd: 5, turns: 1 } },
      { granted: { usd: 10, turns: 1 } },
    ],
  ])('%s: %s', (text, _, changes, wanted) => {
    expect(plan(text, changes)).toMatchObject(wanted);
  });

  test.each<[string, string, Partial<CommandThread>, Partial<Limits>, RegExp]>([
    ['/stop', 'is stopped already', paused('cancelled'), {}, /stopped already/],
    ['/stop', 'is closed', { state: 'closed' }, {}, /closed/],
    ['/retry', 'is closed', { state: 'closed' }, {}, /Reopen/],
    ['/retry', 'is at a limit', paused('budget'), {}, /`\/continue`/],
    ['/retry', 'is at work', { live: true, activity: 'working' }, {}, /right now/],
    ['/continue', 'waits for nothing', {}, {}, /Nothing waits/],
    [
      '/continue',
      'has used up the day of its repository',
      paused('budget'),
      { repositoryDayUsd: 10, spentRepositoryUsd: 10 },
      /\$10\.00 a day, is used up/,
    ],
    [
      '/continue $8',
      'leaves less of the day than asked',
      paused('budget'),
      { dayUsd: 20, spentUsd: 15 },
      /leaves \$5\.00\. `\/continue \$5\.00`/,
    ],
  ])('%s is refused when the thread %s', (text, _, changes, caps, answer) => {
    expect(plan(text, changes, caps)).toEqual({ done: false, answer: expect.stringMatching(answer) });
  });

  test('/status tells state, branch, pull request, spend and queue', () => {
    const { answer } = plan('/status', {
      ...paused('budget'),
      ...{
        pauseMessage: 'It cost $5 | all.',
        queued: 1,
        setAside: 2,
        pullUrl: 'https://github.com/o/r/pull/7',
      },
    });
    expect(answer).toBe(
      [
        '| | |',
        '|---|---|',
        '| State | waits for you: It cost $5 \\| all. `/continue` goes on. |',
        '| Branch | `issue-42` |',
        '| Pull request | https://github.com/o/r/pull/7 |',
        '| Spent | $1.50 of $5.00, 4 turns |',
        '| Waiting | 1 message |',
        '| Set aside | 2 messages; `/retry` tries again |',
      ].join('\n'),
    );
  });
});
