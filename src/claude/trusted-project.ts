/** A project's configuration from elsewhere than the checkout, and the memory of its directories, told when they are looked at. */
import { isAbsolute, relative, resolve } from 'node:path';
import type { HookInput, Options } from '@anthropic-ai/claude-agent-sdk/core';

export interface TrustedProject {
  /** What Claude Code takes for the project's root when it looks for configuration. */
  directory: string;
  /** What counts for files below a directory only: `src/api` → text. */
  nested: Record<string, string>;
}

/**
 * Tells Claude the memory of a directory after the first tool that names a file there, as Claude Code itself would;
 * once for the main conversation and once for each agent that it starts.
 * @param roots the checkout's paths, with and without links
 */
export function nestedMemoryHooks({ nested }: TrustedProject, roots: string[]): Options['hooks'] {
  const directories = Object.keys(nested).sort((one, other) => one.length - other.length);
  if (directories.length === 0) return {};
  const told = new Set<string>();
  const tell = async (input: HookInput) => {
    if (input.hook_event_name !== 'PostToolUse') return {};
    const path = pathOf(input.tool_input);
    const inside = path === null ? null : insideOf(roots, resolve(input.cwd, path));
    if (inside === null) return {};
    const fresh = directories.filter(
      (directory) =>
        (inside === directory || inside.startsWith(`${directory}/`)) &&
        !told.has(`${input.agent_id ?? ''} ${directory}`),
    );
    if (fresh.length === 0) return {};
    for (const directory of fresh) told.add(`${input.agent_id ?? ''} ${directory}`);
    const texts = fresh.map(
      (directory) => `The project's instructions for files in ${directory}:\n\n${nested[directory]}`,
    );
    return {
      hookSpecificOutput: {
        hookEventName: 'PostToolUse' as const,
        additionalContext: texts.join('\n\n'),
      },
    };
  };
  return { PostToolUse: [{ hooks: [tell] }] };
}

/** The file or directory that a tool names; null for tools that name none. */
function pathOf(toolInput: unknown): string | null {
  const { file_path, notebook_path, path } = (toolInput ?? {}) as Record<string, unknown>;
  const named = file_path ?? notebook_path ?? path;
  return typeof named === 'string' ? named : null;
}

/** The way from the checkout, with `/`; null when it leads out. */
function insideOf(roots: string[], path: string): string | null {
  for (const root of roots) {
    const way = relative(root, path).replaceAll('\\', '/');
    if (way && way !== '..' && !way.startsWith('../') && !isAbsolute(way)) return way;
  }
  return null;
}
