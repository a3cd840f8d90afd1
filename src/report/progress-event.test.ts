import { describe, expect, test } from 'vitest';
import { progressEvent } from '../words/progress.ts';
import { redactor } from '../words/redact.ts';
import type { Progress, Result } from '../words/result.ts';
import { type Draft, draftOf, makeEvent, terminalDraft } from './progress-event.ts';

const stream = { repository: 'octo-org/hello', runId: '123', runAttempt: 2, correlationId: 'req-1' };
const secret = 'hunter2-long-secret';
/** The event of a draft: valid, and small enough for the server's Progress API, always. */
const make = (draft: Draft) => {
  const event = makeEvent(draft, { stream, sequence: 4, redact: redactor([secret]) });
  const body = JSON.stringify(event);
  expect(Buffer.byteLength(body)).toBeLessThan(256 * 1024);
  expect(body).not.toContain(secret);
  expect(progressEvent.parse(JSON.parse(body))).toEqual(JSON.parse(body));
  return event;
};
const working = (changes: Partial<Progress> = {}) => {
  const { completedTasks = [], ...progress } = { message: 'Working', ...changes };
  return make(draftOf({ status: 'in_progress', ...progress }, completedTasks));
};
const success: Result = {
  conclusion: 'success',
  reason: '',
  summary: 'All done.',
  remedy: '',
  notes: [],
  sessionId: '0b0c0d0e-0000-4000-8000-000000000000',
  branch: { name: 'claude/x', base: 'main', sha: 'a'.repeat(40), commits: 3, repository: 'octo-org/hello' },
  pullRequestUrl: 'https://github.com/octo-org/hello/pull/5',
  commentUrl: null,
  usage: { costUsd: 0.25, turns: 7, durationMs: 61_000.4, inputTokens: 1, outputTokens: 2 },
};
const ended = (changes: Partial<Result> = {}, tasks: string[] = []) =>
  make(terminalDraft({ ...success, ...changes }, tasks));

test('work in progress', () => {
  const { event_id, timestamp, ...event } = working({
    message: 'Implementing feature…',
    completedTasks: ['Set up environment'],
    currentTask: 'Writing tests',
  });
  expect(event).toEqual({
    repository: 'octo-org/hello',
    run_id: '123',
    correlation_id: 'req-1',
    status: 'in_progress',
    message: 'Implementing feature…',
    completed_tasks: ['Set up environment'],
    current_task: 'Writing tests',
    version: 1,
    run_attempt: 2,
    sequence: 4,
    result: null,
  });
  expect(working().event_id).not.toBe(event_id);
  expect(new Date(timestamp).toISOString()).toBe(timestamp);
});

test('the end, with all that a backend wants to know', () => {
  expect(ended({ structuredOutput: { files: 3 } }, ['One', 'Two'])).toMatchObject({
    status: 'completed',
    message: 'All done.',
    completed_tasks: ['One', 'Two'],
    current_task: '',
    result: {
      conclusion: 'success',
      reason: '',
      summary: 'All done.',
      branch: 'claude/x',
      pull_request_url: 'https://github.com/octo-org/hello/pull/5',
      commits: 3,
      cost_usd: 0.25,
      num_turns: 7,
      duration_ms: 61_000,
      session_id: success.sessionId,
      structured_output: { files: 3 },
    },
  });
});

test.each([
  ['success', '', 'completed', 'The task is completed.'],
  ['failure', 'budget', 'failed', 'The task failed.'],
  ['cancelled', 'cancelled', 'cancelled', 'The task was cancelled.'],
  ['skipped', 'not_mentioned', 'cancelled', 'The task was cancelled.'],
] as const)('%s ends with the status that backends know', (conclusion, reason, status, message) => {
  const event = ended({ conclusion, reason, summary: '' });
  expect([event.status, event.result?.conclusion, event.result?.reason]).toEqual([
    status,
    conclusion,
    reason,
  ]);
  expect(event.message).toBe(message);
});

