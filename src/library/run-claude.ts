/** `runClaude`, for programs: Claude Code with a prompt, in a directory, until its end. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { claudeOfOurs } from '../claude/executable.ts';
import type { ClaudeDoor } from '../engine/door.ts';
import { runPrompt } from '../engine/prompt-run.ts';
import { concluded, failed } from '../engine/results.ts';
import { scratchPath } from '../engine/scratch.ts';
import { type Camel, type Config, camelCase, readConfig } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import { createLog } from '../words/log.ts';
import { hostMark, runMark } from '../words/mark.ts';
import { type PromptSetting, promptSettings } from '../words/prompt-settings.ts';
import type { Conclusion, Reason, Result, Usage } from '../words/result.ts';

export interface RunClaudeOptions {
  /** What Claude is to do. A slash command is carried out, and `@path` names a file, as in Claude Code itself. */
  prompt: string;
  /** Where Claude works, and whose `CLAUDE.md` and `.claude` count; the program's own directory when unset. Trust it. */
  directory?: string;
  /** Arguments for Claude Code, as on its command line: `--model`, `--allowedTools`, `--max-turns`, `--json-schema`, … */
  claudeArgs?: string;
  /** Claude Code's settings: the object, its JSON, or the path of a JSON file. */
  settings?: string | object;
  /** Most that it may cost, in US dollars. Looked at after each answer of the model: the last one can go over it. */
  maxBudgetUsd?: number;
  /** Longest that Claude may work, in minutes; may be a fraction. */
  timeoutMinutes?: number;
  /** Credential for Claude; unset, that of `environment` is used. */
  anthropicApiKey?: string;
  claudeCodeOauthToken?: string;
  /** Workload identity federation, with the OIDC token of a job of GitHub Actions whose variables `environment` has. */
  anthropicFederationRuleId?: string;
  anthropicOrganizationId?: string;
  anthropicServiceAccountId?: string;
  anthropicWorkspaceId?: string;
  /** `https://api.anthropic.com` when unset. */
  anthropicOidcAudience?: string;
  /** A provider, with its credentials in `environment`; one of them. */
  useBedrock?: boolean;
  useVertex?: boolean;
  useFoundry?: boolean;
  /** `name` or `name@marketplace` each. */
  plugins?: string[];
  /** https Git URLs, and paths. */
  pluginMarketplaces?: string[];
  /** The fence around Claude Code: where it works (`auto`, the default), `required`, or `off`. */
  sandbox?: 'auto' | 'required' | 'off';
  /** Hosts that the fence lets through besides the default list, as `host:port`. */
  egressAllowed?: string[];
  /** The version that this package was tested with when unset; it comes with the package. */
  claudeCodeVersion?: string;
  pathToClaudeCodeExecutable?: string;
  /**
   * Variables from which Claude gets those on a list (PATH, HOME, ANTHROPIC_*, providers', proxies, …), and its credential
   * when no option gives one. The program's own environment when unset; `{}` for none of it.
   */
  environment?: Record<string, string | undefined>;
  /** Ends Claude; the result is then `cancelled`. */
  signal?: AbortSignal;
  /** Told of each message of Claude Code as it comes. What it throws ends the run. */
  onMessage?(message: unknown): void;
}

export interface RunClaudeResult {
  conclusion: Exclude<Conclusion, 'skipped'>;
  /** Empty on success; else one word of a closed list, such as `model_auth`, `timed_out`, `budget`, `turns`. */
  reason: Reason | '';
  /** Claude's last words on success; what happened otherwise. */
  text: string;
  /** What to do about it; empty on success. */
  remedy: string;
  /** Claude Code's session id; null when it did not come to one. */
  sessionId: string | null;
  /** Cost, turns, time and tokens; null when nothing was used. */
  usage: Usage | null;
  /** With `--json-schema` in `claudeArgs`: the answer in that form. */
  structuredOutput?: unknown;
  /** Claude Code's own messages, in order. They hold all that Claude has read: show them to nobody unseen. */
  messages: unknown[];
  /** What is worth knowing and did not keep Claude from working. */
  warnings: string[];
}

