import { describe, expect, test } from 'vitest';
import { clockTime, jsonLine, oneLine, printable, quoted } from './dispatch-text.ts';

describe('what could steer a terminal is not printed', () => {
  test.each<[string, string, string]>([
    ['colours', '\x1b[31mred\x1b[0m', '[31mred[0m'],
    ['a title', '\x1b]0;owned\x07', ']0;owned'],
    ['eight-bit sequences', '\x9b2Jgone', '2Jgone'],
    ['backspaces', 'rm\b\b', 'rm'],
    ['a return that overwrites', 'good\rbad', 'good\nbad'],
    ['text turned round', 'user\u202egnp.exe', 'usergnp.exe'],
    ['lines and tabs', 'one\n\ttwo', 'one\n  two'],
    ['letters of all kinds', 'Größe ✓ 実装 🚀', 'Größe ✓ 実装 🚀'],
  ])('%s', (_, given, shown) => {
    expect(printable(given)).toBe(shown);
  });

  test('as JSON it is escaped, and the same value for a parser', () => {
    const value = { message: '\x1b[31m\x9b2J\u202e\u2028✓' };
    const line = jsonLine(value);
    expect(line).toBe('{"message":"\\u001b[31m\\u009b2J\\u202e\\u2028✓"}');
    expect(JSON.parse(line)).toEqual(value);
  });
});

test.each<[string, string]>([
  ['one\n two', 'one two'],
  ['x'.repeat(300), `${'x'.repeat(199)}…`],
])('one line: %j', (given, shown) => {
  expect(oneLine(given)).toBe(shown);
});

test.each<[number, string]>([
  [-5, '0:00'],
  [61_000, '1:01'],
  [3_723_000, '1:02:03'],
])('%d ms is %s', (ms, shown) => {
  expect(clockTime(ms)).toBe(shown);
});

test.each<[string, string]>([
  ['octo-org/hello', 'octo-org/hello'],
  ['https://forgehand.example.com:8080', 'https://forgehand.example.com:8080'],
  ['$(reboot)', `'$(reboot)'`],
  ["it's", `'it'\\''s'`],
])('a shell takes %s as one word', (word, shown) => {
  expect(quoted(word)).toBe(shown);
});
