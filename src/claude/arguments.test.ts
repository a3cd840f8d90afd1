import { describe, expect, test } from 'vitest';
import { parseClaudeArguments, splitToolRules, splitWords } from './arguments.ts';

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
    ['a # inside a word stays', '--x a#b', ['--x', 'a#b']],
    ['an escaped quote', '--x "say \\"hi\\""', ['--x', 'say "hi"']],
    ['a backslash joins lines', '--model \\\n opus', ['--model', 'opus']],
    ['shell characters are text', '--x a|b&c;(d)', ['--x', 'a|b&c;(d)']],
  ])('%s', (_, input, words) => {
    expect(splitWords(input)).toEqual(words);
  });

  test('an unclosed quote is named', () => {
    expect(() => splitWords('--x "abc')).toThrow(/quote is not closed/);
  });
});

test.each<[string, string[], string[]]>([
  ['commas', ['Read,Edit'], ['Read', 'Edit']],
  ['spaces inside a rule', ['Bash(git add:*),Read'], ['Bash(git add:*)', 'Read']],
  ['commas inside a rule', ['Bash(a,b) Read'], ['Bash(a,b)', 'Read']],
  ['several words', ['Read', 'mcp__github__*'], ['Read', 'mcp__github__*']],
])('tool rules: %s', (_, values, rules) => {
  expect(splitToolRules(values)).toEqual(rules);
});

describe('flags', () => {
  test('values by space and by =', () => {
    expect(parseClaudeArguments('--model=opus --max-turns 7')).toMatchObject({
      model: 'opus',
      maxTurns: 7,
      warnings: [],
    });
  });
  test('lists add up over several flags', () => {
    const parsed = parseClaudeArguments(
      '--allowedTools Read "Bash(npm test:*)" --allowed-tools Edit,Write --add-dir ../a ../b',
    );
    expect(parsed.allowedTools).toEqual(['Read', 'Bash(npm test:*)', 'Edit', 'Write']);
    expect(parsed.addDirs).toEqual(['../a', '../b']);
  });
  test('several MCP configurations, inline and files', () => {
    const parsed = parseClaudeArguments(`--mcp-config '{"mcpServers":{}}' mcp.json --mcp-config more.json`);
    expect(parsed.mcpConfigs).toEqual(['{"mcpServers":{}}', 'mcp.json', 'more.json']);
  });
  test('a known flag takes a value that begins with dashes', () => {
    expect(parseClaudeArguments('--append-system-prompt "--- rules ---"').appendSystemPrompt).toBe(
      '--- rules ---',
    );
  });
  test('unknown flags are passed on with a warning', () => {
    const parsed = parseClaudeArguments('--shiny new --alone');
    expect(parsed.extra).toEqual({ shiny: 'new', alone: null });
    expect(parsed.warnings).toHaveLength(2);
  });
  test('what Forgehand sets itself is dropped with a warning', () => {
    const parsed = parseClaudeArguments('-p --output-format json --model opus');
    expect(parsed).toMatchObject({ model: 'opus', extra: {} });
    expect(parsed.warnings).toHaveLength(2);
  });
  test.each([
    ['--max-turns many', /--max-turns/],
    ['--json-schema {', /not valid JSON/],
    ['--json-schema []', /must be a JSON object/],
  ])('%s is refused by name', (input, message) => {
    expect(() => parseClaudeArguments(input)).toThrow(message);
  });
});
