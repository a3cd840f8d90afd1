/** Turns a plan into the Agent SDK's options: permissions, settings, MCP servers, limits. */
import { readFile, realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import {
  createSdkMcpServer,
  type McpServerConfig,
  type Options,
  type Settings,
  tool,
} from '@anthropic-ai/claude-agent-sdk/core';
import { AppError } from '../words/errors.ts';
import type { Fence } from '../words/fence.ts';
import type { ToolServer } from '../words/tool.ts';
import type { ClaudeArguments } from './arguments.ts';
import type { Environment } from './environment.ts';
import { nestedMemoryHooks, type TrustedProject } from './trusted-project.ts';

export interface SessionPlan {
  executable: string;
  /** The checkout that Claude works in. */
  directory: string;
  /** A private directory of the run (0700). */
  scratch: string;
  environment: Environment;
  /** Value of `runMark` in the environment: every process of this run carries it. */
  mark: string;
  arguments: ClaudeArguments;
  /** Used unless `claude_args` names one. */
  permissionMode: 'acceptEdits' | 'default' | 'dontAsk' | 'bypassPermissions';
  allowedTools: string[];
  /** Win over everything that allows. */
  disallowedTools: string[];
  /** False for pull requests: nothing that the checkout says about Claude Code is loaded. */
  trustCheckout: boolean;
  /** Where the project's configuration comes from instead; unset for nowhere. */
  trusted?: TrustedProject | null;
  /** Input `settings`: JSON or a path; '' for none. */
  settings: string;
  maxBudgetUsd: number | null;
  servers: ToolServer[];
  /** Appended to Claude Code's own system prompt, before what `claude_args` appends. */
  systemAppend: string | null;
  /** What Claude Code runs in; null where there is none. */
  fence: Fence | null;
}

type PermissionMode = NonNullable<Options['permissionMode']>;

/** @throws AppError `invalid_input` for settings or MCP configurations that cannot be read. */
export async function sdkOptions(plan: SessionPlan): Promise<Options> {
  const { arguments: args } = plan;
  const trusted = plan.trustCheckout ? null : plan.trusted;
  const permissionMode = (args.permissionMode as PermissionMode | null) ?? plan.permissionMode;
  // The SDK would let its own `settings` replace the flag: both are merged below instead.
  const { settings: settingsFlag, ...extraArgs } = args.extra;
  const jsonSchema = args.jsonSchema;
  const append = [plan.systemAppend, args.appendSystemPrompt].filter(Boolean).join('\n\n');
  return {
    cwd: plan.directory,
    env: {
      ...plan.environment,
      ...(isRootWithoutFence(plan) && { IS_SANDBOX: '1' }),
      ...(trusted && { CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1' }),
    },
    pathToClaudeCodeExecutable: plan.executable,
    permissionMode,
    allowDangerouslySkipPermissions: permissionMode === 'bypassPermissions',
    allowedTools: [...plan.allowedTools, ...args.allowedTools],
    disallowedTools: [
      ...plan.disallowedTools,
      ...args.disallowedTools,
      ...(trusted ? [`Edit(/${trusted.directory}/**)`] : []),
    ],
    additionalDirectories: [...(await addedDirectories(plan)), ...(trusted ? [trusted.directory] : [])],
    settingSources:
      plan.trustCheckout || trusted
        ? ((args.settingSources as Options['settingSources']) ?? ['user', 'project', 'local'])
        : ['user'],
    ...(trusted && {
      projectConfigRoot: trusted.directory,
      hooks: nestedMemoryHooks(trusted, [plan.directory, await realpath(plan.directory)]),
    }),
    settings: await settingsOf(plan, settingsFlag ?? ''),
    mcpServers: { ...(await userServers(plan)), ...ownServers(plan.servers) },
    strictMcpConfig: !plan.trustCheckout && !trusted,
    // A server's environment may hold secrets, which a command line would show to every process.
    mcpServersDelivery: 'initialize',
    systemPrompt: args.systemPrompt ?? { type: 'preset', preset: 'claude_code', ...(append && { append }) },
    ...(args.model && { model: args.model }),
    ...(args.fallbackModel && { fallbackModel: args.fallbackModel }),
    ...(args.maxTurns && { maxTurns: args.maxTurns }),
    ...((plan.maxBudgetUsd ?? args.maxBudgetUsd) && {
      maxBudgetUsd: plan.maxBudgetUsd ?? args.maxBudgetUsd ?? undefined,
    }),
    ...(jsonSchema && { outputFormat: { type: 'json_schema', schema: jsonSchema } }),
    extraArgs,
  };
}

/** Claude Code refuses to let root bypass permissions until it is told that somebody has thought about it: the operator has. */
function isRootWithoutFence({ permissionMode, fence }: SessionPlan): boolean {
  return permissionMode === 'bypassPermissions' && fence === null && process.getuid?.() === 0;
}

/** Settings of this run only; the machine's own files are not touched. The flag of `claude_args` wins over the input. */
async function settingsOf(plan: SessionPlan, flag: string): Promise<Settings> {
  const given: Settings = {
    ...(await readGiven(plan, 'Input `settings`', plan.settings)),
    ...(await readGiven(plan, 'Input `claude_args`: `--settings`', flag)),
  };
  const approved = { enableAllProjectMcpServers: true, ...given };
  if (plan.trustCheckout) return approved;
  // Memory files are found by real path: https://code.claude.com/docs/en/memory
  const excludes = `${await realpath(plan.directory)}/**`;
  const claudeMdExcludes = [...(given.claudeMdExcludes ?? []), excludes];
  return { ...(plan.trusted ? approved : given), claudeMdExcludes };
}

/** What `--add-dir` names. Not what is in an untrusted checkout: Claude Code would load its skills. */
async function addedDirectories({
  arguments: args,
  directory,
  trustCheckout,
}: SessionPlan): Promise<string[]> {
  const named = args.addDirs.map((path) => resolve(directory, path));
  if (trustCheckout) return named;
  const checkout = await realpath(directory);
  const real = await Promise.all(named.map((path) => realpath(path).catch(() => path)));
  return named.filter((path, index) => !isInside(directory, path) && !isInside(checkout, real[index]!));
}

async function userServers(plan: SessionPlan): Promise<Record<string, McpServerConfig>> {
  const servers: Record<string, McpServerConfig> = {};
  for (const config of plan.arguments.mcpConfigs) {
    const given = await readGiven(plan, 'Input `claude_args`: `--mcp-config`', config);
    Object.assign(servers, given.mcpServers ?? {});
  }
  return servers;
}

/** A JSON object given inline or as a path, which starts at the checkout. @param what names it in an error. */
async function readGiven(plan: SessionPlan, what: string, given: string): Promise<Record<string, unknown>> {
  const text = given.trim();
  if (!text) return {};
  if (text.startsWith('{')) return parseObject(what, text);
  const named = resolve(plan.directory, text);
  const path = await realpath(named).catch((error) =>
    refuse(`${what}: \`${text}\` cannot be read: ${error.message}`),
  );
  // In a pull request the file is the contributor's, also where it is a link elsewhere, and settings start programs.
  const ofCheckout = isInside(plan.directory, named) || isInside(await realpath(plan.directory), path);
  if (!plan.trustCheckout && ofCheckout) {
    throw new AppError(
      'invalid_input',
      `${what}: \`${text}\` is a file of the checkout, which is not trusted on this event.`,
      { remedy: 'Give the JSON itself, or a file outside the checkout that an earlier step has written.' },
    );
  }
  const source = await readFile(path, 'utf8').catch((error) =>
    refuse(`${what}: \`${text}\` cannot be read: ${error.message}`),
  );
  return parseObject(`${what}: \`${text}\``, source);
}

function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

function ownServers(servers: ToolServer[]): Record<string, McpServerConfig> {
  return Object.fromEntries(
    servers.map((server) => [
      server.name,
      createSdkMcpServer({
        name: server.name,
        // In the first request, instead of behind a search: every run needs them.
        alwaysLoad: true,
        tools: server.tools.map(({ name, description, inputSchema, call }) =>
          tool(name, description, inputSchema as Parameters<typeof tool>[2], async (input) => {
            const { text, isError } = await call(input as Record<string, unknown>);
            return { content: [{ type: 'text', text }], isError };
          }),
        ),
      }),
    ]),
  );
}

function parseObject(what: string, text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse(`${what} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
    return parsed as Record<string, unknown>;
  return refuse(`${what} must be a JSON object.`);
}

function refuse(message: string): never {
  throw new AppError('invalid_input', message);
}
