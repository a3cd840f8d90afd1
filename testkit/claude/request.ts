/** One request that the scripted Claude received, with accessors for what is in it. */
import type { IncomingHttpHeaders } from 'node:http';

/** A content block of the Messages API, as far as the test kit reads it. */
export interface ContentBlock {
  type: string;
  text?: string;
  id?: string;
  name?: string;
  input?: unknown;
  tool_use_id?: string;
  content?: string | ContentBlock[];
  is_error?: boolean;
  [other: string]: unknown;
}

/** Claude Code also sends `system` messages in mid-conversation. */
export interface ConversationMessage {
  role: 'user' | 'assistant' | 'system';
  content: string | ContentBlock[];
}

export interface MessagesBody {
  model?: string;
  stream?: boolean;
  max_tokens?: number;
  system?: string | ContentBlock[];
  messages?: ConversationMessage[];
  tools?: { name: string; [other: string]: unknown }[];
  metadata?: { user_id?: string };
  [other: string]: unknown;
}

/** What a tool answered. `tool` is the name in the call that it belongs to. */
export interface ToolResult {
  id: string;
  tool: string;
  text: string;
  isError: boolean;
}

/** `main` is a turn of a conversation; `side` is all else (titles, token counts, probes) and uses up no step. */
export type RequestKind = 'main' | 'side';

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: MessagesBody;
}

export class ModelRequest implements ReceivedRequest {
  /** Milliseconds since the epoch, when the whole request had arrived. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: MessagesBody;
  readonly kind: RequestKind;
  /** Claude Code's session id where the request names it, else ''. */
  readonly session: string;

  constructor(received: ReceivedRequest, at: number = Date.now()) {
    this.at = at;
    this.method = received.method;
    this.path = received.path;
    this.headers = received.headers;
    this.body = received.body;
    this.kind = kindOf(received);
    this.session = sessionOf(received);
  }

  /** Number of the turn that is asked for, from 0: how many times the assistant has spoken before. */
  get turn(): number {
    const messages = this.body.messages ?? [];
    return messages.filter(
      (message, index) => message.role === 'assistant' && messages[index - 1]?.role !== 'assistant',
    ).length;
  }

  /** The content of the first user message, without the reminders that Claude Code adds around it. */
  firstPrompt(): ContentBlock[] {
    const first = this.body.messages?.find((message) => message.role === 'user');
    return blocksOf(first?.content).filter((block) => !isReminder(block));
  }

  /** The text of {@link firstPrompt}. */
  firstText(): string {
    return textOf(this.firstPrompt());
  }

  /** The text of the last user message, without reminders and tool results. */
  lastText(): string {
    const last = this.body.messages?.findLast((message) => message.role === 'user');
    return textOf(blocksOf(last?.content).filter((block) => !isReminder(block)));
  }

  systemPrompt(): string {
    return textOf(blocksOf(this.body.system));
  }

  /** Names of the tools on offer. */
  tools(): string[] {
    return (this.body.tools ?? []).map((tool) => tool.name);
  }

  /** The tool results of the conversation, in order. */
  toolResults(): ToolResult[] {
    const blocks = (this.body.messages ?? []).flatMap((message) => blocksOf(message.content));
    const names = new Map<string, string>();
    for (const block of blocks) if (block.type === 'tool_use') names.set(block.id ?? '', block.name ?? '');
    return blocks
      .filter((block) => block.type === 'tool_result')
      .map((block) => ({
        id: block.tool_use_id ?? '',
        tool: names.get(block.tool_use_id ?? '') ?? '',
        text: textOf(blocksOf(block.content)),
        isError: block.is_error === true,
      }));
  }
}

/** The text blocks of a content, one after the other on lines of their own. */
export function textOf(blocks: ContentBlock[]): string {
  return blocks.flatMap((block) => (block.type === 'text' && block.text ? [block.text] : [])).join('\n');
}

function blocksOf(content: string | ContentBlock[] | undefined): ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
}

function isReminder(block: ContentBlock): boolean {
  return block.type === 'text' && /^\s*<system-reminder>/.test(block.text ?? '');
}

/**
 * Claude Code also asks for titles and summaries, with the prompt in the request: those offer no tools. A conversation
 * may offer none either, and is then known by the beta that Claude Code uses for conversations only.
 */
function kindOf({ method, path, headers, body }: ReceivedRequest): RequestKind {
  if (method !== 'POST' || path.split('?')[0] !== '/v1/messages') return 'side';
  const isConversation = String(headers['anthropic-beta'] ?? '').includes('claude-code-');
  return isConversation || (body.tools?.length ?? 0) > 0 ? 'main' : 'side';
}

function sessionOf({ headers, body }: ReceivedRequest): string {
  const named = headers['x-claude-code-session-id'];
  if (typeof named === 'string') return named;
  return /session_(?:id":")?([0-9a-f-]{36})/.exec(body.metadata?.user_id ?? '')?.[1] ?? '';
}
