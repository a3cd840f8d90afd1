/** Claude for one session: its fence, its tools, its settings, and the conversation with it. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Conversation, ConversationPlan } from '../../claude/conversation.ts';
import { claudeOfOurs, findClaude } from '../../claude/executable.ts';
import { type OpenFence, openFence, probeFence } from '../../claude/fence.ts';
import { claudeSettings, toolNames } from '../../engine/claude.ts';
import { configurationPath, imagesPath, openPlace } from '../../engine/scratch.ts';
import { type BaseConfiguration, baseConfiguration } from '../../engine/trusted-config.ts';
import { commentServer } from '../../mcp/comment.ts';
import { type ContextAnswers, contextServer } from '../../mcp/context.ts';
import { filesServer } from '../../mcp/files.ts';
import { pullRequestServer } from '../../mcp/pull-request.ts';
import { liveSystemText } from '../../prompt/live.ts';
import { AppError } from '../../words/errors.ts';
import type { Progress } from '../../words/result.ts';
import type { ToolServer } from '../../words/tool.ts';
import { changeThread } from '../store/session-threads.ts';
import { transcriptOf } from '../store/transcript.ts';
import type { SessionContext } from './context.ts';
import { runDirectory } from './door.ts';
import type { Happenings } from './happenings.ts';
import type { Ready } from './prepare.ts';
import type { PullRequestText } from './turn.ts';

/** Processes and memory that one session may use. */
const limits = { processes: 512, memoryMiB: 4096 };

/**
 * What Claude has where nothing keeps its commands from the machine: the files of its workspace. Reading needs no rule
 * there, and without one goes no further; a bare `Edit` would write anywhere. Attack: "without a fence" in
 * `test/e2e/server-life.test.ts`.
 */
const unfenced = [
  'Edit(./**)',
  'Write(./**)',
  'TodoWrite',
  ...['Bash(git add:*)', 'Bash(git commit:*)', 'Bash(git rm:*)'],
];

/** Half of what a session has to load: not before GitHub and git have been asked. */
const loadConversation = () => import('../../claude/conversation.ts');

/** Begins what can be done beside the waiting for GitHub and git: half of the time until Claude runs. */
export function prepareClaude({ door }: SessionContext): void {
  void Promise.all([import('../../claude/start.ts'), loadConversation()]).then(([{ warmUp }]) => warmUp());
  if (door.config.sandbox !== 'off') void probeFence();
}

/** @throws AppError `sandbox_unavailable` when one is required and cannot be had. */
export async function openSessionFence(
  context: SessionContext,
  executable: string,
): Promise<OpenFence | null> {
  const { door, task } = context;
  const { sandbox, egressAllowed } = door.config;
  await removeConfiguration(context);
  // Filled when the mirror has the base; it is seen in the fence, where nobody can write to it.
  const configuration = await openPlace(configurationPath(door.scratch));
  if (sandbox === 'off') return null;
  const support = await probeFence();
  if (!support.usable) {
    if (sandbox === 'required')
      throw new AppError('sandbox_unavailable', support.why, { remedy: support.remedy });
    door.warn(`Claude works without a fence: ${support.why}`);
    return null;
  }
  const { environment } = claudeSettings({ door, task, github: null });
  const scratch = runDirectory(context.configuration.server.dataDir, context.held.key);
  await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  return openFence({
    workspace: door.directory,
    readOnly: [executable, configuration, await openPlace(imagesPath(door.scratch))],
    scratch,
    environment,
    hidden: [context.configuration.server.dataDir, context.configuration.server.workspacesRoot],
    egressAllowed,
    limits,
    log: context.log,
  });
}

/**
 * The base branch's, on every thread: what a branch says of Claude Code, somebody else or Claude itself on an earlier
 * occasion may have written there.
 */
export function sessionConfiguration(
  { door, task, connection }: SessionContext,
  { mirror, checkout }: Ready,
): Promise<BaseConfiguration | null> {
  return baseConfiguration({ door, task, connection, gitDirectory: mirror, base: checkout.plan.base });
}

export function removeConfiguration({ door }: SessionContext): Promise<void> {
  return rm(configurationPath(door.scratch), { recursive: true, force: true, maxRetries: 3 });
}

