/** Claude in one run: started as soon as its configuration is known, given its prompt when the thread has been read, ended for good. */
import { rm } from 'node:fs/promises';
import { chooseCredential } from '../claude/credential.ts';
import { findClaude } from '../claude/executable.ts';
import { type OpenFence, probeFence } from '../claude/fence.ts';
import { givenServers } from '../claude/given.ts';
import { type Identity, openIdentity } from '../claude/identity.ts';
import type { SessionPlan } from '../claude/options.ts';
import { installPlugins } from '../claude/plugins.ts';
import { endProcesses } from '../claude/process.ts';
import type { FurtherWords, OpenSession, SessionPrompt, SessionResult } from '../claude/session.ts';
import { requestOidcToken } from '../github/oidc.ts';
import { AppError } from '../words/errors.ts';
import { hasBranch, type Task } from '../words/task.ts';
import type { ForwardedServer, ToolServer } from '../words/tool.ts';
import { type ClaudeSettings, type ClaudesGitHub, claudeSettings, toolNames } from './claude.ts';
import type { Continuation } from './conversation/continuation.ts';
import { deniedNote } from './denied.ts';
import type { ClaudeDoor } from './door.ts';
import { openRunFence } from './fence.ts';
import { configurationPath, logsPath, openPlace, pluginsPath } from './scratch.ts';
import type { Configuration } from './trusted-config.ts';

export interface ClaudeRunOptions {
  door: ClaudeDoor;
  /** Null for a prompt that has nothing to do with GitHub. */
  task: Task | null;
  servers: ToolServer[];
  /** For Claude's own process; null (nearly always) for none. */
  github: ClaudesGitHub | null;
  /** Claude has said that it is there. */
  onFirstMessage(): void;
}

/** Where Claude works. */
export interface Checkout {
  directory: string;
  /** Whether what it says about Claude Code counts. */
  isTrusted: boolean;
}

export interface Beginning {
  /** Appended to Claude Code's own system prompt. */
  systemAppend: string | null;
  configuration: Configuration;
  /** GitHub's own MCP server, where it is there. */
  forwarded: ForwardedServer | null;
  /** Where what is said is kept; null where it is not. */
  continuation: Continuation | null;
}

/** What Claude is told, and what it is told instead where the conversation that was to go on has to begin anew. */
export interface Prompts extends SessionPrompt {
  anew?: SessionPrompt;
}

export class ClaudeRun {
  /** Claude Code's own messages, as they came. */
  readonly messages: unknown[] = [];
  /** What Claude runs in; null where there is none. */
  fence: OpenFence | null = null;
  private identity: Identity | null = null;
  private pid: number | null = null;
  private plan: Omit<SessionPlan, 'systemAppend' | 'trustCheckout' | 'trusted'> | null = null;
  private session: OpenSession | null = null;
  private beginning: Beginning | null = null;
  private readonly limit = new AbortController();
  private readonly signal: AbortSignal;
  private readonly options: ClaudeRunOptions;

  constructor(options: ClaudeRunOptions) {
    this.options = options;
    this.signal = AbortSignal.any([options.door.signal, this.limit.signal]);
  }

  /** Finds Claude Code and makes ready what it runs in. @param checkout once it is taken over */
  async prepare(checkout: Promise<Checkout>): Promise<void> {
    const { door, task, servers, github } = this.options;
    const settings = claudeSettings({ door, task, github });
    const edits = task !== null && hasBranch(task);
    // Loading the Agent SDK blocks for 50 ms, so it goes on beside the file work of the others.
    const find = this.find();
    const [{ directory: cwd, isTrusted: trustCheckout }, executable, support, identity, plugins] =
      await Promise.all([
        checkout,
        find,
        door.config.sandbox === 'off' ? null : probeFence(),
        this.openIdentity(),
        this.installPlugins(settings, checkout, find),
        import('../claude/session.ts'),
        import('../claude/start.ts').then(({ warmUp }) => warmUp()),
      ]);
    this.signal.throwIfAborted();
    const { environment, arguments: given } = settings;
    const givenMcp = await givenServers({ directory: cwd, trustCheckout }, given.mcpConfigs);
    // Filled once the base is known; it is seen in the fence, where nobody can write to it.
    const configuration = await openPlace(configurationPath(door.scratch));
    // The same for what Claude asks for later.
    const logs = await openPlace(logsPath(door.scratch));
    this.fence = await openRunFence({
      ...{ door, support, workspace: cwd, executable, environment, arguments: given },
      github: github?.host ?? null,
      givenServers: givenMcp,
      readOnly: [configuration, logs, ...(identity ? [identity.directory] : []), ...plugins],
    });
    if (this.fence?.owner) await identity?.giveTo(this.fence.owner);
    // With a prompt alone Claude has what the workflow allows, and can tell a backend that follows it.
    const tools = toolNames(edits ? servers : servers.filter(({ name }) => name === 'github_progress'));
    const base = { ...settings, executable, directory: cwd, servers, plugins, fence: this.fence };
    this.plan = inFence(
      { ...base, allowedTools: [...settings.allowedTools, ...tools] },
      this.fence,
      edits && door.config.allowBash,
    );
    Object.assign(this.plan.environment, identity?.environment);
  }

