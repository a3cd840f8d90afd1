/** Prepares Claude for one task: what it may use, what it can see of the job, and how long it may take. */
import { join } from 'node:path';
import { type ClaudeArguments, parseClaudeArguments } from '../claude/arguments.ts';
import { chooseCredential } from '../claude/credential.ts';
import { allowedEnvironment, type Environment, fixedEnvironment } from '../claude/environment.ts';
import type { SessionPlan } from '../claude/options.ts';
import type { GitHubHost } from '../github/client.ts';
import { AppError } from '../words/errors.ts';
import { runMark } from '../words/mark.ts';
import { dispatchOf, hasBranch, type Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import { canGoOn, checkConversation } from './conversation/open.ts';
import { lowest } from './dispatch.ts';
import type { ClaudeDoor, Door } from './door.ts';
import { commitsByFile, signingWarnings } from './signing.ts';

/** What is allowed without asking where Claude has a branch; edits inside the checkout come with the permission mode. */
const branchTools = ['Glob', 'Grep', 'LS', 'Read'];
/** Besides, where Claude itself commits. */
const commitTools = ['Bash(git add:*)', 'Bash(git commit:*)', 'Bash(git rm:*)'];

/** Everything about a session that is known before anything was fetched. */
export type ClaudeSettings = Omit<
  SessionPlan,
  'executable' | 'directory' | 'servers' | 'systemAppend' | 'fence' | 'trustCheckout' | 'trusted'
>;

export interface SettingsRequest {
  door: ClaudeDoor;
  /** Null for a prompt that has nothing to do with GitHub. */
  task: Task | null;
  github: ClaudesGitHub | null;
}

/** A GitHub token for Claude's own process, when `claude_github_token` gives one, and where it is good for something. */
export interface ClaudesGitHub {
  token: string;
  host: GitHubHost;
}

/**
 * Reads and checks what the settings say about Claude; makes no request.
 * @throws AppError `invalid_input` for arguments that cannot be read, `model_auth` when there is no credential.
 */
export function claudeSettings({ door, task, github }: SettingsRequest): ClaudeSettings {
  const { config } = door;
  const args = asDispatched(parseClaudeArguments(config.claudeArgs), task);
  const credential = chooseCredential(config, door.job);
  for (const secret of credential.secrets) door.addSecret(secret);
  const environment = { ...allowedEnvironment(door.job), ...fixedEnvironment, ...credential.set };
  for (const name of credential.unset) delete environment[name];
  // A profile of the machine would be taken instead, and what the exchange gives would stay there.
  if (credential.identity) environment.ANTHROPIC_CONFIG_DIR = join(door.scratch, 'anthropic');
  if (github) Object.assign(environment, githubEnvironment(github));
  environment[runMark] = door.mark;
  const edits = task !== null && hasBranch(task);
  return {
    environment,
    scratch: door.scratch,
    mark: door.mark,
    arguments: args,
    permissionMode: edits ? 'acceptEdits' : 'default',
    allowedTools: edits ? [...branchTools, ...(commitsByFile(config) ? [] : commitTools)] : [],
    disallowedTools: unreadable(door),
    settings: config.settings,
    maxBudgetUsd: config.maxBudgetUsd,
  };
}

/** The payload may choose the model and the form of the answer; of the turns it may only take away. */
function asDispatched(args: ClaudeArguments, task: Task | null): ClaudeArguments {
  const dispatch = task && dispatchOf(task);
  if (!dispatch) return args;
  return {
    ...args,
    model: dispatch.model ?? args.model,
    maxTurns: lowest(args.maxTurns, dispatch.maxTurns),
    jsonSchema: dispatch.jsonSchema ?? args.jsonSchema,
  };
}

/**
 * Where this process and the runner keep secrets: the environment of processes, the runner's command files, our scratch.
 * Without a fence these rules hold for Claude's file tools and for the commands that it knows to read files; they are a
 * hurdle, not a wall. Attack: "what is named unreadable" in
 * `src/claude/session.test.ts`.
 */
function unreadable({ scratch, temp }: ClaudeDoor): string[] {
  return ['/proc', scratch, join(temp, '_runner_file_commands')].map((path) => `Read(/${path}/**)`);
}

/** Names under which Claude may call the tools of these servers. */
export function toolNames(servers: ToolServer[]): string[] {
  return servers.flatMap((server) => server.tools.map((tool) => `mcp__${server.name}__${tool.name}`));
}

/** Warnings about what was given, for the summary. */
export function settingsWarnings(door: Door, task: Task): string[] {
  const { config } = door;
  return [
    ...withoutEffect([
      ['resume', config.resume && !canGoOn(task)],
      ['allow_bash', config.allowBash && !hasBranch(task)],
    ]),
    ...promptWarnings(door),
    ...signingWarnings(door, task),
    ...placeWarnings(door, task),
  ];
}

/** Where the answer is when it is not where it was asked for. */
function placeWarnings({ config }: Door, task: Task): string[] {
  // A backend's payload may name one, which is looked up later.
  if (task.subject || dispatchOf(task)?.subject) return [];
  const warnings: string[] = [];
  if (config.trackProgress) {
    const instead = task.discussion
      ? 'in a discussion the prompt runs alone, and its answer is a comment there'
      : 'progress goes to the step summary';
    warnings.push(`\`track_progress\` needs an issue or pull request; ${instead}.`);
  }
  if (config.comment === 'always' && !task.discussion)
    warnings.push(
      '`comment: always` finds no issue, pull request or discussion in this event; the answer is in the step summary.',
    );
  return warnings;
}

/** Those that mean something without GitHub too. */
export function promptWarnings({ config, job }: ClaudeDoor): string[] {
  return [
    ...withoutEffect([
      ['plugin_marketplaces', config.pluginMarketplaces.length > 0 && config.plugins.length === 0],
      ['egress_allowed', config.egressAllowed.length > 0 && config.sandbox === 'off'],
    ]),
    ...parseClaudeArguments(config.claudeArgs).warnings,
    ...chooseCredential(config, job).warnings,
  ];
}

/** Inputs that were given and that are accepted without acting on them, here or in this version. */
function withoutEffect(given: [string, boolean][]): string[] {
  return given
    .filter(([, isGiven]) => isGiven)
    .map(([name]) => `Input \`${name}\` has no effect in this version.`);
}

/**
 * Whether Claude's own process gets a GitHub token: only by `claude_github_token`, and with `auto` only in agent mode
 * and when its tools ask for `gh` or `git push` by name.
 */
export function wantsGitHubToken(door: Door, task: Task): boolean {
  const { claudeGithubToken } = door.config;
  if (claudeGithubToken !== 'auto') return claudeGithubToken === 'always';
  return !hasBranch(task) && allowsByName(door, /Bash\((?:gh|git push)\b/);
}

/** True when `claude_args` or the settings name such a tool: what a workflow with a prompt alone asks for. */
export function allowsByName({ config }: Pick<Door, 'config'>, name: RegExp): boolean {
  const { allowedTools } = parseClaudeArguments(config.claudeArgs);
  return allowedTools.some((rule) => name.test(rule)) || name.test(config.settings);
}

/** Refuses settings that this version cannot honour: doing less than was asked in silence would be worse. */
export function checkSettings(door: Door, task: Task): void {
  const { config, problems } = door;
  const [problem] = problems;
  if (problem) {
    throw new AppError(
      'invalid_input',
      problems.map(({ name, message }) => `Input \`${name}\`: ${message}.`).join('\n'),
    );
  }
  checkConversation(config, parseClaudeArguments(config.claudeArgs), task);
  if (Boolean(config.appId) !== Boolean(config.appPrivateKey)) {
    const [given, missing] = config.appId ? ['app_id', 'app_private_key'] : ['app_private_key', 'app_id'];
    throw new AppError('invalid_input', `Input \`${given}\` was given without \`${missing}\`.`, {
      remedy: 'Give both, or neither.',
    });
  }
  if (config.githubToken && config.appId) {
    throw new AppError('invalid_input', 'Inputs `github_token` and `app_id` contradict each other.', {
      remedy: 'Give one of them.',
    });
  }
  if (config.allowBash && config.sandbox === 'off') {
    throw new AppError(
      'sandbox_unavailable',
      '`allow_bash` needs the fence, which `sandbox: off` takes away.',
      {
        remedy:
          'Leave one of them out, or name the commands that Claude may run in `claude_args: --allowedTools`.',
      },
    );
  }
}

function githubEnvironment({ token, host }: ClaudesGitHub): Environment {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    GITHUB_TOKEN: token,
    GH_TOKEN: token,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${host.serverUrl}/.extraheader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  };
}
