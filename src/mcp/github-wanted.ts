/** Which tools of GitHub's own MCP server a workflow has allowed, by its permission rules. Pure. */

export interface WantedTools {
  /** True when the rules name the server as a whole. */
  all: boolean;
  /** Tools that are named one by one. */
  names: string[];
  includes(tool: string): boolean;
}

/** @param rules as in `--allowedTools` and `permissions.allow`. Null when none is about that server. */
export function wantedTools(rules: string[]): WantedTools | null {
  const patterns = rules.flatMap((rule) => {
    const named = /^mcp__github(?:__([\w*-]+))?$/.exec(rule.trim());
    return named ? [named[1] ?? '*'] : [];
  });
  if (patterns.length === 0) return null;
  const all = patterns.includes('*');
  const matchers = patterns.map((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`));
  return {
    all,
    names: patterns.filter((pattern) => !pattern.includes('*')),
    includes: (tool) => matchers.some((matcher) => matcher.test(tool)),
  };
}
