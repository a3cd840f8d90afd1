/** Turns a plan into the Agent SDK's options: permissions, settings, MCP servers, limits. */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import {
  createSdkMcpServer,
  type McpServerConfig,
  type Options,
  type Settings,
  tool,
} from '@anthropic-ai/claude-agent-sdk';
import { AppError } from '../words/errors.ts';
import type { ToolServer } from '../words/tool.ts';
import type { ClaudeArguments } from './arguments.ts';
import type { Environment } from './environment.ts';

export interface SessionPlan {
  executable: string;
  /** The checkout that Claude works in. */
  directory: string;
  environment: Environment;
  /** Value of `runMark` in the environment: every process of this run carries it. */
  mark: string;
  arguments: ClaudeArguments;
  /** Used unless `claude_args` names one. */
  permissionMode: 'acceptEdits' | 'default';
  allowedTools: string[];
  /** False for pull requests: nothing that the checkout says about Claude Code is loaded. */
  trustCheckout: boolean;
  /** Input `settings`: JSON or a path; '' for none. */
  settings: string;
  maxBudgetUsd: number | null;
  servers: ToolServer[];
  /** Appended to Claude Code's own system prompt, before what `claude_args` appends. */
  systemAppend: string | null;
}

type PermissionMode = NonNullable<Options['permissionMode']>;

/** @throws AppError `invalid_input` for settings or MCP configurations that cannot be read. */
export async function sdkOptions(plan: SessionPlan): Promise<Options> {
  const { arguments: args } = plan;
  const jsonSchema = args.jsonSchema;
  const append = [plan.systemAppend, args.appendSystemPrompt].filter(Boolean).join('\n\n');
  return {
    cwd: plan.directory,
    env: plan.environment,
    pathToClaudeCodeExecutable: plan.executable,
    permissionMode: (args.permissionMode as PermissionMode | null) ?? plan.permissionMode,
    allowDangerouslySkipPermissions: args.permissionMode === 'bypassPermissions',
    allowedTools: [...plan.allowedTools, ...args.allowedTools],
    disallowedTools: args.disallowedTools,
    additionalDirectories: args.addDirs.map((directory) => resolve(plan.directory, directory)),
    settingSources: plan.trustCheckout
      ? ((args.settingSources as Options['settingSources']) ?? ['user', 'project', 'local'])
      : ['user'],
    settings: await settingsOf(plan),
    mcpServers: { ...(await userServers(plan)), ...ownServers(plan.servers) },
    strictMcpConfig: !plan.trustCheckout,
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
    extraArgs: args.extra,
  };
}

/** Settings of this run only; the machine's own files are not touched. */
async function settingsOf(plan: SessionPlan): Promise<Settings> {
  const given = await readSettings(plan);
  if (plan.trustCheckout) return { enableAllProjectMcpServers: true, ...given };
  // Memory files are found by real path: https://code.claude.com/docs/en/memory
  const excludes = `${await realpath(plan.directory)}/**`;
  return { ...given, claudeMdExcludes: [...(given.claudeMdExcludes ?? []), excludes] };
}

async function readSettings(plan: SessionPlan): Promise<Settings> {
  const text = plan.settings.trim();
  if (!text) return {};
  const inline = text.startsWith('{');
  const source = inline
    ? text
    : await readFile(resolve(plan.directory, text), 'utf8').catch((error) =>
        refuse('settings', `\`${text}\` cannot be read: ${error.message}`),
      );
  return parseObject('settings', source) as Settings;
}

async function userServers(plan: SessionPlan): Promise<Record<string, McpServerConfig>> {
  const servers: Record<string, McpServerConfig> = {};
  for (const config of plan.arguments.mcpConfigs) {
    const inline = config.trim().startsWith('{');
    const path = isAbsolute(config) ? config : resolve(plan.directory, config);
    const text = inline
      ? config
      : await readFile(path, 'utf8').catch((error) =>
          refuse('claude_args', `\`--mcp-config ${config}\` cannot be read: ${error.message}`),
        );
    const parsed = parseObject('claude_args', text, '`--mcp-config`') as {
      mcpServers?: Record<string, McpServerConfig>;
    };
    Object.assign(servers, parsed.mcpServers ?? {});
  }
  return servers;
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

function parseObject(input: string, text: string, part = ''): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (error) {
    return refuse(input, `${part} is not valid JSON: ${(error as Error).message}`);
  }
  return refuse(input, `${part} must be a JSON object.`);
}

function refuse(input: string, what: string): never {
  throw new AppError('invalid_input', `Input \`${input}\`: ${what}`);
}