test('a failure says what to do, and what did not happen is null', () => {
  const nothing = { branch: null, pullRequestUrl: null, sessionId: null, usage: null };
  const event = ended({
    ...nothing,
    conclusion: 'failure',
    reason: 'internal',
    summary: 'It broke.',
    remedy: 'Look.',
  });
  expect(event.message).toBe('It broke.\n\nLook.');
  expect(event.result).toMatchObject({
    summary: 'It broke.',
    branch: null,
    commits: 0,
    cost_usd: null,
    num_turns: null,
    duration_ms: null,
    session_id: null,
  });
});

describe('what does not fit', () => {
  test.each([
    ['letters', 'a'.repeat(100_000)],
    ['characters of three bytes', '語'.repeat(100_000)],
    ['pairs', '🚀'.repeat(100_000)],
    ['what JSON escapes', '\u0001"\\'.repeat(100_000)],
    ['halves of pairs', '\ud83d'.repeat(100_000)],
  ])('texts are cut at whole characters: %s', (_, text) => {
    const event = ended({ summary: text, remedy: text }, Array(60).fill(text));
    for (const cut of [event.message, event.result!.summary, ...event.completed_tasks]) {
      expect(cut).toMatch(/…$/);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut.length).toBeGreaterThan(200);
    }
    expect(working({ currentTask: text }).current_task).toMatch(/…$/);
  });

  test('a text that fits exactly is left alone', () => {
    const text = 'a'.repeat(69_998);
    expect([working({ message: text }).message, working({ message: `${text}ab` }).message]).toEqual([
      text,
      `${'a'.repeat(69_995)}…`,
    ]);
  });

  test('of too many tasks the newest are told', () => {
    const tasks = Array.from({ length: 600 }, (_, index) => `Task ${index}`);
    expect(working({ completedTasks: tasks }).completed_tasks).toEqual(tasks.slice(100));
    const long = tasks.map((task) => task.padEnd(1_000));
    const told = working({ completedTasks: long }).completed_tasks;
    expect(told).toEqual(long.slice(-told.length));
    expect(told.length).toBe(49);
  });

  test.each([
    ['large', 'x'.repeat(300_000)],
    ['too deep', JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)],
  ])('a structured output that is %s is left out whole, and the message says so', (_, output) => {
    const event = ended({ summary: 'a'.repeat(80_000), structuredOutput: { output } });
    expect(event.result).not.toHaveProperty('structured_output');
    expect(event.message).toMatch(/a…\n\n\*The structured output is too large/);
  });

  test('a structured output gets the room that the texts leave', () => {
    const output = { output: 'x'.repeat(200_000) };
    expect(ended({ structuredOutput: output }).result?.structured_output).toEqual(output);
  });

  test('numbers that are none', () => {
    const usage = {
      costUsd: Number.NaN,
      turns: Number.POSITIVE_INFINITY,
      durationMs: -1,
      inputTokens: 0,
      outputTokens: 0,
    };
    expect(ended({ usage }).result).toMatchObject({ cost_usd: null, num_turns: 0, duration_ms: 0 });
  });
});

test('secrets are taken out of everything, also when the cut would have halved them', () => {
  const long = `${'a'.repeat(69_990)}${secret}`;
  const event = ended(
    {
      summary: long,
      structuredOutput: { [secret]: [secret, { deep: `x ${secret}` }] },
      branch: { ...success.branch!, name: `claude/${secret}` },
    },
    [`Used ${secret}`],
  );
  expect(event.message).toBe(`${'a'.repeat(69_990)}***`);
  expect(event.completed_tasks).toEqual(['Used ***']);
  expect(event.result).toMatchObject({
    branch: 'claude/***',
    structured_output: { '***': ['***', { deep: 'x ***' }] },
  });
  expect(working({ message: secret, currentTask: secret })).toMatchObject({
    message: '***',
    current_task: '***',
  });
});

test('NUL, which databases refuse, is taken out', () => {
  expect(working({ message: 'a\0b' }).message).toBe('ab');
  expect(ended({ structuredOutput: ['a\0b'] }).result?.structured_output).toEqual(['ab']);
});
