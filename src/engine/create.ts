/** The composition root: makes the steps of one run and hands each of them what it needs, and no more. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommentRef } from '../github/comments.ts';
import { fetchViewer } from '../github/permissions.ts';
import type { PromptFacts } from '../prompt/sections.ts';
import type { Shelf } from '../prompt/shelf.ts';
import type { TrackingComment } from '../report/comment.ts';
import { reportTo } from '../report/reporter.ts';
import { AppError } from '../words/errors.ts';
import type { PublishedBranch, Reporter, Result } from '../words/result.ts';
import { dispatchOf, hasBranch, type Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import type { Identity } from '../workspace/git.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Backend } from './backend.ts';
import { type BranchPlan, isMadeHere, planBranch, tipOf } from './branch-plan.ts';
import { notesOn, type Prepared, prepareCheckout, takeOver } from './checkout.ts';
import { wantsGitHubToken } from './claude.ts';
import { type Checkout, ClaudeRun, type Prompts } from './claude-run.ts';
import type { Connection } from './connect.ts';
import { type Gathered, gatherThread } from './context.ts';
import { onEarlierBranch } from './conversation/branch.ts';
import type { Continuation } from './conversation/continuation.ts';
import { openContinuation } from './conversation/open.ts';
import { onNamedBranch } from './dispatch.ts';
import type { Door } from './door.ts';
import { GitHubMcp } from './github-mcp.ts';
import { identityOf } from './identity.ts';
import { branchLinks } from './links.ts';
import { promptFor, systemFor } from './prompt.ts';
import { openPullRequest, type Said } from './pull-request/pull-request.ts';
import { commentOf, reactionOf, wantsSticky } from './reporters.ts';
import type { Outcome } from './results.ts';
import { type Review, reviewOf } from './review/review.ts';
import { imagesPath, openPlace } from './scratch.ts';
import { signingOf } from './signing.ts';
import { aloneOnThread, type ThreadRuns, threadRunsOf } from './thread/thread-runs.ts';
import { toolServers } from './tools.ts';
import { baseConfiguration, type Configuration, configurationFacts } from './trusted-config.ts';

/**
 * Milliseconds that the first requests to GitHub need to leave. Starting Claude keeps this process busy for 60 ms, and
 * people should see the comment first.
 */
const untilRequestsLeft = 8;

/** The steps of one run, in the order in which `handle` takes them. */
export class Run {
  private workspace: Workspace | null = null;
  private takingOver: Promise<Checkout> | null = null;
  private comment: TrackingComment | null = null;
  private reaction: Reporter | null = null;
  /** The other runs of the same issue or pull request. */
  threadRuns: ThreadRuns = aloneOnThread;
  private claude: ClaudeRun | null = null;
  private readonly githubMcp: GitHubMcp;
  private checkout: Prepared | null = null;
  private configuration: Configuration = null;
  private configuring: Promise<Configuration> | null = null;
  private servers: ToolServer[] = [];
  /** What the prompt was made of, for what Claude asks besides. */
  private shelf: Shelf | null = null;
  private continuing: Promise<Continuation | null> = Promise.resolve(null);
  private gathered: Gathered = null;
  private readonly review: Review | null;
  /** How Claude describes the pull request that its work ends in. */
  private said: Said | null = null;
  private closed = false;
  private readonly task: Task;
  private readonly door: Door;
  private readonly connection: Connection;
  /** Who dispatched the task and hears of it; null for most. */
  private readonly backend: Backend | null;

  constructor(
    task: Task,
    door: Door,
    { connection, backend }: { connection: Connection; backend: Backend | null },
  ) {
    this.task = task;
    this.door = door;
    this.connection = connection;
    this.backend = backend;
    this.githubMcp = new GitHubMcp(door, connection, () => this.shelf?.markers ?? null);
    this.review = reviewOf({ door, task, connection, gathered: () => this.gathered });
  }

