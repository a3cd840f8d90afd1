/** The composition root: makes the steps of one run and hands each of them what it needs, and no more. */
import { mkdirSync } from 'node:fs';
import { findClaude } from '../claude/executable.ts';
import { endProcesses } from '../claude/process.ts';
import type { SessionResult } from '../claude/session.ts';
import { type FetchedThread, fetchThread } from '../context/fetch.ts';
import { filterThread } from '../context/filter.ts';
import { WorkflowNotValidated } from '../github/auth.ts';
import { fetchViewer } from '../github/permissions.ts';
import { commentServer } from '../mcp/comment.ts';
import { filesServer } from '../mcp/files.ts';
import type { TrackingComment } from '../report/comment.ts';
import { reportTo } from '../report/reporter.ts';
import { AppError } from '../words/errors.ts';
import type { GitHubEvent } from '../words/event.ts';
import type { Reporter } from '../words/result.ts';
import type { Decision, Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import type { Identity } from '../workspace/git.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { decideAccess } from './access.ts';
import { planBranch } from './branch-plan.ts';
import { openCheckout, type Prepared, prepareCheckout } from './checkout.ts';
import { checkSettings, claudeSettings, claudeWarnings, toolNames, wantsGitHubToken } from './claude.ts';
import { type Connection, connect } from './connect.ts';
import type { Door } from './door.ts';
import { branchUrl, createPullRequestUrl } from './links.ts';
import { promptFor } from './prompt.ts';
import { openPullRequest } from './pull-request.ts';
import { commentOf, reactionOf, wantsSticky } from './reporters.ts';
import type { Outcome } from './results.ts';

/** What was gathered for tag mode; null in agent mode, which adds nothing to its prompt. */
export type Gathered = FetchedThread | null;

/** The steps of one run, in the order in which `handle` takes them. */
export interface Run {
  checkSettings(): void;
  connect(): Promise<void>;
  decideAccess(): Promise<Decision>;
  openReporters(): Promise<Reporter>;
  gather(): Promise<Gathered>;
  findClaude(): Promise<string>;
  prepareCheckout(gathered: Gathered): Promise<Prepared | null>;
  session(request: SessionRequest): Promise<SessionResult>;
  publish(checkout: Prepared | null): Promise<Omit<Outcome, 'session'>>;
  commentUrl(): string | null;
  /** A "no" that came as an error, because only GitHub could say it. */
  declineOf(error: unknown): Exclude<Decision, { verdict: 'run' }> | null;
  messages: readonly unknown[];
  token(): string | null;
  /** Ends what still runs and gives the checkout back. Never throws. */
  close(): Promise<void>;
}

export interface SessionRequest {
  executable: string;
  thread: Gathered;
  checkout: Prepared | null;
  report: Reporter;
  started: Promise<void>;
}

export function createRun(event: GitHubEvent, task: Task, door: Door): Run {
  return new TaskRun(event, task, door);
}

class TaskRun implements Run {
  readonly messages: unknown[] = [];
  private connection: Connection | null = null;
  private usedToken: string | null = null;
  private workspace: Workspace | null = null;
  private comment: TrackingComment | null = null;
  private reaction: Reporter | null = null;
  private claudePid: number | null = null;
  private readonly event: GitHubEvent;
  private readonly task: Task;
  private readonly door: Door;

  constructor(event: GitHubEvent, task: Task, door: Door) {
    this.event = event;
    this.task = task;
    this.door = door;
    mkdirSync(door.scratch, { recursive: true, mode: 0o700 });
    door.remember('run', { mark: door.mark, scratch: door.scratch });
  }

  checkSettings(): void {
    checkSettings(this.door);
    for (const warning of claudeWarnings(this.door)) this.door.warn(warning);
  }

  async connect(): Promise<void> {
    this.connection = await connect(this.door, this.task);
    this.usedToken = await this.connection.credential.token();
  }

  decideAccess(): Promise<Decision> {
    const { client, credential } = this.connected();
    const tokenGiven = credential.kind === 'given';
    return decideAccess({ event: this.event, task: this.task, client, tokenGiven, config: this.door.config });
  }

  async openReporters(): Promise<Reporter> {
    const connection = this.connected();
    const ownLogin = wantsSticky(this.door, this.task)
      ? ((await fetchViewer(connection.client))?.login ?? null)
      : null;
    this.comment = commentOf(this.door, this.task, connection, ownLogin);
    this.reaction = reactionOf(this.door, this.task, connection);
    return reportTo(
      [this.comment, this.reaction].filter((reporter) => reporter !== null),
      this.door.log,
    );
  }

  async gather(): Promise<Gathered> {
    const { subject, mode, repository } = this.task;
    // The checkout is taken over meanwhile: it needs no network.
    const [, fetched] = await Promise.all([
      this.openCheckout(),
      mode === 'tag' && subject
        ? fetchThread({
            graphql: this.connected().client.graphql,
            repository,
            kind: subject.kind,
            number: subject.number,
          })
        : null,
    ]);
    if (!fetched) return null;
    const { config } = this.door;
    const thread = filterThread({
      ...fetched,
      task: this.task,
      include: config.includeCommentsByActor,
      exclude: config.excludeCommentsByActor,
      trackingCommentId: this.comment?.ref()?.id ?? null,
    });
    return { ...fetched, thread };
  }

  findClaude(): Promise<string> {
    const { config, job, toolCache, scratch, directory, log } = this.door;
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

  async prepareCheckout(gathered: Gathered): Promise<Prepared | null> {
    const { door, task, workspace } = this;
    this.door.signal.throwIfAborted();
    if (!gathered || !workspace) return null;
    const { client, credential } = this.connected();
    const plan = await planBranch({ task, thread: gathered.thread, config: door.config }, client);
    const identity = this.identity(gathered);
    const prepared = await prepareCheckout({
      door,
      task,
      workspace,
      plan,
      identity,
      token: credential.token,
      stop: () => this.endClaude(),
      secrets: () => door.secrets(),
    });
    return prepared;
  }

  async session({ executable, thread, checkout, report, started }: SessionRequest): Promise<SessionResult> {
    const { door, task } = this;
    door.signal.throwIfAborted();
    const token = wantsGitHubToken(door, task) ? await this.connected().credential.token() : null;
    if (token) door.warn('Claude works with a GitHub token of its own (`claude_github_token`).');
    const identity = thread ? this.identity(thread) : null;
    const settings = claudeSettings({ door, task, identity, githubToken: token });
    const servers = this.servers(checkout, report);
    const prompt = promptFor({
      door,
      task,
      gathered: thread,
      checkout,
      servers,
      trustCheckout: settings.trustCheckout,
    });
    const { runSession } = await import('../claude/session.ts');
    const timeout = timeoutOf(door);
    try {
      return await runSession(
        {
          ...settings,
          executable,
          directory: this.workspace?.directory ?? door.directory,
          servers,
          systemAppend: prompt.system,
          allowedTools: [...settings.allowedTools, ...(task.mode === 'tag' ? toolNames(servers) : [])],
        },
        prompt.messages,
        {
          signal: timeout.signal,
          onSpawn: (pid) => {
            this.claudePid = pid;
            door.remember('claude', { pid });
          },
          onMessage: (message) => {
            if (this.messages.length === 0)
              void started
                .then(() => this.reaction?.progress({ status: 'in_progress', message: '' }))
                .catch(() => {});
            this.messages.push(message);
            door.seen(message);
          },
        },
      );
    } finally {
      timeout.clear();
      await this.endClaude();
    }
  }

  async publish(checkout: Prepared | null): Promise<Omit<Outcome, 'session'>> {
    if (!checkout) return { branch: null, pullRequestUrl: null, publishError: null, notes: [] };
    const { branch, error, notes } = await checkout.publisher.finish();
    const { door, task } = this;
    const { serverUrl } = door.host;
    const known = { branch, publishError: error, notes };
    if (!branch) return { ...known, pullRequestUrl: null };
    this.comment?.learn({
      branch: { name: branch.name, url: branchUrl(serverUrl, branch.repository, branch.name) },
    });
    if (!checkout.isNew) return { ...known, pullRequestUrl: null };
    this.comment?.learn({ createPullRequestUrl: createPullRequestUrl(serverUrl, task, branch) });
    if (door.config.createPullRequest === 'link') return { ...known, pullRequestUrl: null };
    const opened = await openPullRequest(this.connected().client, {
      task,
      branch,
      draft: door.config.createPullRequest === 'draft',
    });
    return { ...known, pullRequestUrl: opened.url, notes: [...notes, ...opened.notes] };
  }

  commentUrl(): string | null {
    return this.comment?.ref()?.url ?? null;
  }

  token(): string | null {
    return this.usedToken;
  }

  declineOf(error: unknown): Exclude<Decision, { verdict: 'run' }> | null {
    if (!(error instanceof WorkflowNotValidated)) return null;
    return { verdict: 'ignore', reason: error.reason, message: error.message, facts: [] };
  }

  async close(): Promise<void> {
    await this.endClaude().catch(() => 0);
    const problems = (await this.workspace?.restore().catch((error: Error) => [error.message])) ?? [];
    for (const problem of problems) this.door.warn(problem);
  }

  /** Tag mode needs a checkout; agent mode takes one over when there is one. */
  private async openCheckout(): Promise<void> {
    try {
      this.workspace = await openCheckout(this.door);
    } catch (error) {
      if (this.task.mode === 'tag' || !(error instanceof AppError) || error.reason !== 'invalid_input')
        throw error;
      this.door.log.info('There is no checkout; Claude works in the directory as it is.');
    }
  }

  private servers(checkout: Prepared | null, report: Reporter): ToolServer[] {
    return [
      ...(this.comment ? [commentServer((progress) => report.progress(progress))] : []),
      ...(checkout ? [filesServer(() => checkout.publisher.push())] : []),
    ];
  }

  /** The configured bot; left at its defaults, the login that the credential acts as. */
  private identity({ viewer }: FetchedThread): Identity {
    const { config, host } = this.door;
    const isDefault = config.botId === '41898282' && config.botName === 'claude[bot]';
    const [name, id] =
      isDefault && viewer.login && viewer.id
        ? [viewer.login, String(viewer.id)]
        : [config.botName, config.botId];
    return { name, email: `${id}+${name}@users.noreply.${new URL(host.serverUrl).hostname}` };
  }

  private async endClaude(): Promise<void> {
    await endProcesses(this.door.mark, this.claudePid);
  }

  private connected(): Connection {
    if (!this.connection) throw new AppError('internal', 'GitHub is asked before there is a credential.');
    return this.connection;
  }
}

/** The run's own signal, and a limit on how long Claude may work. */
function timeoutOf(door: Door): { signal: AbortSignal; clear(): void } {
  const minutes = door.config.timeoutMinutes;
  if (minutes === null) return { signal: door.signal, clear: () => {} };
  const limit = new AbortController();
  const timer = setTimeout(
    () =>
      limit.abort(new AppError('timed_out', `Claude worked longer than \`timeout_minutes\` (${minutes}).`)),
    minutes * 60_000,
  );
  return { signal: AbortSignal.any([door.signal, limit.signal]), clear: () => clearTimeout(timer) };
}
