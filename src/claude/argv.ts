/** A text as a command line: words as a shell splits them, and flags with their values as Claude Code reads them. */
import { AppError } from '../words/errors.ts';

export interface Flag {
  /** Without dashes; long. */
  name: string;
  values: string[];
}

const named = (names: string) => new Set(names.trim().split(/\s+/));

/** Flags that take every following word up to the next flag. */
const lists = named(
  'allowedTools allowed-tools disallowedTools disallowed-tools mcp-config add-dir tools betas file',
);
export const isList = (name: string) => lists.has(name);
/** Flags that take one word, whatever it looks like: a prompt may begin with dashes. */
const single =
  named(`model fallback-model max-turns max-budget-usd permission-mode setting-sources system-prompt
  system-prompt-file append-system-prompt append-system-prompt-file system-prompt-snapshot json-schema settings agent
  agents effort session-id name thinking max-thinking-tokens plugin-dir plugin-url permission-prompt-tool
  permission-prompts autocompact debug-file`);
/** Flags that take the next word unless it is a flag. */
const optional = named('debug resume prompt-suggestions');
/** Flags that never take a value. */
const switches =
  named(`strict-mcp-config verbose bare disable-slash-commands ide chrome no-chrome safe-mode restricted
  brief fork-session no-session-persistence include-hook-events include-partial-messages
  exclude-dynamic-system-prompt-sections dangerously-skip-permissions allow-dangerously-skip-permissions`);
/** Flags that would take the session away from Forgehand: how it is spoken to, and where it runs. */
const withheld =
  named(`print output-format input-format replay-user-messages continue version help background bg cloud
  desktop teleport tmux worktree remote-control environment from-pr`);
const short: Record<string, string> = {
  ...{ p: 'print', c: 'continue', v: 'version', h: 'help', w: 'worktree' },
  ...{ d: 'debug', r: 'resume', n: 'name' },
};

/**
 * Words as a shell would split them: quotes and backslashes count, `$` and globs do not; `#` at the beginning of a word
 * starts a comment, but never inside quotes.
 * @throws AppError `invalid_input` for a quote that is not closed.
 */
export function splitWords(input: string): string[] {
  const text = input.replaceAll('\r\n', '\n');
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    const next = text[i + 1];
    if (char === '\\' && quote !== "'" && next === '\n') {
      // As people write long commands on several lines.
      i += 1;
    } else if (quote) {
      if (char === quote) quote = null;
      else if (char === '\\' && quote === '"' && next && '"\\$`'.includes(next)) word += text[++i]!;
      else word += char;
    } else if (char === '#' && word === null) {
      while (i + 1 < text.length && text[i + 1] !== '\n') i += 1;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '\\' && next !== undefined) {
      word = (word ?? '') + text[++i]!;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote)
    throw new AppError('invalid_input', `Input \`claude_args\`: a ${quote} quote is not closed.`, {
      remedy: `Close it, or put a backslash before a ${quote} that is part of a value.`,
    });
  if (word !== null) words.push(word);
  return words;
}

/**
 * @param warnings gets a sentence for each word that is not passed on, and for flags that are unknown here.
 * @throws AppError `invalid_input` for a known flag without its value.
 */
export function* readFlags(words: string[], warnings: string[]): Generator<Flag> {
  for (let i = 0; i < words.length; i += 1) {
    const flag = flagOf(words[i]!);
    if (!flag) {
      warnings.push(`\`claude_args\`: \`${words[i]}\` belongs to no flag and is ignored.`);
      continue;
    }
    const { name, values } = flag;
    const hasNext = () => words[i + 1] !== undefined && !flagOf(words[i + 1]!);
    if (lists.has(name)) while (hasNext()) values.push(words[++i]!);
    else if (values.length === 0 && single.has(name)) values.push(requiredValue(name, words[++i]));
    else if (values.length === 0 && !switches.has(name) && hasNext()) values.push(words[++i]!);
    if (withheld.has(name)) {
      warnings.push(`\`claude_args\`: \`--${name}\` is for Forgehand to decide and ignored here.`);
      continue;
    }
    if (![lists, single, optional, switches].some((group) => group.has(name)))
      warnings.push(`\`claude_args\`: \`--${name}\` is unknown to Forgehand and passed on to Claude Code.`);
    yield flag;
  }
}

/** `--flag`, `--flag=value`, `-f` or `-f=value`; null for every other word. */
function flagOf(word: string): Flag | null {
  const match = /^(?:--([A-Za-z][\w-]*)|-([A-Za-z]))(?:=([\s\S]*))?$/.exec(word);
  const name = match && (match[1] ?? short[match[2]!]);
  return name ? { name, values: match[3] === undefined ? [] : [match[3]] } : null;
}

function requiredValue(name: string, word: string | undefined): string {
  if (word !== undefined) return word;
  throw new AppError('invalid_input', `Input \`claude_args\`: \`--${name}\` needs a value.`, {
    remedy: `Write \`--${name} value\` or \`--${name}=value\`.`,
  });
}
