/** The log of a job: what of it a person would see, and the lines that were asked for. */
import { describe, expect, test } from 'vitest';
import { redactor } from '../words/redact.ts';
import { cleanLog, excerptOf } from './job-log.ts';

describe('a log is what a person sees of it', () => {
  const at = '2026-11-20T10:00:00.1234567Z ';
  test.each<[string, string, string]>([
    ['timestamps go', `\uFEFF${at}one\n${at}two`, 'one\ntwo'],
    ['a date that the job wrote stays', `${at}2026-11-20 done`, '2026-11-20 done'],
    ['colours go', '\x1b[36;1mnpm test\x1b[0m', 'npm test'],
    ['links keep their words', '\x1b]8;;https://example.com\x07here\x1b]8;;\x07', 'here'],
    ['movements of the cursor go', '\x1b[2K\x1b[1Gbuilt\x1b(B', 'built'],
    ['of a progress bar the last is left', `${at}10 %\r50 %\r100 %\r`, '100 %'],
    ['other invisible signs go', 'a\x00b\x07c\x9bd', 'abcd'],
    ['indentation and tabs stay', `${at}\t at x\n${at}    at y  `, '\t at x\n    at y'],
    ['lines of Windows are lines', 'a\r\nb\r\n', 'a\nb'],
    ['an empty log', '', ''],
    ['secrets go, those of many lines too', 'key hunter2-long-secret\nx', 'key ***\nx'],
    ['what begins like a sequence and never ends', `\x1b]${'\x1b['.repeat(3)}x`, ''],
    ['a long line is cut', 'x'.repeat(1_500), `${'x'.repeat(1_000)} [cut: 500 more characters]`],
  ])('%s', (_, raw, clean) => {
    expect(cleanLog(raw, redactor(['hunter2-long-secret']))).toBe(clean);
  });

  test('a secret that would be cut in half is known before', () => {
    const token = `ghs_${'a'.repeat(36)}`;
    expect(cleanLog(`${' '.repeat(990)}${token}`, redactor([]))).not.toContain('ghs_');
  });

  test('a private key is taken out although each of its lines has a timestamp', () => {
    const key = ['-----BEGIN PRIVATE KEY-----', 'c2VjcmV0', '-----END PRIVATE KEY-----'];
    expect(cleanLog(key.map((line) => `${at}${line}`).join('\n'), redactor([]))).toBe('***');
  });
});

describe('the lines that were asked for', () => {
  const log = [
    'one',
    'two',
    'Error: three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
    'FAIL nine',
    'ten',
  ].join('\n');
  const ask = (question: { tail?: number; grep?: string }, room = 1_000) =>
    excerptOf(log, { tail: null, grep: null, ...question }, room);

  test.each<[string, { tail?: number; grep?: string }, string]>([
    ['the last', { tail: 2 }, '9: FAIL nine\n10: ten'],
    [
      'more than there are',
      { tail: 99 },
      log
        .replace(/^/gm, '#')
        .split('#')
        .slice(1)
        .map((line, index) => `${index + 1}: ${line.trim()}`)
        .join('\n'),
    ],
    ['with a word, whatever its case', { grep: 'fail' }, '7- seven\n8- eight\n9: FAIL nine\n10- ten'],
    [
      'with one of several',
      { grep: 'error | fail' },
      '1- one\n2- two\n3: Error: three\n4- four\n5- five\n…\n7- seven\n8- eight\n9: FAIL nine\n10- ten',
    ],
    [
      'neighbours share what is around them',
      { grep: 'four|five' },
      '2- two\n3- Error: three\n4: four\n5: five\n6- six\n7- seven',
    ],
    ['of the last ones', { tail: 4, grep: 'o|nine' }, '7- seven\n8- eight\n9: FAIL nine\n10- ten'],
    ['a pattern is plain text', { grep: '.*' }, ''],
  ])('%s', (_, question, text) => {
    expect(ask(question).text).toBe(text);
  });

  test('what has no room is the first of them, and is counted', () => {
    expect(ask({ tail: 10 }, 45)).toEqual({
      text: '9: FAIL nine\n10: ten',
      lines: 10,
      matches: null,
      leftOut: 8,
    });
    expect(ask({ grep: 'error|fail' }, 90)).toMatchObject({
      text: '7- seven\n8- eight\n9: FAIL nine\n10- ten',
      matches: 2,
      leftOut: 1,
    });
  });

  test('an expression that would never end is text like any other', () => {
    const line = 'a'.repeat(50_000);
    expect(excerptOf(line, { tail: null, grep: '(a+)+$' }, 1_000)).toMatchObject({ text: '', matches: 0 });
  });

  test('an empty log has no lines', () => {
    expect(excerptOf('', { tail: 5, grep: null }, 100)).toEqual({
      text: '',
      lines: 0,
      matches: null,
      leftOut: 0,
    });
  });
});
