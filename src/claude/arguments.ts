/** Reads `claude_args` as Claude Code's own command line would be read: a real argv, no shell. */
import { AppError } from '../words/errors.ts';

/** What Forgehand itself needs to know of the arguments; the rest goes to Claude Code as it is. */
export interface ClaudeArguments {
  model: string | null;
  fallbackModel: string | null;
  maxTurns: number | null;
  maxBudgetUsd: number | null;
  permissionMode: string | null;
  allowedTools: string[];
  disallowedTools: string[];
  /** Inline JSON objects and paths of JSON files, in order. */
  mcpConfigs: string[];
  addDirs: string[];
  settingSources: string[] | null;
  systemPrompt: string | null;
  appendSystemPrompt: string | null;
  jsonSchema: Record<string, unknown> | null;
  /** Other flags by their name without dashes; null for a flag without value. */
  extra: Record<string, string | null>;
  warnings: string[];
}

/** Flags that take every following word up to the next flag. */
const listFlags = new Set([
  'allowedTools',
  'allowed-tools',
  'disallowedTools',
  'disallowed-tools',
  'mcp-config',
  'add-dir',
]);
/** Flags that never take a value; those that Forgehand sets itself are dropped. */
const switches = new Set([
  'strict-mcp-config',
  'verbose',
  'debug',
  'bare',
  'disable-slash-commands',
  'ide',
  'chrome',
  'safe-mode',
]);
const dropped = new Set([
  'print',
  'p',
  'output-format',
  'input-format',
  'continue',
  'c',
  'version',
  'v',
  'help',
  'h',
]);
const known = new Set(
  'model fallback-model max-turns max-budget-usd permission-mode setting-sources system-prompt append-system-prompt json-schema settings agent agents betas effort resume session-id fork-session name thinking max-thinking-tokens tools plugin-dir permission-prompt-tool'.split(
    ' ',
  ),
);

/** @throws AppError `invalid_input` for an unclosed quote or a value that cannot be read. */
export function parseClaudeArguments(input: string): ClaudeArguments {
  const parsed: ClaudeArguments = {
    model: null,
    fallbackModel: null,
    maxTurns: null,
    maxBudgetUsd: null,
    permissionMode: null,
    allowedTools: [],
    disallowedTools: [],
    mcpConfigs: [],
    addDirs: [],
    settingSources: null,
    systemPrompt: null,
    appendSystemPrompt: null,
    jsonSchema: null,
    extra: {},
    warnings: [],
  };
  for (const { name, values } of flagsOf(splitWords(input), parsed.warnings)) apply(parsed, name, values);
  return parsed;
}

/** Words as a shell would split them: quotes and backslashes count, `$` and globs do not; `#` lines are comments. */
export function splitWords(input: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  let lineStart = true;
  for (let i = 0; i < input.length; i += 1) {
    const char = input[i]!;
    if (quote) {
      if (char === quote) quote = null;
      else if (char === '\\' && quote === '"' && '"\\'.includes(input[i + 1] ?? ' ')) word += input[++i]!;
      else word += char;
    } else if (char === '#' && lineStart) {
      while (i + 1 < input.length && input[i + 1] !== '\n') i += 1;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      if (char === '\n') lineStart = true;
      continue;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '\\' && i + 1 < input.length) {
      // A backslash at the end of a line joins it with the next, as people write long commands.
      if (input[i + 1] === '\n') i += 1;
      else word = (word ?? '') + input[++i]!;
    } else {
      word = (word ?? '') + char;
    }
    lineStart = false;
  }
  if (quote) throw new AppError('invalid_input', `Input \`claude_args\`: a ${quote} quote is not closed.`);
  if (word !== null) words.push(word);
  return words;
}

/** `Read,Bash(git add:*) Edit` → its rules; commas and spaces inside parentheses belong to the rule. */
export function splitToolRules(values: string[]): string[] {
  const rules: string[] = [];
  let rule = '';
  let depth = 0;
  for (const char of values.join(' ')) {
    if (char === '(') depth += 1;
    if (char === ')') depth = Math.max(0, depth - 1);
    if (depth === 0 && /[\s,]/.test(char)) {
      if (rule) rules.push(rule);
      rule = '';
    } else rule += char;
  }
  if (rule) rules.push(rule);
  return rules;
}

function* flagsOf(words: string[], warnings: string[]): Generator<{ name: string; values: string[] }> {
  for (let i = 0; i < words.length; i += 1) {
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(words[i]!);
    if (!match) {
      warnings.push(`\`claude_args\`: \`${words[i]}\` belongs to no flag and is ignored.`);
      continue;
    }
    const name = match[1]!;
    const values = match[2] === undefined ? [] : [match[2]];
    const isFlag = (word: string | undefined) => word === undefined || /^--?[A-Za-z]/.test(word);
    if (listFlags.has(name)) while (!isFlag(words[i + 1])) values.push(words[++i]!);
    else if (values.length === 0 && !switches.has(name)) {
      // A known flag takes the next word whatever it looks like: a prompt may begin with dashes.
      if (known.has(name) ? words[i + 1] !== undefined : !isFlag(words[i + 1])) values.push(words[++i]!);
    }
    if (dropped.has(name))
      warnings.push(`\`claude_args\`: \`${name}\` is set by Forgehand and ignored here.`);
    else {
      if (!known.has(name) && !listFlags.has(name) && !switches.has(name)) {
        warnings.push(`\`claude_args\`: \`--${name}\` is unknown to Forgehand and passed on to Claude Code.`);
      }
      yield { name, values };
    }
  }
}

function apply(parsed: ClaudeArguments, name: string, values: string[]): void {
  const value = values[0] ?? '';
  switch (name) {
    case 'model':
      parsed.model = value;
      break;
    case 'fallback-model':
      parsed.fallbackModel = value;
      break;
    case 'max-turns':
      parsed.maxTurns = positive(name, value);
      break;
    case 'max-budget-usd':
      parsed.maxBudgetUsd = positive(name, value);
      break;
    case 'permission-mode':
      parsed.permissionMode = value;
      break;
    case 'allowedTools':
    case 'allowed-tools':
      parsed.allowedTools.push(...splitToolRules(values));
      break;
    case 'disallowedTools':
    case 'disallowed-tools':
      parsed.disallowedTools.push(...splitToolRules(values));
      break;
    case 'mcp-config':
      parsed.mcpConfigs.push(...values);
      break;
    case 'add-dir':
      parsed.addDirs.push(...values);
      break;
    case 'setting-sources':
      parsed.settingSources = value.split(',').map((source) => source.trim());
      break;
    case 'system-prompt':
      parsed.systemPrompt = value;
      break;
    case 'append-system-prompt':
      parsed.appendSystemPrompt = value;
      break;
    case 'json-schema':
      parsed.jsonSchema = jsonObject(name, value);
      break;
    default:
      parsed.extra[name] = values[0] ?? null;
  }
}

function positive(flag: string, value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new AppError(
    'invalid_input',
    `Input \`claude_args\`: \`--${flag}\` must be a number above 0, not \`${value}\`.`,
  );
}

function jsonObject(flag: string, value: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (error) {
    throw new AppError(
      'invalid_input',
      `Input \`claude_args\`: \`--${flag}\` is not valid JSON: ${(error as Error).message}`,
    );
  }
  throw new AppError('invalid_input', `Input \`claude_args\`: \`--${flag}\` must be a JSON object.`);
}
