import { describe, expect, test } from 'vitest';
import { parseClaudeArguments, splitToolRules } from './arguments.ts';

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
  test('a value by = may begin with dashes, be empty, or hold further =', () => {
    const parsed = parseClaudeArguments('--shiny=--value --name= --model=a=b --append-system-prompt=""');
    expect(parsed).toMatchObject({
      extra: { shiny: '--value', name: '' },
      model: 'a=b',
      appendSystemPrompt: '',
    });
  });
  test('rules keep their spaces without quotes too, in both spellings of the flag', () => {
    const rules = ['Bash(git log:*)', 'Read', 'Edit(src/**)'];
    for (const flag of ['allowedTools', 'allowed-tools'])
      for (const value of [' Bash(git log:*) Read Edit(src/**)', '="Bash(git log:*),Read, Edit(src/**)"'])
        expect(parseClaudeArguments(`--${flag}${value}`).allowedTools).toEqual(rules);
    expect(parseClaudeArguments('--disallowedTools Read --disallowed-tools=Edit').disallowedTools).toEqual([
      'Read',
      'Edit',
    ]);
  });
  test('of two models the later counts', () => {
    expect(parseClaudeArguments('--model opus\n--model=haiku').model).toBe('haiku');
  });
  test('unknown flags are passed on with a warning', () => {
    const parsed = parseClaudeArguments('--shiny new --alone');
    expect(parsed.extra).toEqual({ shiny: 'new', alone: null });
    expect(parsed.warnings).toHaveLength(2);
  });
  test('what Forgehand sets itself is dropped with a warning', () => {
    const parsed = parseClaudeArguments('-p --output-format json --model opus --worktree x');
    expect(parsed).toMatchObject({ model: 'opus', extra: {} });
    expect(parsed.warnings).toHaveLength(3);
  });
  test.each([
    ['several words of one flag', '--tools Bash "Read,Edit" --model opus', { tools: 'Bash,Read,Edit' }],
    ['several words of several flags', '--tools Bash --tools=Read,Edit', { tools: 'Bash,Read,Edit' }],
    ['a switch takes no word', '--verbose --name x', { verbose: null, name: 'x' }],
    ['a flag with or without a word', '--debug hooks --resume', { debug: 'hooks', resume: null }],
    ['short flags', '-d -n "A name" -r=abc', { debug: null, name: 'A name', resume: 'abc' }],
    ['the last of two counts', '--effort low --effort=high', { effort: 'high' }],
  ])('passed on as they are: %s', (_, input, extra) => {
    const parsed = parseClaudeArguments(input);
    expect(parsed).toMatchObject({ extra, warnings: [] });
  });
  test('plugins of a directory may be several', () => {
    expect(parseClaudeArguments('--plugin-dir a --plugin-dir=b').pluginDirs).toEqual(['a', 'b']);
  });
  test('skipping permissions is a permission mode', () => {
    expect(parseClaudeArguments('--dangerously-skip-permissions').permissionMode).toBe('bypassPermissions');
  });
  test('a list ends at the next flag, also at a short one, and a rule that begins with a dash is none', () => {
    const parsed = parseClaudeArguments('--allowedTools Read -n x --disallowedTools "Bash(rm -rf:*)" -5');
    expect(parsed).toMatchObject({ allowedTools: ['Read'], disallowedTools: ['Bash(rm -rf:*)', '-5'] });
  });
  test('a word that no flag wants is named', () => {
    expect(parseClaudeArguments('opus --verbose yes -x')).toMatchObject({
      extra: { verbose: null },
      warnings: ['`opus`', '`yes`', '`-x`'].map((word) => expect.stringContaining(word)),
    });
  });
  test.each([
    ['--max-turns many', /--max-turns/],
    ['--max-turns 2.5', /`--max-turns` must be a whole number/],
    ['--verbose --model', /`--model` needs a value/],
    ['--json-schema {', /not valid JSON/],
    ['--json-schema []', /must be a JSON object/],
  ])('%s is refused by name', (input, message) => {
    expect(() => parseClaudeArguments(input)).toThrow(message);
  });
});
