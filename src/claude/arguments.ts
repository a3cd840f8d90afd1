/** Reads `claude_args` as Claude Code's own command line would be read: a real argv, no shell. */
import { AppError } from '../words/errors.ts';
import { isList, readFlags, splitWords } from './argv.ts';

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
  systemPromptFile: string | null;
  appendSystemPromptFile: string | null;
  jsonSchema: Record<string, unknown> | null;
  /** Plugins to load for this session, as `--plugin-dir` names them. */
  pluginDirs: string[];
  /** Other flags by their name without dashes; null for a flag without value. */
  extra: Record<string, string | null>;
  warnings: string[];
}

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
    systemPromptFile: null,
    appendSystemPromptFile: null,
    jsonSchema: null,
    pluginDirs: [],
    extra: {},
    warnings: [],
  };
  for (const { name, values } of readFlags(splitWords(input), parsed.warnings)) apply(parsed, name, values);
  return parsed;
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
      parsed.maxTurns = whole(name, positive(name, value));
      break;
    case 'max-budget-usd':
      parsed.maxBudgetUsd = positive(name, value);
      break;
    case 'permission-mode':
      parsed.permissionMode = value;
      break;
    case 'dangerously-skip-permissions':
      parsed.permissionMode = 'bypassPermissions';
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
    case 'plugin-dir':
      parsed.pluginDirs.push(value);
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
    case 'system-prompt-file':
      parsed.systemPromptFile = value;
      break;
    case 'append-system-prompt-file':
      parsed.appendSystemPromptFile = value;
      break;
    case 'json-schema':
      parsed.jsonSchema = jsonObject(name, value);
      break;
    default:
      // Those that take several words are told as one, and add up.
      parsed.extra[name] = values.length > 0 ? [...former(parsed, name), ...values].join(',') : null;
  }
}

function former({ extra }: ClaudeArguments, name: string): string[] {
  const given = isList(name) ? extra[name] : null;
  return given ? [given] : [];
}

function positive(flag: string, value: string): number {
  const number = Number(value);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new AppError(
    'invalid_input',
    `Input \`claude_args\`: \`--${flag}\` must be a number above 0, not \`${value}\`.`,
  );
}

function whole(flag: string, number: number): number {
  if (Number.isInteger(number)) return number;
  throw new AppError(
    'invalid_input',
    `Input \`claude_args\`: \`--${flag}\` must be a whole number, not \`${number}\`.`,
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
