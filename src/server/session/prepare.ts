/** Makes ready what Claude works in and on: mirror, branch, draft pull request, workspace and gate; each step once. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FetchedThread } from '../../context/fetch.ts';
import { type BranchPlan, planBranch } from '../../engine/branch-plan.ts';
import { type Prepared, prepareCheckout, reopenCheckout, type Started } from '../../engine/checkout.ts';
import { identityOf } from '../../engine/identity.ts';
import type { Publishing } from '../../engine/publish.ts';
import { openDraft } from '../../engine/pull-request/issue-pull-request.ts';
import type { Fence } from '../../words/fence.ts';
import type { PublishedBranch } from '../../words/result.ts';
import { Secret } from '../../words/secret.ts';
import { cloneWorkspace } from '../../workspace/clone.ts';
import { mirrorTip, updateMirror } from '../../workspace/mirror.ts';
import { readTemplate } from '../../workspace/mirror-files.ts';
import { openIssueBranch } from '../../workspace/opening.ts';
import { mirrorDirectory, removeWorkspace } from '../../workspace/places.ts';
import { openWorkspace } from '../../workspace/workspace.ts';
import { placeName } from '../data-directory.ts';
import { exclusively } from '../store/exclusive.ts';
import { changeThread } from '../store/session-threads.ts';
import { keep, kept, type SessionContext, tell } from './context.ts';

/** What the first turn and all later ones need. */
export interface Ready {
  checkout: Prepared;
  mirror: string;
  /** The pull request template of the base, when there is one. */
  template: string | null;
  /** True when Claude has not had this workspace before. */
  isFresh: boolean;
}

export interface PrepareOptions {
  /** The thread as GitHub has it now; asked for at most once, and only when it is needed. */
  gather(): Promise<FetchedThread>;
  /** Called once the workspace is there, before anything of Claude's can be. */
  openFence(): Promise<Fence | null>;
  onPublished(branch: PublishedBranch): void;
}

/** Every step looks first whether an earlier session has taken it. @throws AppError, LeaseLost */
export async function prepare(context: SessionContext, options: PrepareOptions): Promise<Ready> {
  const { thread, door } = context;
  await mkdir(door.scratch, { recursive: true, mode: 0o700 });
  const mirror = mirrorDirectory(context.configuration.server.dataDir, thread.repository);
  const [plan] = await Promise.all([
    kept<BranchPlan>(context, 'plan') ?? makePlan(context, options),
    refreshMirror(context, mirror),
  ]);
  // The base may have been rewritten since the thread began.
  if (!(await mirrorTip(mirror, plan.base.sha))) await refreshMirror(context, mirror, plan.base.sha);
  const branchIsNew =
    thread.kind === 'issue' && !thread.branch && (await openBranch(context, { plan, mirror }));
  const template = thread.kind === 'issue' ? await readTemplate(mirror, plan.base.sha) : null;
  const steps = [
    openWorkingCopy(context, { ...options, plan, mirror }),
    openPullRequest(context, plan, { template, branchIsNew }),
  ] as const;
  // Each to its end, also when the other fails: what it opened is known then.
  await Promise.allSettled(steps);
  const [{ checkout, isFresh }] = await Promise.all(steps);
  await tell(context, 'prepared', { branch: checkout.branch, pullRequest: thread.pullUrl });
  return { checkout, mirror, template, isFresh };
}

async function makePlan(context: SessionContext, { gather }: PrepareOptions): Promise<BranchPlan> {
  const { thread } = await gather();
  const { task, door, connection } = context;
  const plan = await planBranch({ task, thread, config: door.config }, connection.client);
  await keep(context, 'plan', plan);
  return plan;
}

async function remoteOf({ door, connection, thread }: SessionContext) {
  return {
    url: `${door.host.serverUrl}/${thread.repository}.git`,
    token: new Secret(await connection.credential.token()),
  };
}

async function refreshMirror(context: SessionContext, directory: string, wanted?: string): Promise<void> {
  const { database, door, host, thread } = context;
  await updateMirror({
    directory,
    remote: await remoteOf(context),
    ...(thread.kind === 'pull_request' && { pulls: [thread.number] }),
    ...(wanted && { commits: [wanted] }),
    exclusive: (work) => exclusively(database, `mirror ${host} ${directory}`, work),
    environment: door.job,
    signal: door.signal,
  });
}

