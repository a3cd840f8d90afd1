import { describe, expect, test } from 'vitest';
import { Transcript, toolUses, unfinishedNotice } from './transcript.ts';

const user = (uuid: string, more: object = {}) => ({
  type: 'user',
  uuid,
  message: { role: 'user', content: 'please' },
  ...more,
});
const folded = (uuid: string) => ({
  type: 'attachment',
  uuid: 'other',
  attachment: { type: 'queued_command', source_uuid: uuid },
});
const says = (stop: string | null, more: object = {}) => ({
  type: 'assistant',
  message: { model: 'claude', stop_reason: stop, content: [{ type: 'text', text: 'so' }] },
  ...more,
});
const thinks = { type: 'assistant', message: { stop_reason: 'end_turn', content: [{ type: 'thinking' }] } };
const calls = (id: string, name = 'Bash') => ({
  type: 'assistant',
  message: {
    model: 'claude',
    stop_reason: 'tool_use',
    content: [{ type: 'tool_use', id, name, input: { a: 1 } }],
  },
});
const result = (id: string) => ({
  type: 'user',
  uuid: `result-${id}`,
  message: { content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] },
});
const stopped = {
  type: 'user',
  message: { content: [{ type: 'text', text: '[Request interrupted by user]' }] },
};
const synthetic = { model: '<synthetic>', stop_reason: 'stop_sequence', content: [] };

describe('what is evidence that a message is in the conversation', () => {
  test.each<[string, object, boolean]>([
    ['a turn of its own', user('X'), true],
    ['the last of several', user('X', { mergedSendUuids: ['Y'] }), true],
    ['one of several', user('Y', { mergedSendUuids: ['X', 'Z'] }), true],
    ['folded into a running turn', folded('X'), true],
    ["an attachment's own uuid", { type: 'attachment', uuid: 'X', attachment: { type: 'date' } }, false],
    ['an assistant entry', { ...says('end_turn'), uuid: 'X' }, false],
    ['waiting in the queue', { type: 'queue-operation', operation: 'enqueue', content: 'please' }, false],
    ['gone from the queue', { type: 'queue-operation', operation: 'remove', commandUuid: 'X' }, false],
    [
      "Claude Code's word for it",
      { type: 'command_lifecycle', command_uuid: 'X', state: 'completed' },
      false,
    ],
    ["a subagent's entry", user('X', { isSidechain: true }), false],
    ['nothing that can be read', { type: 'user', message: null }, false],
  ])('%s', (_, entry, evidence) => {
    expect(new Transcript([entry]).holds('X')).toBe(evidence);
  });
});

describe('how it stands after the last entry', () => {
  const asked = { unanswered: true, answered: false };
  const done = { unanswered: false, answered: true };
  test.each<[string, object[], { unanswered: boolean; answered: boolean }]>([
    ['asked', [user('X')], asked],
    ['answered', [user('X'), says('end_turn')], done],
    ['refused by the model', [user('X'), says('refusal')], done],
    ['half said', [user('X'), says(null)], asked],
    ['cut at its length', [user('X'), says('max_tokens')], asked],
    [
      'an API error in the place of an answer',
      [user('X'), says('stop_sequence', { isApiErrorMessage: true })],
      asked,
    ],
    ["Claude Code's own words", [user('X'), { type: 'assistant', message: synthetic }], asked],
    ['thought through, not said', [user('X'), thinks], asked],
    ['thought through and said', [user('X'), thinks, says('end_turn')], done],
    ['at work', [user('X'), calls('t')], asked],
    ['with a result and nothing more', [user('X'), calls('t'), result('t')], asked],
    ['at the end', [user('X'), calls('t'), result('t'), says('end_turn')], done],
    ['folded in and answered', [user('A'), calls('t'), result('t'), folded('X'), says('end_turn')], done],
    ['folded in, not answered', [user('A'), calls('t'), result('t'), folded('X')], asked],
    ['asked after the last answer', [user('A'), says('end_turn'), user('X')], asked],
    [
      "answered, then a subagent's word",
      [user('X'), says('end_turn'), user('Y', { isSidechain: true })],
      done,
    ],
    [
      'stopped by a person',
      [user('X'), calls('t'), result('t'), stopped],
      { unanswered: false, answered: false },
    ],
    ['stopped, then answered with the next', [user('X'), stopped, user('Y'), says('end_turn')], done],
    ['a command of Claude Code', [user('X'), { type: 'system', subtype: 'local_command' }], done],
  ])('%s', (_, entries, expected) => {
    const transcript = new Transcript(entries);
    expect({ unanswered: transcript.isUnanswered, answered: transcript.hasAnswered('X') }).toEqual(expected);
    expect(unfinishedNotice(transcript) !== null).toBe(expected.unanswered);
  });

  test('entries that come later count like those that came first, and say what they answer', () => {
    const transcript = new Transcript();
    expect(transcript.hasStarted).toBe(false);
    expect(transcript.add([user('A'), folded('B')])).toEqual([]);
    expect(transcript.hasStarted).toBe(true);
    expect(transcript.add([says('end_turn')])).toEqual(['A', 'B']);
    expect(transcript.add([user('C'), says('end_turn')])).toEqual(['C']);
    expect(transcript.add([user('D')])).toEqual([]);
    expect(transcript.endTurn()).toEqual(['D']);
  });
});

describe('a command whose outcome nobody knows', () => {
  test.each<[string, object[], string | null]>([
    ['none was called', [user('A'), says('end_turn')], null],
    ['called, no result', [user('A'), calls('t')], 't'],
    ['called, with result', [user('A'), calls('t'), result('t')], null],
    ['the last of two', [user('A'), calls('s'), calls('t')], 't'],
    ['one of two has a result', [user('A'), calls('s'), calls('t'), result('t')], 's'],
    ['the conversation has gone on without it', [user('A'), calls('t'), user('B')], null],
  ])('%s', (_, entries, id) => {
    const transcript = new Transcript(entries);
    expect(transcript.interruptedTool?.id ?? null).toBe(id);
    expect(unfinishedNotice(transcript)?.includes('`Bash`') ?? false).toBe(id !== null);
  });
});

test("calls are read from every transcript, subagents' included", () => {
  expect(toolUses([calls('a'), { ...calls('b'), isSidechain: true }, result('c'), says('end_turn')])).toEqual(
    ['a', 'b'],
  );
});