  /** Starts Claude Code; it waits for its prompt. */
  async begin(beginning: Beginning): Promise<void> {
    const { systemAppend, configuration, forwarded, continuation } = beginning;
    this.beginning = beginning;
    const { door } = this.options;
    const { openSession } = await import('../claude/session.ts');
    this.signal.throwIfAborted();
    if (!this.plan) throw new AppError('internal', 'Claude is started before it was prepared.');
    const trustCheckout = configuration === 'checkout';
    const trusted = trustCheckout ? null : configuration;
    const told = { systemAppend, forwarded, transcript: continuation?.transcript ?? null };
    const plan: SessionPlan = { ...this.plan, ...told, trustCheckout, trusted };
    this.session = await openSession(plan, {
      signal: this.signal,
      onSpawn: (pid) => {
        this.pid = pid;
        door.remember('claude', { pid });
      },
      onMessage: (message) => {
        if (this.messages.length === 0) this.options.onFirstMessage();
        this.messages.push(message);
        door.seen(message);
      },
    });
  }

  /** Works on the prompt until the end, at most `timeout_minutes` long. */
  async work(prompt: Prompts): Promise<SessionResult> {
    this.signal.throwIfAborted();
    if (!this.session) throw new AppError('internal', 'Claude is given a prompt before it was started.');
    const minutes = this.options.door.config.timeoutMinutes;
    const expire = () =>
      this.limit.abort(
        new AppError('timed_out', `Claude worked longer than \`timeout_minutes\` (${minutes}).`),
      );
    const timer = minutes === null ? null : setTimeout(expire, minutes * 60_000);
    try {
      const result = await this.session.run(prompt);
      return (await this.anew(result, prompt)) ?? result;
    } finally {
      if (timer) clearTimeout(timer);
      await this.end();
      const denied = deniedNote(this.messages);
      if (denied) this.options.door.note(denied);
    }
  }

  /** A conversation that Claude Code does not take up is no reason to do nothing. Null for every other end. */
  private async anew({ reason }: SessionResult, prompt: Prompts): Promise<SessionResult | null> {
    const continuation = this.beginning?.continuation;
    const isRefused = reason === 'claude_crashed' && !this.messages.some(isInit);
    if (!this.beginning || !prompt.anew || !isRefused || !continuation?.beginAnew()) return null;
    await this.begin(this.beginning);
    return this.session!.run(prompt.anew);
  }

  /** Says more while Claude works; false when it is over and nobody has heard it. */
  async send(words: FurtherWords): Promise<boolean> {
    return this.session?.send(words) ?? false;
  }

  /** Gives the checkout to its former owners and ends the fence; the last thing, when nobody needs either any more. */
  async closeFence(): Promise<void> {
    await this.fence?.giveBackWorkspace();
    await this.fence?.close();
    await rm(configurationPath(this.options.door.scratch), { recursive: true, force: true, maxRetries: 3 });
  }

  /** Ends Claude and everything that it has started; one that is only about to start never does. */
  async end(): Promise<void> {
    this.limit.abort(new AppError('cancelled', 'Claude was ended.'));
    this.identity?.close();
    await endProcesses(this.options.door.mark, this.pid);
  }

  /** The job's identity as the model's credential, where that is what the settings say. */
  private async openIdentity(): Promise<Identity | null> {
    const { config, job, oidc, scratch, addSecret, warn } = this.options.door;
    const { identity } = chooseCredential(config, job);
    if (!identity) return null;
    const mint = async () => {
      const token = await requestOidcToken(oidc, identity.audience);
      addSecret(token);
      return token;
    };
    const onProblem = ({ message }: Error) => warn(`The identity token was not renewed: ${message}`);
    this.identity = await openIdentity({ mint, scratch, onProblem });
    return this.identity;
  }

  /** From what the workflow names, before Claude has read anything. */
  private async installPlugins(
    settings: ClaudeSettings,
    checkout: Promise<Checkout>,
    executable: Promise<string>,
  ): Promise<string[]> {
    const { config, directory, scratch } = this.options.door;
    if (config.plugins.length === 0) return [];
    const configuration = await openPlace(pluginsPath(scratch));
    return installPlugins({
      executable: await executable,
      marketplaces: config.pluginMarketplaces,
      plugins: config.plugins,
      ...{ configuration, directory, signal: this.signal },
      trustCheckout: (await checkout).isTrusted,
      environment: settings.environment,
    });
  }

  private find(): Promise<string> {
    const { config, job, toolCache, scratch, directory, log } = this.options.door;
    return findClaude({
      given: config.pathToClaudeCodeExecutable,
      version: config.claudeCodeVersion,
      directory,
      job,
      toolCache,
      scratch,
      log,
    });
  }
}

function isInit(message: unknown): boolean {
  const { type, subtype } = message as { type?: string; subtype?: string };
  return type === 'system' && subtype === 'init';
}

/** Behind the fence nothing needs to be named unreadable: what should not be read is not there. */
function inFence<Plan extends Pick<SessionPlan, 'allowedTools' | 'disallowedTools' | 'environment'>>(
  plan: Plan,
  fence: OpenFence | null,
  allowBash: boolean,
): Plan {
  if (!fence) return plan;
  const allowedTools = [...plan.allowedTools, ...(allowBash ? ['Bash'] : [])];
  return { ...plan, environment: fence.claudeEnvironment, disallowedTools: [], allowedTools };
}
