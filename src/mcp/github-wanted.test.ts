import { describe, expect, test } from 'vitest';
import { wantedTools } from './github-wanted.ts';

const tools = ['issue_read', 'issue_write', 'get_me', 'get_file_contents'];

describe('what the rules allow of GitHub’s own server', () => {
  test.each<[string[], string[] | null, boolean]>([
    [['mcp__github'], tools, true],
    [['mcp__github__*'], tools, true],
    [['mcp__github__issue_read', 'Read'], ['issue_read'], false],
    [['mcp__github__get_*', 'mcp__github__issue_read'], ['issue_read', 'get_me', 'get_file_contents'], false],
    [['mcp__github__me'], [], false],
    [['Read', 'Bash(gh issue view:*)'], null, false],
    [['mcp__github_comment__update_claude_comment', 'mcp__github_ci', 'mcp__githubs__x'], null, false],
    [[], null, false],
  ])('%j', (rules, included, all) => {
    const wanted = wantedTools(rules);
    expect(wanted && tools.filter((tool) => wanted.includes(tool))).toEqual(included);
    expect(wanted?.all ?? false).toBe(all);
  });

  test('names, without patterns, are what can be missing', () => {
    expect(wantedTools(['mcp__github__get_*', 'mcp__github__issue_read'])?.names).toEqual(['issue_read']);
  });
});
