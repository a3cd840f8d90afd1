/** Offers the tools of another MCP server to Claude as an in-process server: names and schemas as they are. */
import type { McpServerConfig } from '@anthropic-ai/claude-agent-sdk/core';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { ForwardedServer } from '../words/tool.ts';

export function forwardedServer({ name, instructions, alwaysLoad, tools }: ForwardedServer): McpServerConfig {
  const instance = new McpServer({ name, version: '1' }, { capabilities: { tools: {} }, instructions });
  // One level below the SDK's own tools, which would take zod's shapes only.
  const { server } = instance;
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map((tool) => ({
      name: tool.name,
      description: tool.description,
      inputSchema: tool.inputSchema,
      ...(alwaysLoad && { _meta: { 'anthropic/alwaysLoad': true } }),
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const tool = tools.find((one) => one.name === params.name);
    if (!tool)
      return { content: [{ type: 'text', text: `There is no tool ${params.name}.` }], isError: true };
    const { text, isError } = await tool.call(params.arguments ?? {});
    return { content: [{ type: 'text', text }], isError };
  });
  return { type: 'sdk', name, instance };
}
