/** What runs in the stand-in's container: an MCP server with a few tools of GitHub's own, under their names. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { DockerNature } from './docker.ts';

const nature: DockerNature = JSON.parse(process.argv[2]!);
const { GITHUB_PERSONAL_ACCESS_TOKEN: token, GITHUB_TOOLSETS: toolsets } = process.env;

/** GitHub's answer as the server writes it: Go spells `<`, `>` and `&` in JSON by their numbers. */
async function ask(method: string, path: string, body?: object): Promise<CallToolResult> {
  const answer = await fetch(`${nature.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = (await answer.text()).replace(
    /[<>&]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return { content: [{ type: 'text', text }], isError: !answer.ok };
}

const server = new McpServer(
  { name: 'github-mcp-server', version: 'v1.12.2' },
  { instructions: 'GITHUB-SERVER-INSTRUCTIONS' },
);
const repository = { owner: z.string(), repo: z.string() };
const path = ({ owner, repo }: { owner: string; repo: string }) => `/repos/${owner}/${repo}`;

/** Dies where it shall, before it has answered. */
function tool<Shape extends z.ZodRawShape>(
  name: string,
  inputSchema: Shape,
  run: (input: z.output<z.ZodObject<Shape>>) => Promise<CallToolResult>,
): void {
  const handler = async (input: unknown) => {
    if (nature.diesOf === name) process.exit(2);
    return run(input as z.output<z.ZodObject<Shape>>);
  };
  server.registerTool(name, { description: `GitHub's ${name}.`, inputSchema }, handler as never);
}

tool('get_me', {}, () => ask('GET', '/user'));
tool(
  'issue_read',
  { ...repository, method: z.enum(['get', 'get_comments']), issue_number: z.number() },
  (input) =>
    ask('GET', `${path(input)}/issues/${input.issue_number}${input.method === 'get' ? '' : '/comments'}`),
);
tool(
  'add_issue_comment',
  { ...repository, issue_number: z.number(), body: z.string() },
  ({ body, ...input }) => ask('POST', `${path(input)}/issues/${input.issue_number}/comments`, { body }),
);
tool('get_file_contents', { ...repository, path: z.string() }, async ({ path: file, ...input }) => {
  const { content } = await ask('GET', `${path(input)}/contents/${file}`);
  const [answer] = content;
  const { content: encoded } = JSON.parse(answer?.type === 'text' ? answer.text : '{}');
  const text = Buffer.from(encoded, 'base64').toString();
  return { content: [{ type: 'resource', resource: { uri: `repo://${file}`, text } }] };
});
if (toolsets === 'all')
  tool('actions_list', repository, (input) => ask('GET', `${path(input)}/actions/runs`));

if (nature.stubborn) {
  setInterval(() => {}, 1_000);
  process.on('SIGTERM', () => {});
} else process.stdin.on('end', () => process.exit(0));
await server.connect(new StdioServerTransport());
