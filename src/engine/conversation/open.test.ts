import { describe, expect, test } from 'vitest';
import { parseClaudeArguments } from '../../claude/arguments.ts';
import { readConfig } from '../../words/config.ts';
import type { Task } from '../../words/task.ts';
import { canGoOn, checkConversation } from './open.ts';

const subject = { kind: 'issue', number: 1 };
const dispatch = (sessionId: string | null) => ({ kind: 'dispatch', dispatch: { sessionId } });
const tasks = {
  mention: { mode: 'tag', subject, trigger: { kind: 'label', label: 'claude' } },
  'prompt on an issue': { mode: 'agent', subject, trigger: { kind: 'prompt' } },
  'prompt on a schedule': { mode: 'agent', subject: null, trigger: { kind: 'prompt' } },
  dispatch: { mode: 'agent', subject: null, trigger: dispatch(null) },
  'dispatch of a session': { mode: 'agent', subject: null, trigger: dispatch(crypto.randomUUID()) },
} as unknown as Record<string, Task>;

test('a thread in tag mode and a dispatch can go on; a prompt is the same each time', () => {
  expect(Object.keys(tasks).filter((name) => canGoOn(tasks[name]!))).toEqual([
    'mention',
    'dispatch',
    'dispatch of a session',
  ]);
});

describe('what cannot be meant is refused', () => {
  const check = (name: string, resume: string, args = '') => {
    const { config } = readConfig((setting) => (setting === 'resume' ? resume : undefined));
    checkConversation(config, parseClaudeArguments(args), tasks[name]!);
  };

  test.each<[string, string, string, RegExp]>([
    ['dispatch of a session', 'false', '', /^`client_payload\.session_id`: this workflow keeps no sessions/],
    ['mention', 'true', '-r 1c1ae6ff', /`resume` and `claude_args: --resume` contradict/],
    ['dispatch', 'true', '--session-id 1c1ae6ff', /`claude_args: --session-id`/],
    ['mention', 'true', '--no-session-persistence', /`claude_args: --no-session-persistence`/],
  ])('%s with `resume: %s` and %j', (name, resume, args, message) => {
    expect(() => check(name, resume, args)).toThrow(expect.objectContaining({ reason: 'invalid_input' }));
    expect(() => check(name, resume, args)).toThrow(message);
  });

  test.each<[string, string, string]>([
    ['dispatch of a session', 'true', ''],
    ['dispatch', 'false', ''],
    ['mention', 'false', '--resume 1c1ae6ff'],
    ['prompt on an issue', 'true', '--resume 1c1ae6ff'],
  ])('and nothing else: %s with `resume: %s` and %j', (name, resume, args) => {
    expect(() => check(name, resume, args)).not.toThrow();
  });
});
