/** Turns a plan into the Agent SDK's options: permissions, settings, MCP servers, limits. */
import { realpath } from 'node:fs/promises';
import {
  createSdkMcpServer,
  type McpServerConfig,
  type Options,
  type Settings,
  tool,
} from '@anthropic-ai/claude-agent-sdk/core';
import { z } from 'zod';
import type { Fence } from '../words/fence.ts';
import type { ForwardedServer, ToolServer } from '../words/tool.ts';
import type { ClaudeArguments } from './arguments.ts';
import type { Environment } from './environment.ts';
import {
  givenDirectories,
  givenPath,
  givenServers,
  mergeSettings,
  readGiven,
  readGivenText,
} from './given.ts';
import type { KeptTranscript } from './kept-transcript.ts';
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
  /** Another MCP server's tools, which are allowed by the rules of `claude_args` and `settings` alone; unset for none. */
  forwarded?: ForwardedServer | null;
  /** Directories of plugins, besides those that `claude_args` names; unset for none. */
  plugins?: string[];
  /** Appended to Claude Code's own system prompt, before what `claude_args` appends. */
  systemAppend: string | null;
  /** What Claude Code runs in; null where there is none. */
  fence: Fence | null;
  /** What is said, where it is kept for a later session, and what was said in the one that goes on. */
  transcript?: KeptTranscript | null;
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
    additionalDirectories: [
      ...(await givenDirectories(plan, args.addDirs)),
      ...(trusted ? [trusted.directory] : []),
    ],
    settingSources:
      plan.trustCheckout || trusted
        ? ((args.settingSources as Options['settingSources']) ?? ['user', 'project', 'local'])
        : ['user'],
    ...(trusted && {
      projectConfigRoot: trusted.directory,
      hooks: nestedMemoryHooks(trusted, [plan.directory, await realpath(plan.directory)]),
    }),
    settings: await settingsOf(plan, settingsFlag ?? ''),
    mcpServers: {
      ...(await forwardedServers(plan)),
      ...(await givenServers(plan, args.mcpConfigs)),
      ...ownServers(plan.servers),
    },
    strictMcpConfig: !plan.trustCheckout && !trusted,
    // A server's environment may hold secrets, which a command line would show to every process.
    mcpServersDelivery: 'initialize',
    systemPrompt: await systemPromptOf(plan),
    ...(args.model && { model: args.model }),
    ...(args.fallbackModel && { fallbackModel: args.fallbackModel }),
    ...(args.maxTurns && { maxTurns: args.maxTurns }),
    ...((plan.maxBudgetUsd ?? args.maxBudgetUsd) && {
      maxBudgetUsd: plan.maxBudgetUsd ?? args.maxBudgetUsd ?? undefined,
    }),
    plugins: [...(plan.plugins ?? []), ...(await namedPlugins(plan))].map((path) => ({
      type: 'local',
      path,
    })),
    ...(jsonSchema && { outputFormat: { type: 'json_schema', schema: jsonSchema } }),
    extraArgs,
  };
}

/** Claude Code refuses to let root bypass permissions until it is told that somebody has thought about it: the operator has. */
function isRootWithoutFence({ permissionMode, fence }: SessionPlan): boolean {
  return permissionMode === 'bypassPermissions' && fence === null && process.getuid?.() === 0;
}

/** Claude Code's own with what is appended, or another in its place. Files are read here, where we know whose they are. */
async function systemPromptOf(plan: SessionPlan): Promise<Options['systemPrompt']> {
  const { arguments: args } = plan;
  const text = (flag: string, path: string | null) =>
    path === null ? null : readGivenText(plan, `Input \`claude_args\`: \`--${flag}\``, path);
  const [replaced, appended] = await Promise.all([
    text('system-prompt-file', args.systemPromptFile),
    text('append-system-prompt-file', args.appendSystemPromptFile),
  ]);
  const append = [plan.systemAppend, args.appendSystemPrompt, appended].filter(Boolean).join('\n\n');
  const other = args.systemPrompt ?? replaced;
  if (other !== null) return [other, append].filter(Boolean).join('\n\n');
  return { type: 'preset', preset: 'claude_code', ...(append && { append }) };
}

function namedPlugins(plan: SessionPlan): Promise<string[]> {
  const what = 'Input `claude_args`: `--plugin-dir`';
  return Promise.all(plan.arguments.pluginDirs.map((path) => givenPath(plan, what, path)));
}

/** Settings of this run only; the machine's own files are not touched. The flag of `claude_args` wins over the input. */
async function settingsOf(plan: SessionPlan, flag: string): Promise<Settings> {
  const given: Settings = mergeSettings(
    await readGiven(plan, 'Input `settings`', plan.settings),
    await readGiven(plan, 'Input `claude_args`: `--settings`', flag),
  );
  const approved = { enableAllProjectMcpServers: true, ...given };
  if (plan.trustCheckout) return approved;
  // Memory files are found by real path: https://code.claude.com/docs/en/memory
  const excludes = `${await realpath(plan.directory)}/**`;
  const claudeMdExcludes = [...(given.claudeMdExcludes ?? []), excludes];
  return { ...(plan.trusted ? approved : given), claudeMdExcludes };
}

/** Loaded where there is one: few runs ask for it. */
async function forwardedServers({ forwarded }: SessionPlan): Promise<Record<string, McpServerConfig>> {
  if (!forwarded) return {};
  const { forwardedServer } = await import('./forwarded.ts');
  return { [forwarded.name]: forwardedServer(forwarded) };
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
          tool(name, description, strict(inputSchema), async (input) => {
            const { text, isError } = await call(input as Record<string, unknown>);
            return { content: [{ type: 'text', text }], isError };
          }),
        ),
      }),
    ]),
  );
}

/** The SDK's type knows the fields alone; of them it would drop an unknown argument, where Claude should hear of it. */
function strict(inputSchema: z.ZodRawShape): Parameters<typeof tool>[2] {
  return z.strictObject(inputSchema) as unknown as Parameters<typeof tool>[2];
}
