import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../words/log.ts';
import { type Commands, runnerCommands } from './commands.ts';

let root: string;
let printed: string[];
let commands: Commands;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'forgehand-commands-'));
  printed = [];
  const job = {
    GITHUB_OUTPUT: join(root, 'output'),
    GITHUB_STATE: join(root, 'state'),
    GITHUB_STEP_SUMMARY: join(root, 'summary'),
  };
  commands = runnerCommands(job, (line) => printed.push(line));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const written = (name: string) => readFileSync(join(root, name), 'utf8');

/** Reads a command file as the runner does: `name<<delimiter`, lines, `delimiter`; the last value of a name counts. */
function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split('\n');
  for (let i = 0; i < lines.length - 1; i += 1) {
    const [, name, delimiter] = /^(\w+)<<(.+)$/.exec(lines[i]!)!;
    const end = lines.indexOf(delimiter!, i);
    found[name!] = lines.slice(i + 1, end).join('\n');
    i = end;
  }
  return found;
}

describe('outputs and state', () => {
  test.each([
    ['plain', 'success'],
    ['empty', ''],
    ['several lines', '{\n  "a": 1\n}'],
    ['what looks like another output', 'x\nconclusion=success\nbranch_name<<EOF\nmain\nEOF'],
    ['a guessed delimiter', 'x\nforgehand-00000000-0000-4000-8000-000000000000\nconclusion=success'],
  ])('a value arrives as it was given: %s', (_, value) => {
    commands.output('structured_output', value);
    commands.state('comment', value);
    expect(pairs(written('output'))).toEqual({ structured_output: value });
    expect(pairs(written('state'))).toEqual({ comment: value });
  });

  test('no two delimiters are alike, so that no value can know the next', () => {
    for (let i = 0; i < 20; i += 1) commands.output('a', 'x');
    const delimiters = [...written('output').matchAll(/<<(.+)/g)].map((match) => match[1]);
    expect(new Set(delimiters).size).toBe(20);
  });

  test('the last one of a name counts', () => {
    commands.output('conclusion', 'failure');
    commands.output('conclusion', 'success');
    expect(pairs(written('output'))).toEqual({ conclusion: 'success' });
  });
});

test('summaries are appended', () => {
  commands.summary('## One');
  commands.summary('## Two');
  expect(written('summary')).toBe('## One\n## Two\n');
});

test('outside of a runner there are no files, and that is no error', () => {
  const alone = runnerCommands({}, (line) => printed.push(line));
  alone.output('a', 'b');
  alone.state('a', 'b');
  alone.summary('c');
  expect(printed).toEqual([]);
});

test.each<[string, string, string[]]>([
  ['one line', 'hunter2', ['::add-mask::hunter2']],
  ['a short one too', 'abc', ['::add-mask::abc']],
  ['characters that commands escape', '50%\u2028x', ['::add-mask::50%25\u2028x']],
  [
    'a key of several lines, each by itself',
    '-----BEGIN KEY-----\nQUJDREVGR0g=\r\n-----END KEY-----\n',
    ['::add-mask::-----BEGIN KEY-----', '::add-mask::QUJDREVGR0g=', '::add-mask::-----END KEY-----'],
  ],
  [
    'JSON: its braces stay readable everywhere else',
    '{\n  "private_key": "abc"\n}',
    ['::add-mask::  "private_key": "abc"'],
  ],
  ['nothing', ' \n', []],
])('masks: %s', (_, secret, lines) => {
  commands.mask(secret);
  expect(printed).toEqual(lines);
});

test.each<[string, Parameters<Commands['annotate']>, string]>([
  ['a message', ['error', 'It failed.'], '::error::It failed.'],
  [
    'with a title',
    ['warning', 'Odd.', 'Inputs: model, mode'],
    '::warning title=Inputs%3A model%2C mode::Odd.',
  ],
  ['of several lines', ['notice', 'a\nb\r\nc 100%'], '::notice::a%0Ab%0D%0Ac 100%25'],
  [
    'that tries to end itself',
    ['error', 'x\n::stop-commands::y', 'a::b\n::c'],
    '::error title=a%3A%3Ab%0A%3A%3Ac::x%0A::stop-commands::y',
  ],
])('annotations: %s', (_, given, line) => {
  commands.annotate(...given);
  expect(printed).toEqual([line]);
});

describe('the log', () => {
  test('has a form for each level; the task is known from the job', () => {
    const log = createLog(commands.sink, { task: 'octo-org/hello#7' });
    log.debug('Asked.', { ms: 12 });
    log.info('Working.');
    log.notice('Not for Claude.');
    log.warning('Odd.', { input: 'model' });
    log.error('Failed.');
    expect(printed).toEqual([
      '::debug::Asked. {"ms":12}',
      'Working.',
      '::notice::Not for Claude.',
      '::warning::Odd. {"input":"model"}',
      '::error::Failed.',
    ]);
  });

  /** What the runner would take a line of output for: https://github.com/actions/runner, `ActionCommand`. */
  const isCommand = (text: string) =>
    text.split(/\r\n|\r|\n/).some((line) => /^[\s\u0085]*::/.test(line) || line.includes('##['));

  test.each([
    '::add-mask::e',
    '  ::stop-commands::x',
    'title\n::set-output name=conclusion::success',
    'title\r::error::x',
    'title\r\n\t\v\f::error::x',
    '\u0085::error::x',
    '\u2003\u2028::error::x',
    '##[error]x',
    'words before ##[add-mask]e',
    '##[group]a ##[endgroup]',
    '####[error]x',
  ])('text that would be a command is only text: %j', (text) => {
    expect(isCommand(text)).toBe(true);
    createLog(commands.sink).info(text);
    expect(isCommand(printed[0]!)).toBe(false);
    // A reader sees no difference.
    expect(printed[0]!.replaceAll('\u200b', '')).toBe(text);
  });

  test('ordinary text is left alone', () => {
    const text = 'std::vector and a::b, ## heading [link]\n  # [x]';
    createLog(commands.sink).info(text);
    expect(printed).toEqual([text]);
  });
});