/** True when no earlier process can have seen it. */
async function openBranch(
  context: SessionContext,
  { plan, mirror }: { plan: BranchPlan; mirror: string },
): Promise<boolean> {
  const { door, thread, database, held } = context;
  const opened = await openIssueBranch({
    mirror,
    remote: await remoteOf(context),
    candidates: plan.targets.map(({ branch }) => branch),
    base: plan.base,
    neverTo: plan.neverTo.map(({ branch }) => branch),
    identity: identityOf(door, null),
    message: `Start work on ${thread.key}`,
    mark: thread.key,
    environment: door.job,
    signal: door.signal,
  });
  // Before the row names the branch: who finds the row finds the commit that it began with.
  await keep(context, 'opening', opened.opening);
  await changeThread(database, held, { branch: opened.branch });
  thread.branch = opened.branch;
  return opened.isNew;
}

async function openPullRequest(
  context: SessionContext,
  plan: BranchPlan,
  { template, branchIsNew }: { template: string | null; branchIsNew: boolean },
): Promise<void> {
  const { connection, task, thread, database, held } = context;
  if (thread.kind !== 'issue' || thread.pullNumber) return;
  const opened = await openDraft(connection.client, {
    task,
    branch: thread.branch!,
    base: plan.base.ref,
    template,
    branchIsNew,
  });
  await changeThread(database, held, { pullNumber: opened.number, pullUrl: opened.url });
  thread.pullNumber = opened.number;
  thread.pullUrl = opened.url;
  await tell(context, 'pull_request', { url: opened.url, notes: opened.notes });
}

interface WorkingCopyRequest extends PrepareOptions {
  plan: BranchPlan;
  mirror: string;
}

/** The workspace that an earlier session has left here, or a new one at what is published. */
async function openWorkingCopy(
  context: SessionContext,
  request: WorkingCopyRequest,
): Promise<{ checkout: Prepared; isFresh: boolean }> {
  const { door, thread } = context;
  const place = placeName(context.configuration.server.dataDir);
  const publishing = kept<Publishing>(context, 'publishing');
  const plan = withOwnBranchFirst(request.plan, thread);
  const common = {
    door,
    plan,
    token: () => context.connection.credential.token(),
    // The turn is over when its work is published; what still runs in the background may go on.
    stop: async () => {},
    onPublished: (branch: PublishedBranch) => request.onPublished(branch),
    secrets: door.secrets,
  };
  const isHere = thread.workspaceHost === place && (await exists(join(door.directory, '.git')));
  if (publishing && isHere && (await exists(publishing.gate.directory))) {
    const fence = await request.openFence();
    return { checkout: reopenCheckout({ ...common, publishing, fence }), isFresh: false };
  }

  await removeWorkspace(door.directory);
  const started = await makeWorkingCopy(context, { ...request, plan });
  const workspace = await openWorkspace({
    directory: door.directory,
    scratch: door.scratch,
    environment: door.job,
    signal: door.signal,
  });
  const { task } = context;
  const fence = await request.openFence();
  const identity = identityOf(door, null);
  const checkout = await prepareCheckout({
    ...common,
    fence,
    task,
    workspace,
    identity,
    ...(started && { started }),
  });
  // What Claude had here and has not pushed is gone; it is told, until a turn has ended in the new workspace.
  if (thread.claudeSessionId) await keep(context, 'moved', true);
  await keep(context, 'publishing', checkout.publishing);
  await changeThread(context.database, context.held, { workspaceHost: place });
  thread.workspaceHost = place;
  return { checkout, isFresh: true };
}

/** For an issue the clone stands on its branch already; a pull request's head is fetched as the pinned commit. */
async function makeWorkingCopy(
  context: SessionContext,
  { plan, mirror }: WorkingCopyRequest,
): Promise<Started | null> {
  const { door, thread } = context;
  const tip = thread.branch ? await mirrorTip(mirror, `refs/heads/${thread.branch}`) : null;
  const opening = kept<string>(context, 'opening');
  const sha = tip ?? opening ?? plan.base.sha;
  const branch = thread.kind === 'issue' ? thread.branch! : `start-${randomBytes(4).toString('hex')}`;
  await cloneWorkspace({
    mirror,
    directory: door.directory,
    branch,
    sha: thread.kind === 'issue' ? sha : plan.base.sha,
    base: plan.base,
    originUrl: `${door.host.serverUrl}/${thread.repository}.git`,
    identity: null,
    environment: door.job,
    signal: door.signal,
  });
  return thread.kind === 'issue' ? { branch, sha, moved: false } : null;
}

function withOwnBranchFirst(plan: BranchPlan, { branch, repository }: SessionContext['thread']): BranchPlan {
  if (!branch) return plan;
  const own = { repository, branch };
  return { ...plan, targets: [own, ...plan.targets.filter((target) => target.branch !== branch)] };
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
