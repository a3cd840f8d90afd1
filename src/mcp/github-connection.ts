/** One running MCP server that the host talks to over its standard streams. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type ContentBlock, ErrorCode, McpError, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { AppError } from '../words/errors.ts';
import type { Command } from './github-container.ts';

/** Longest that one call may take. */
const callMs = 60_000;
const listMs = 20_000;
/** Characters of standard error that are kept. */
const longestLastWords = 1_000;

export interface ServerAnswer {
  content: ContentBlock[];
  isError: boolean;
}

export interface ServerConnection {
  readonly isOpen: boolean;
  readonly instructions: string;
  readonly tools: Tool[];
  /** @throws AppError when there is no answer: the server has ended, or takes too long. */
  call(name: string, input: Record<string, unknown>): Promise<ServerAnswer>;
  /** Ends the server when the calls that are under way have their answers. */
  close(): Promise<void>;
}

/** Starts a server and asks it for its tools. @throws Error that says why there is none; the process is ended then. */
export async function connectTo(server: Command, signal: AbortSignal): Promise<ServerConnection> {
  signal.throwIfAborted();
  const transport = new StdioClientTransport({ ...server, stderr: 'pipe' });
  let said = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-longestLastWords);
  });
  const client = new Client({ name: 'forgehand', version: '1' });
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {}); // the run may end long after the server was there
  let tools: Tool[];
  try {
    // The signal ends this: a request's own limit would count the time in which the image is fetched.
    const connected = client.connect(transport, { timeout: 2 ** 31 - 1 });
    await Promise.race([connected, aborted]);
    tools = await Promise.race([allTools(client), aborted]);
  } catch (error) {
    stop(transport);
    throw new Error(why(error as NodeJS.ErrnoException, said));
  }
  return openConnection(client, tools);
}

function openConnection(client: Client, tools: Tool[]): ServerConnection {
  let isOpen = true;
  client.onclose = () => {
    isOpen = false;
  };
  const underWay = new Set<Promise<unknown>>();
  return {
    get isOpen() {
      return isOpen;
    },
    instructions: client.getInstructions() ?? '',
    tools,
    call: async (name, input) => {
      const call = client.callTool({ name, arguments: input }, undefined, { timeout: callMs });
      underWay.add(call);
      try {
        const { content, isError } = await call;
        return { content: content as ContentBlock[], isError: isError === true };
      } catch (error) {
        throw unanswered(name, error as Error);
      } finally {
        underWay.delete(call);
      }
    },
    close: async () => {
      await Promise.allSettled(underWay);
      await client.close();
    },
  };
}

async function allTools(client: Client): Promise<Tool[]> {
  const tools: Tool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 20; page += 1) {
    const answer = await client.listTools({ cursor }, { timeout: listMs });
    tools.push(...answer.tools);
    cursor = answer.nextCursor;
    if (!cursor) break;
  }
  return tools;
}

/** While it fetches its image Docker does not look at its input: to close that alone would take seconds. */
function stop(transport: StdioClientTransport): void {
  try {
    if (transport.pid !== null) process.kill(transport.pid, 'SIGTERM');
  } catch {
    // gone meanwhile
  }
  void transport.close().catch(() => {});
}

function why(error: NodeJS.ErrnoException, said: string): string {
  if (error.code === 'ENOENT') return 'there is no `docker` here';
  if (error instanceof AppError) return error.message;
  const lines = said.split('\n').map((line) => line.trim());
  const lastWords = lines.filter((line) => line && !/^(?:Run|See) 'docker/.test(line)).slice(-3);
  return lastWords.join(' ').replace(/\.$/, '') || error.message;
}

function unanswered(name: string, error: Error): AppError {
  const code = error instanceof McpError ? error.code : null;
  if (code === ErrorCode.ConnectionClosed)
    return new AppError('internal', `GitHub’s MCP server ended while it worked on ${name}.`, {
      remedy: 'Whether it was done is not known: look before you call it again.',
    });
  if (code === ErrorCode.RequestTimeout)
    return new AppError('timed_out', `GitHub’s MCP server has not answered ${name} for a minute.`, {
      remedy: 'What changes something may still be done: look before you call it again, or ask for less.',
    });
  return new AppError('invalid_input', `GitHub’s MCP server refuses ${name}: ${error.message}`, {
    remedy: 'Correct the arguments and call it again.',
  });
}
