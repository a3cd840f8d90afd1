/** A tool that Claude can call: a plain function with a checked input; `claude/` turns servers of them into MCP servers. */
import type { z } from 'zod';

export interface ToolResult {
  text: string;
  /** True when the call did not do what was asked; `text` then says what to do next. */
  isError: boolean;
}

export interface Tool {
  name: string;
  description: string;
  inputSchema: z.ZodRawShape;
  /** Never throws. @param input already checked against `inputSchema`. */
  call(input: Record<string, unknown>): Promise<ToolResult>;
}

/** Claude sees its tools as `mcp__<name>__<tool>`. Names are stable: people list them in workflows. */
export interface ToolServer {
  name: string;
  tools: Tool[];
}
