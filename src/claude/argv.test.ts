import { describe, expect, test } from 'vitest';
import { splitWords } from './argv.ts';

describe('words', () => {
  test.each<[string, string, string[]]>([
    ['plain words', '--model opus', ['--model', 'opus']],
    [
      'double quotes keep spaces',
      '--append-system-prompt "be brief"',
      ['--append-system-prompt', 'be brief'],
    ],
    ['single quotes keep everything', `--x '{"a": "$HOME"}'`, ['--x', '{"a": "$HOME"}']],
    ['a dollar sign is a dollar sign', '--x "costs $5"', ['--x', 'costs $5']],
    ['an empty value stays', '--x ""', ['--x', '']],
    ['comment lines outside quotes go', '# note\n--model opus\n  # more\n', ['--model', 'opus']],
    ['a # inside a quoted value of several lines stays', '--x "a\n# b"', ['--x', 'a\n# b']],
    ['a comment behind a word goes', '--model opus # the best\n--verbose', ['--model', 'opus', '--verbose']],
    ['a # at the beginning of a quoted value stays', '--x "# Rules"', ['--x', '# Rules']],
    ['a # inside a word stays', '--x a#b', ['--x', 'a#b']],
    ['an escaped quote', '--x "say \\"hi\\""', ['--x', 'say "hi"']],
    ['an escaped dollar sign, as for a shell', '--x "\\$5"', ['--x', '$5']],
    ['any other backslash in quotes stays', '--x "a\\nb"', ['--x', 'a\\nb']],
    ['nothing is special in single quotes', `--x 'a\\"b'`, ['--x', 'a\\"b']],
    ['a file with the lines of Windows', '# note\r\n--x a \\\r\n --y "b"\r\n', ['--x', 'a', '--y', 'b']],
    ['quotes inside of a word', `--x=a"b c"'d'`, ['--x=ab cd']],
    ['nothing', ' \n# only a note', []],
    ['a backslash joins lines', '--model \\\n opus', ['--model', 'opus']],
    ['shell characters are text', '--x a|b&c;(d)', ['--x', 'a|b&c;(d)']],
  ])('%s', (_, input, words) => {
    expect(splitWords(input)).toEqual(words);
  });

  test.each([
    ['--x "abc', '"'],
    ["--x 'it is", "'"],
    ['--x "a\\"', '"'],
    [`--mcp-config '{"a": 1}`, "'"],
  ])('an unclosed quote is named: %s', (input, quote) => {
    expect(() => splitWords(input)).toThrow(`Input \`claude_args\`: a ${quote} quote is not closed.`);
  });
});
