/** `github`: GitHub's own MCP server, which the host runs and keeps alive, with a token that Claude never has. */
import type { ContentBlock, Tool } from '@modelcontextprotocol/sdk/types.js';
import { AppError, toUserMessage } from '../words/errors.ts';
import type { Redact } from '../words/redact.ts';
import type { ForwardedServer, ForwardedTool, ToolResult } from '../words/tool.ts';
import type { ServerConnection } from './github-connection.ts';
import type { WantedTools } from './github-wanted.ts';

/** A part of an answer: JSON or a sentence, or the text of a file. */
export interface AnswerPart {
  text: string;
  isFile: boolean;
}

export interface GitHubServerOptions {
  wanted: WantedTools;
  /** One that is valid for minutes more. */
  token(): Promise<string>;
  /** Starts the server with this token. */
  start(token: string): Promise<ServerConnection>;
  /** What the server answered, as Claude may see it. */
  show(tool: string, parts: AnswerPart[]): string;
  /** Takes secrets out of what goes to the server: it may come to stand on GitHub. */
  redact: Redact;
}

export interface GitHubServer {
  offered: ForwardedServer;
  /** Tools that the rules name, and that there are not. */
  missing: string[];
  close(): Promise<void>;
}

/** How often it may fail to be there before it is given up. */
const patience = 1;

/** @throws Error that says why there is none. */
export async function openGitHubServer(options: GitHubServerOptions): Promise<GitHubServer> {
  const { wanted } = options;
  const server = await keptAlive(options);
  const { tools, instructions } = server.first;
  const offered = tools.filter(({ name }) => wanted.includes(name));
  const there = new Set(tools.map(({ name }) => name));
  return {
    offered: {
      name: 'github',
      instructions,
      // Few, when they are named one by one; the whole server's would fill the first request.
      alwaysLoad: !wanted.all,
      tools: offered.map((tool) => forwarded(tool, server.running, options)),
    },
    missing: wanted.names.filter((name) => !there.has(name)),
    close: server.close,
  };
}

function forwarded(
  { name, description, inputSchema }: Tool,
  running: () => Promise<ServerConnection>,
  { show, redact }: GitHubServerOptions,
): ForwardedTool {
  const call = async (input: Record<string, unknown>): Promise<ToolResult> => {
    try {
      const clean = (_: string, value: unknown) => (typeof value === 'string' ? redact(value) : value);
      const connection = await running();
      const { content, isError } = await connection.call(name, JSON.parse(JSON.stringify(input), clean));
      return { text: show(name, content.map(partOf)), isError };
    } catch (error) {
      const { message, remedy } = toUserMessage(error);
      return { text: `${message}\n${remedy}`, isError: true };
    }
  };
  return { name, description: description ?? '', inputSchema, call };
}

function partOf(block: ContentBlock): AnswerPart {
  if (block.type === 'text') return { text: block.text, isFile: false };
  if (block.type === 'resource' && 'text' in block.resource)
    return { text: block.resource.text, isFile: true };
  return { text: `[${block.type}: not shown]`, isFile: false };
}

/**
 * A server whose token is always valid: with a new token comes a new server, as it reads its token when it starts. One
 * that has ended is started again, once.
 */
async function keptAlive({ token, start }: GitHubServerOptions) {
  const begin = async (given: string) => ({ token: given, connection: await start(given) });
  const first = await begin(await token());
  let current = first;
  let renewal: Promise<ServerConnection> | null = null;
  let failures = 0;
  const retired: Promise<void>[] = [];

  const renewed = async (given: string): Promise<ServerConnection> => {
    const former = current;
    const { isOpen } = former.connection;
    if (!isOpen) failures += 1;
    try {
      if (failures > patience) throw new AppError('internal', 'it has ended again.');
      current = await begin(given);
      retired.push(former.connection.close().catch(() => {}));
    } catch (error) {
      failures += 1;
      // The former token serves to its end.
      if (isOpen) return former.connection;
      throw new AppError('internal', `GitHub’s MCP server is not there: ${(error as Error).message}`, {
        cause: error,
        remedy: 'Go on without its tools, and say in your answer what you could not do.',
      });
    }
    return current.connection;
  };

  const running = async (): Promise<ServerConnection> => {
    const given = await token();
    const { connection } = current;
    const isNew = given !== current.token && failures <= patience;
    if (!renewal && connection.isOpen && !isNew) return connection;
    renewal ??= renewed(given).finally(() => {
      renewal = null;
    });
    return renewal;
  };

  const close = async () => {
    await renewal?.catch(() => {});
    await Promise.all([...retired, current.connection.close()]);
  };
  return { first: first.connection, running, close };
}
