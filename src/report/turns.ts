/** The readable report of a session's turns, from Claude Code's own messages. */

/** Longest result of a tool that is shown, in characters. */
const longestResult = 3_000;

interface Block {
  type?: string;
  text?: string;
  name?: string;
  input?: unknown;
  content?: unknown;
  is_error?: boolean;
}

/** Markdown; tool results are cut with their length said. Messages of other kinds are passed over. */
export function renderTurns(messages: readonly unknown[]): string {
  const parts: string[] = [];
  for (const message of messages as {
    type?: string;
    subtype?: string;
    message?: { content?: unknown };
    permission_denials?: { tool_name?: string }[];
  }[]) {
    if (message.type === 'assistant')
      for (const block of blocks(message.message?.content)) parts.push(said(block));
    if (message.type === 'user')
      for (const block of blocks(message.message?.content)) parts.push(answered(block));
    if (message.type === 'result' && message.permission_denials?.length) {
      parts.push(
        `**Denied:** ${message.permission_denials.map(({ tool_name }) => `\`${tool_name}\``).join(', ')}`,
      );
    }
  }
  return parts.filter(Boolean).join('\n\n');
}

function said(block: Block): string {
  if (block.type === 'text') return block.text ?? '';
  if (block.type !== 'tool_use') return '';
  return `🔧 **${block.name}**\n${fenced(JSON.stringify(block.input, null, 2), 'json')}`;
}

function answered(block: Block): string {
  if (block.type !== 'tool_result') return '';
  const text =
    typeof block.content === 'string'
      ? block.content
      : blocks(block.content)
          .map(({ text }) => text ?? '')
          .join('\n');
  const cut =
    text.length > longestResult
      ? `${text.slice(0, longestResult)}\n… (${text.length} characters in all)`
      : text;
  return `${block.is_error ? '⚠️ Error' : '↳ Result'}\n${fenced(cut, '')}`;
}

function blocks(content: unknown): Block[] {
  return Array.isArray(content) ? (content as Block[]) : [];
}

/** A fence longer than any in the text, so that no output can break out of it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