  async openReporters(): Promise<Reporter> {
    const { door, task, connection } = this;
    const ownLogin = wantsSticky(door, task) ? ((await fetchViewer(connection.client))?.login ?? null) : null;
    this.comment = commentOf(door, task, connection, ownLogin);
    this.reaction = reactionOf(door, task, connection);
    this.threadRuns = threadRunsOf({ door, task, connection, comment: this.comment });
    // Before Claude can say anything.
    await this.backend?.started();
    const all = [this.comment, this.reaction, ...this.threadRuns.reporters];
    return reportTo(
      all.filter((reporter) => reporter !== null),
      door.warn,
    );
  }

  /** Takes the checkout over and starts Claude in it, which waits for its prompt. */
  async startClaude(report: Reporter, started: Promise<void>): Promise<ClaudeRun> {
    const { door, task } = this;
    this.takingOver = takeOver(door, task).then(({ workspace, ...checkout }) => {
      this.workspace = workspace;
      return checkout;
    });
    this.takingOver.catch(() => {}); // told below
    this.continuing = openContinuation(door, task);
    this.continuing.catch(() => {}); // told below
    await sleep(untilRequestsLeft);
    // Another step may have failed meanwhile: then the checkout is about to have its credentials back.
    if (this.closed) throw new AppError('cancelled', 'The run ended before Claude was started.');
    this.githubMcp.start(this.takingOver);
    const githubToken = wantsGitHubToken(door, task) ? await this.connection.credential.token() : null;
    if (githubToken) door.warn('Claude works with a GitHub token of its own (`claude_github_token`).');
    this.servers = toolServers({
      ...{ door, task, report, connection: this.connection, backend: this.backend },
      review: this.review,
      describe: (said) => {
        this.said = said;
      },
      comment: this.comment,
      checkout: () => this.checkout,
      shelf: () => this.shelf,
    });
    this.claude = new ClaudeRun({
      door,
      task,
      servers: this.servers,
      github: githubToken ? { token: githubToken, host: door.host } : null,
      onFirstMessage: () =>
        void started
          .then(() => this.reaction?.progress({ status: 'in_progress', message: '' }))
          .catch(() => {}),
    });
    if (task.mode === 'tag') await openPlace(imagesPath(door.scratch));
    this.configuring = this.configure(this.takingOver);
    this.configuring.catch(() => {}); // told below
    await this.claude.prepare(this.takingOver);
    const configuration = await this.configuring;
    // What it is told about its configuration stands in its prompt, unless that is the workflow's own.
    const systemAppend = systemFor(task, {
      configuration: hasBranch(task) ? null : await this.configurationOf(null),
      steered: this.threadRuns.hearsMore,
    });
    const [forwarded, continuation] = await Promise.all([this.githubMcp.offered(), this.continuing]);
    await this.claude.begin({ systemAppend, configuration, forwarded, continuation });
    return this.claude;
  }

  /** Claude Code reads its configuration when it starts: beside the reading of the thread, as that takes longer. */
  private async configure(takenOver: Promise<Checkout>): Promise<Configuration> {
    const { door, task, connection } = this;
    const { directory, isTrusted } = await takenOver;
    const gitDirectory = join(directory, '.git');
    if (isTrusted) this.configuration = 'checkout';
    else if (this.workspace)
      this.configuration = await baseConfiguration({ door, task, connection, gitDirectory });
    return this.configuration;
  }

  private configurationOf(checkout: Prepared | null): Promise<PromptFacts['configuration']> {
    const head = checkout?.publishing.gate.base ?? this.workspace?.headSha ?? '';
    return configurationFacts(this.configuration, head);
  }

  async gather(): Promise<Gathered> {
    const { door, task, connection } = this;
    if (task.mode !== 'tag' || !task.subject) return null;
    const trackingCommentId = () => this.comment?.ref()?.id ?? null;
    this.gathered = await gatherThread({ door, task, connection, trackingCommentId }, task.subject);
    return this.gathered;
  }

