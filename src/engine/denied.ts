/** What Claude asked for and may not use: for whoever set the workflow up, and wonders why it stopped half way. */
import { shown } from '../words/shown.ts';

/** Most that are named, and longest command of one. */
const most = 5;
const longest = 80;

interface Denial {
  tool_name?: string;
  tool_input?: { command?: unknown };
}

/** @param messages Claude Code's own. Null when nothing was denied. */
export function deniedNote(messages: readonly unknown[]): string | null {
  const denials = (messages as { permission_denials?: Denial[] }[]).flatMap(
    ({ permission_denials: all }) => all ?? [],
  );
  const asked = [...new Set(denials.map(ruleOf))];
  if (asked.length === 0) return null;
  const more = asked.length > most ? `, and ${asked.length - most} more` : '';
  return `Claude asked for what it may not use: ${asked.slice(0, most).map(shown).join(', ')}${more}. What it shall have, name in \`claude_args\`: \`--allowedTools\`.`;
}

/** As a rule would name it: `Bash(npm test)`, `WebFetch`. */
function ruleOf({ tool_name: name = '', tool_input: input }: Denial): string {
  if (typeof input?.command !== 'string') return name;
  const command = input.command.replace(/\s+/g, ' ').trim();
  return `${name}(${command.length > longest ? `${command.slice(0, longest).toWellFormed()}…` : command})`;
}