/** Claude Code as the server's configuration names it, or the one that came with us. */
export async function findExecutable({ door, configuration }: SessionContext): Promise<string> {
  const { config, job, scratch, directory, log } = door;
  const { pathToClaudeCodeExecutable: given, claudeCodeVersion: version } = config;
  const ours = given ? null : await claudeOfOurs(version);
  if (ours) return ours;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  // Kept for the sessions after this one: it is installed once.
  const toolCache = join(configuration.server.dataDir, 'tools');
  return findClaude({ given, version, directory, job, toolCache, scratch, log });
}

export interface Wishes {
  progress(progress: Progress): Promise<void>;
  push(): Promise<string>;
  pullRequest(text: PullRequestText): Promise<string>;
  context: ContextAnswers;
}

/** What Claude can ask the host for; in this process, outside of the fence. */
export function toolServers({ thread }: SessionContext, wishes: Wishes): ToolServer[] {
  return [
    commentServer(wishes.progress),
    filesServer(wishes.push),
    contextServer(wishes.context, thread.kind),
    ...(thread.kind === 'issue' ? [pullRequestServer(wishes.pullRequest)] : []),
  ];
}

export interface ConversationParts {
  executable: string;
  fence: OpenFence | null;
  servers: ToolServer[];
  configuration: BaseConfiguration | null;
  happenings: Happenings;
  /** Of the session's limits. */
  left: { usd: number | null; turns: number | null };
}

/** Goes on with the thread's conversation, or begins it. */
export async function converse(context: SessionContext, parts: ConversationParts): Promise<Conversation> {
  const { database, held, thread, door, task, show } = context;
  const { executable, fence, servers, configuration, happenings, left } = parts;
  const sessionId = thread.claudeSessionId ?? crypto.randomUUID();
  if (!thread.claudeSessionId) await changeThread(database, held, { claudeSessionId: sessionId });
  thread.claudeSessionId = sessionId;
  const settings = claudeSettings({ door, task, github: null });
  const turns = [left.turns, settings.arguments.maxTurns].filter((limit) => limit !== null);
  const plan: ConversationPlan = {
    ...settings,
    arguments: { ...settings.arguments, maxTurns: turns.length > 0 ? Math.min(...turns) : null },
    executable,
    fence,
    directory: door.directory,
    environment: fence?.claudeEnvironment ?? settings.environment,
    permissionMode: fence ? 'bypassPermissions' : 'dontAsk',
    allowedTools: [
      ...(fence ? [] : [...unfenced, `Read(/${imagesPath(door.scratch)}/**)`]),
      ...toolNames(servers),
    ],
    trustCheckout: false,
    trusted: configuration,
    servers,
    systemAppend: await systemAppend(context),
    maxBudgetUsd: left.usd,
    sessionId,
    store: transcriptOf(database, held.key, held.lease),
  };
  const { openConversation } = await loadConversation();
  return openConversation(plan, {
    signal: door.signal,
    onSpawn: () => {},
    onMessage: (message) => {
      happenings.heard();
      for (const line of spoken(message)) show(door.redact(line));
    },
    onTaken: (uuids) => happenings.push({ kind: 'taken', uuids }),
    onTurnEnd: (turn) => happenings.push({ kind: 'turn', turn }),
    onActivity: (kind) => happenings.push({ kind }),
  });
}

/** Ours, and what the operator adds (`SYSTEM_PROMPT_FILE`). */
async function systemAppend({ configuration }: SessionContext): Promise<string> {
  const file = configuration.server.systemPromptFile;
  return [liveSystemText, file ? await readFile(file, 'utf8') : ''].filter(Boolean).join('\n\n');
}

interface Block {
  type: string;
  text?: string;
  name?: string;
  input?: unknown;
}

/** What a message of Claude Code looks like to somebody who watches the terminal. */
function spoken(message: unknown): string[] {
  const { type, message: inner } = message as { type: string; message?: { content?: unknown } };
  if (type !== 'assistant' || !Array.isArray(inner?.content)) return [];
  return (inner.content as Block[]).flatMap(({ type: kind, text, name, input }) => {
    if (kind === 'text' && text) return [`Claude: ${text}`];
    if (kind === 'tool_use') return [`${name} ${JSON.stringify(input).slice(0, 300)}`];
    return [];
  });
}
