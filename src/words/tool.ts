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

/** A tool of somebody else's MCP server, passed on as it is: that server describes its input, and checks it. */
export interface ForwardedTool {
  name: string;
  description: string;
  /** JSON Schema. */
  inputSchema: { type: 'object'; [keyword: string]: unknown };
  /** Never throws. */
  call(input: Record<string, unknown>): Promise<ToolResult>;
}

export interface ForwardedServer {
  name: string;
  /** What that server says of itself; '' for nothing. */
  instructions: string;
  /** Whether Claude sees the tools in its first request, or finds them by a search. */
  alwaysLoad: boolean;
  tools: ForwardedTool[];
}
