/** Shorthands for the tool calls that scripts make, with the inputs that Claude Code expects. */
import type { ToolCall } from './step.ts';

export function bash(command: string, options: { timeoutMs?: number; background?: boolean } = {}): ToolCall {
  return {
    name: 'Bash',
    input: {
      command,
      description: 'Run a command',
      ...(options.timeoutMs ? { timeout: options.timeoutMs } : {}),
      ...(options.background ? { run_in_background: true } : {}),
    },
  };
}

/** @param path absolute, as Claude Code's file tools want it. */
export function write(path: string, content: string): ToolCall {
  return { name: 'Write', input: { file_path: path, content } };
}

/** Claude Code refuses an edit of a file that the session has not read before. */
export function edit(path: string, before: string, after: string): ToolCall {
  return { name: 'Edit', input: { file_path: path, old_string: before, new_string: after } };
}

export function read(path: string): ToolCall {
  return { name: 'Read', input: { file_path: path } };
}

export function grep(pattern: string, path?: string): ToolCall {
  return { name: 'Grep', input: { pattern, ...(path ? { path } : {}) } };
}

export function glob(pattern: string): ToolCall {
  return { name: 'Glob', input: { pattern } };
}

/** A tool of an MCP server, for example `mcp('github_comment', 'update_claude_comment', { body })`. */
export function mcp(server: string, tool: string, input: Record<string, unknown> = {}): ToolCall {
  return { name: `mcp__${server}__${tool}`, input };
}

/** The answer of a session that was given a JSON schema for its result. */
export function structuredOutput(output: Record<string, unknown>): ToolCall {
  return { name: 'StructuredOutput', input: output };
}
