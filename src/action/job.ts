/** Reads the job's environment once into plain facts; nothing below this door looks at the environment. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GitHubHost } from '../github/client.ts';
import type { OidcSource } from '../github/oidc.ts';
import { type Config, type ConfigProblem, readConfig } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import { baseInputs } from '../words/prompt-settings.ts';
import { settings } from '../words/settings.ts';
import type { CacheSource } from './runner-cache.ts';

export type JobEnvironment = Record<string, string | undefined>;

export interface Job {
  config: Config;
  problems: ConfigProblem[];
  /** One sentence for each input that is unknown or no longer has a meaning. */
  warnings: string[];
  host: GitHubHost;
  oidc: OidcSource | null;
  /** The runner's cache; null where it has none. */
  cache: CacheSource | null;
  eventName: string;
  repository: string;
  actor: string;
  /** The checkout. */
  directory: string;
  temp: string;
  toolCache: string | null;
  run: { workflow: string; job: string; id: string; attempt: string };
  jobUrl: string | null;
  debug: boolean;
}

/** Inputs of the peer before its first stable version, and what says the same today. */
const retired = new Map(
  Object.entries({
    mode: 'the mode is found from the event',
    direct_prompt: 'use `prompt`',
    override_prompt: 'use `prompt`',
    custom_instructions: 'use `claude_args: --append-system-prompt`',
    max_turns: 'use `claude_args: --max-turns`',
    model: 'use `claude_args: --model`',
    anthropic_model: 'use `claude_args: --model`',
    fallback_model: 'use `claude_args: --fallback-model`',
    allowed_tools: 'use `claude_args: --allowedTools`',
    disallowed_tools: 'use `claude_args: --disallowedTools`',
    mcp_config: 'use `claude_args: --mcp-config`',
    claude_env: 'use `settings` with `env`',
  }),
);

/** The inputs of the base-action, and the directory that it works in. */
export function readBaseJob(environment: JobEnvironment): Job {
  const job = readJob(environment, baseInputs);
  return { ...job, directory: resolve(job.directory, environment.CLAUDE_WORKING_DIR ?? '') };
}

/** @param inputs those that the action has */
export function readJob(environment: JobEnvironment, inputs: Record<string, unknown> = settings): Job {
  const { config, problems } = readConfig((name) =>
    name in inputs ? environment[inputVariable(name)] : undefined,
  );
  const serverUrl = environment.GITHUB_SERVER_URL || 'https://github.com';
  const repository = environment.GITHUB_REPOSITORY ?? '';
  const id = environment.GITHUB_RUN_ID ?? '';
  return {
    config,
    problems,
    warnings: inputWarnings(environment, Object.keys(inputs)),
    host: {
      serverUrl,
      apiUrl: environment.GITHUB_API_URL || 'https://api.github.com',
      graphqlUrl: environment.GITHUB_GRAPHQL_URL || 'https://api.github.com/graphql',
    },
    oidc: oidcSource(environment),
    cache: cacheSource(environment),
    eventName: environment.GITHUB_EVENT_NAME ?? '',
    repository,
    actor: environment.GITHUB_ACTOR ?? '',
    directory: environment.GITHUB_WORKSPACE || process.cwd(),
    temp: environment.RUNNER_TEMP || '/tmp',
    toolCache: environment.RUNNER_TOOL_CACHE || null,
    run: {
      workflow: environment.GITHUB_WORKFLOW ?? '',
      job: environment.GITHUB_JOB ?? '',
      id,
      attempt: environment.GITHUB_RUN_ATTEMPT || '1',
    },
    jobUrl: id ? `${serverUrl}/${repository}/actions/runs/${id}` : null,
    debug: environment.RUNNER_DEBUG === '1',
  };
}

/** What the job was given and nobody else may know. */
export function secretsOf({ config, oidc, cache }: Job): string[] {
  const { githubToken, appPrivateKey, anthropicApiKey, claudeCodeOauthToken, sshSigningKey } = config;
  const inputs = [githubToken, appPrivateKey, anthropicApiKey, claudeCodeOauthToken, sshSigningKey];
  const given = inputs.flatMap((secret) => (secret ? [secret.reveal()] : []));
  // Who has these is this job to everybody who trusts its identity; other actions write them into files of the checkout.
  return [...given, ...(oidc ? [oidc.requestToken] : []), ...(cache ? [cache.token] : [])];
}

/** The webhook payload on disk. @throws AppError `invalid_input` when it is missing or not JSON. */
export function readPayload(environment: JobEnvironment): unknown {
  const path = environment.GITHUB_EVENT_PATH;
  if (!path) throw unreadable('GITHUB_EVENT_PATH is not set');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(`the event file cannot be read: ${(error as Error).message}`, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser quotes the file, which may hold anything.
    const why = (error as Error).message.replace(/[^ -~]/g, '?');
    throw unreadable(`the event file is not JSON: ${why}`, error);
  }
}

/** `INPUT_TRIGGER_PHRASE` for `trigger_phrase`, as the runner names it. */
export function inputVariable(name: string): string {
  return `INPUT_${name.toUpperCase()}`;
}

function inputWarnings(environment: JobEnvironment, inputs: string[]): string[] {
  const known = new Set(inputs.map(inputVariable));
  return Object.entries(environment)
    .filter(([variable, value]) => variable.startsWith('INPUT_') && !known.has(variable) && value)
    .map(([variable]) => {
      const name = variable.slice('INPUT_'.length).toLowerCase();
      const instead = retired.get(name);
      return instead
        ? `Input \`${name}\` has no effect any more: ${instead}.`
        : `Input \`${name}\` is unknown and has no effect.`;
    });
}

function oidcSource(environment: JobEnvironment): OidcSource | null {
  const url = environment.ACTIONS_ID_TOKEN_REQUEST_URL;
  const requestToken = environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  return url && requestToken ? { url, requestToken } : null;
}

/** GitHub tells it to JavaScript actions alone. An Enterprise Server may have the first version of the service only. */
function cacheSource(environment: JobEnvironment): CacheSource | null {
  const url = environment.ACTIONS_RESULTS_URL;
  const token = environment.ACTIONS_RUNTIME_TOKEN;
  return url && token ? { url, token } : null;
}

function unreadable(what: string, cause?: unknown): AppError {
  return new AppError('invalid_input', `There is no event to read: ${what}.`, {
    cause,
    remedy: 'Run this as an action on GitHub, or set GITHUB_EVENT_NAME and GITHUB_EVENT_PATH.',
  });
}