  async prepareCheckout(gathered: Gathered): Promise<Prepared | null> {
    const { door, task, workspace } = this;
    door.signal.throwIfAborted();
    // A dispatch without a thread has not heard yet who it is.
    const viewer = gathered?.viewer ?? (hasBranch(task) ? await fetchViewer(this.connection.client) : null);
    const identity = identityOf(door, viewer);
    if (!workspace) return null;
    if (!gathered && !hasBranch(task)) {
      await workspace.setIdentity(identity);
      return null;
    }
    const { credential } = this.connection;
    const plan = await this.planBranch(gathered, identity);
    this.checkout = await prepareCheckout({
      door,
      task,
      workspace,
      plan,
      identity,
      token: credential.token,
      stop: async () => this.claude?.end(),
      fence: this.claude?.fence ?? null,
      onPublished: (branch) => this.learnOf(branch, isMadeHere(plan, branch)),
      baseTip: () => tipOf(task, plan.base.ref, this.connection.client),
      secrets: door.secrets,
      signing: signingOf(door.config, { client: this.connection.client, identity }),
    });
    return this.checkout;
  }

  async buildPrompt(gathered: Gathered, checkout: Prepared | null): Promise<Prompts> {
    const { door, task, servers } = this;
    const prompt = promptFor({
      door,
      task,
      gathered,
      checkout,
      servers,
      configuration: await this.configurationOf(checkout),
      earlier: (await this.continuing)?.earlier ?? null,
    });
    this.shelf = prompt.shelf;
    door.log.debug(prompt.text);
    this.backend?.phase('Claude is at work.');
    return prompt;
  }

  async publish(checkout: Prepared | null, lastWords: string): Promise<Omit<Outcome, 'session'>> {
    if (!checkout) return { branch: null, pullRequestUrl: null, publishError: null, notes: [] };
    const { door, task } = this;
    this.backend?.phase('What was done is being published.');
    const { branch, error, notes: left } = await checkout.publisher.finish();
    const notes = [...((await this.continuing)?.notes ?? []), ...notesOn(checkout), ...left];
    const known = { branch, publishError: error, notes, pullRequestUrl: null };
    if (!branch || !isMadeHere(checkout.plan, branch) || door.config.createPullRequest === 'link')
      return known;
    const draft = door.config.createPullRequest === 'draft';
    const text = { said: this.said, lastWords, redact: door.redact };
    const opened = await openPullRequest(this.connection.client, { task, branch, draft, ...text });
    return { ...known, pullRequestUrl: opened.url, notes: [...notes, ...opened.notes] };
  }

  /** What was said, for the next run. Never throws. */
  async keep(result: Result): Promise<void> {
    const continuation = await this.continuing.catch(() => null);
    await continuation?.keep(result);
  }

  /** Posts what Claude has reviewed, however the run ended. Never throws: a failure is part of the answer. */
  async postReview(result: Result): Promise<Result> {
    return this.review ? this.review.post(result) : result;
  }

  get trackingComment(): CommentRef | null {
    return this.comment?.ref() ?? null;
  }

  /** The GitHub token that was used. */
  get token(): string {
    return this.connection.token;
  }

  /** Claude Code's own messages. */
  get messages(): readonly unknown[] {
    return this.claude?.messages ?? [];
  }

  /** Ends what still runs and gives the checkout back. Never throws. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.claude?.end().catch(() => {}), this.githubMcp.end()]);
    // Another step may have failed while these were under way; what they took over or made goes all the same.
    await this.takingOver?.catch(() => {});
    await this.configuring?.catch(() => {});
    const problems = (await this.workspace?.restore().catch((error: Error) => [error.message])) ?? [];
    for (const problem of problems) this.door.warn(problem);
    await this.claude?.closeFence().catch((error: Error) => this.door.warn(error.message));
  }

  /** The tracking comment links to the branch from its first push on. */
  private learnOf(branch: PublishedBranch, isNew: boolean): void {
    this.comment?.learn(branchLinks(this.door.host.serverUrl, this.task, { branch, isNew }));
  }

  private async planBranch(gathered: Gathered, identity: Identity): Promise<BranchPlan> {
    const { task, door, connection } = this;
    const { client } = connection;
    const plan = await planBranch({ task, thread: gathered?.thread ?? null, config: door.config }, client);
    const branch = dispatchOf(task)?.branch;
    if (branch && !plan.head) return onNamedBranch(plan, { branch, task, identity }, client);
    const earlier = (await this.continuing)?.earlier?.branch?.name;
    return earlier ? onEarlierBranch(plan, { branch: earlier, task, identity }, client) : plan;
  }
}