/**
 * Runs Claude Code with a prompt until it ends, and leaves no process behind. Prints nothing and exits nothing; a Claude
 * that fails, is refused or comes to a limit is a result with a reason.
 * @throws AppError `invalid_input`, and nothing else, for options that cannot be used; it names the option.
 * @example
 * const { conclusion, text } = await runClaude({ prompt: 'Summarise README.md.', claudeArgs: '--allowedTools Read' });
 */
export async function runClaude(options: RunClaudeOptions): Promise<RunClaudeResult> {
  const config = configOf(options);
  config.pathToClaudeCodeExecutable ??= await claudeOfOurs(config.claudeCodeVersion);
  const messages: unknown[] = [];
  const warnings: string[] = [];
  const cancel = new AbortController();
  const stop = () => cancel.abort(new AppError('cancelled', 'The run was cancelled.'));
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  const door = doorOf(options, { config, messages, warnings, signal: cancel.signal });
  const { sessionId, usage, ...result } = await ended(options.prompt, door).finally(() =>
    options.signal?.removeEventListener('abort', stop),
  );
  return {
    conclusion: result.conclusion === 'skipped' ? 'failure' : result.conclusion,
    reason: result.reason,
    text: result.summary,
    remedy: result.remedy,
    sessionId,
    usage,
    ...(result.structuredOutput !== undefined && { structuredOutput: result.structuredOutput }),
    messages,
    warnings,
  };
}

async function ended(prompt: string, door: ClaudeDoor): Promise<Result> {
  try {
    const session = await runPrompt(prompt, door);
    return concluded({ session, branch: null, pullRequestUrl: null, publishError: null, notes: [] });
  } catch (error) {
    if (error instanceof AppError && error.reason === 'invalid_input') throw error;
    return failed(error);
  }
}

/** By the checks that the inputs of the action have. */
function configOf(options: RunClaudeOptions): Config {
  const { config, problems } = readConfig((name) => {
    const isOurs = (promptSettings as readonly string[]).includes(name);
    return isOurs ? asText(options[camelCase(name) as Option]) : undefined;
  });
  if (typeof options.prompt !== 'string')
    throw new AppError('invalid_input', 'Option `prompt` must be text.');
  const [problem] = problems;
  if (!problem) return config;
  throw new AppError('invalid_input', `Option \`${camelCase(problem.name)}\`: ${problem.message}.`);
}

/** Options that are settings: each of them is there, as this would not compile without it. */
type Option = Camel<PromptSetting>;

function asText(value: RunClaudeOptions[Option]): string | undefined {
  if (Array.isArray(value)) return value.join('\n');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value === undefined ? undefined : String(value);
}

interface Gathered {
  config: Config;
  signal: AbortSignal;
  messages: unknown[];
  warnings: string[];
}

function doorOf(options: RunClaudeOptions, { config, messages, warnings, signal }: Gathered): ClaudeDoor {
  const environment = options.environment ?? process.env;
  const mark = randomUUID();
  const temp = tmpdir();
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken } = environment;
  const warn = (message: string) => void warnings.push(message);
  return {
    ...{ config, mark, temp, warn, signal },
    note: warn,
    oidc: url && requestToken ? { url, requestToken } : null,
    job: { ...environment, [runMark]: hostMark(mark) },
    directory: resolve(options.directory ?? ''),
    scratch: scratchPath({ temp }, mark),
    toolCache: null,
    log: createLog(() => {}),
    addSecret: () => {},
    seen: (message) => {
      messages.push(message);
      options.onMessage?.(message);
    },
    // A program that is killed has no step after it; Claude dies with it.
    remember: () => {},
  };
}
