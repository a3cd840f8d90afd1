/** The checkout of one run: taken over, put on its branch, guarded by its gate, and given back. */
import { AppError } from '../words/errors.ts';
import type { Fence } from '../words/fence.ts';
import type { PublishedBranch } from '../words/result.ts';
import { Secret } from '../words/secret.ts';
import { shown } from '../words/shown.ts';
import { hasBranch, type Task } from '../words/task.ts';
import { createGate, openGate } from '../workspace/gate/gate.ts';
import type { Identity } from '../workspace/git.ts';
import type { Signing } from '../workspace/signing/signing.ts';
import { openWorkspace, type Workspace } from '../workspace/workspace.ts';
import type { BranchPlan } from './branch-plan.ts';
import type { Door } from './door.ts';
import {
  createPublisher,
  type Publisher,
  type PublisherOptions,
  type Publishing,
  patchPath,
} from './publish.ts';
import { trustsCheckout } from './trusted-config.ts';

/** A branch needs a checkout; a prompt alone takes one over when there is one. Answers where Claude works. */
export async function takeOver(
  door: Door,
  task: Task,
): Promise<{ workspace: Workspace | null; directory: string; isTrusted: boolean }> {
  try {
    const workspace = await openCheckout(door);
    const { directory, headSha } = workspace;
    return { workspace, directory, isTrusted: trustsCheckout(task, door, headSha) };
  } catch (error) {
    const needed = hasBranch(task) || !(error instanceof AppError) || error.reason !== 'invalid_input';
    if (needed) throw error;
    door.log.info('There is no checkout; Claude works in the directory as it is.');
    return { workspace: null, directory: door.directory, isTrusted: trustsCheckout(task, door, null) };
  }
}

/** Takes the checkout over: from here on it holds no credential. Needs no network. */
function openCheckout(door: Door): Promise<Workspace> {
  return openWorkspace({
    directory: door.directory,
    scratch: door.scratch,
    environment: door.job,
    signal: door.signal,
    onSaved: (saved) => door.remember('checkout', saved),
  });
}

/** A checkout on its branch, ready for Claude. */
export interface Prepared {
  /** The local branch that Claude works on. */
  branch: string;
  /** True when the pull request's branch has commits that are newer than the trigger; they are not taken in. */
  moved: boolean;
  plan: BranchPlan;
  publisher: Publisher;
  /** What a later process needs to go on publishing. */
  publishing: Publishing;
}

export interface PrepareRequest {
  door: Door;
  task: Task;
  workspace: Workspace;
  plan: BranchPlan;
  identity: Identity;
  token(): Promise<string>;
  /** Ends the processes of this run. */
  stop(): Promise<void>;
  /** Where the base branch is by now, to say at the end whether the work merges with it. */
  baseTip?(): Promise<string | null>;
  /** Told after each push. */
  onPublished(branch: PublishedBranch): void;
  secrets(): Iterable<string>;
  /** What Claude works in, and what its commits are taken through; null where there is none. */
  fence: Fence | null;
  /** How what is published gets signed; not at all unless told. */
  signing?: Signing | null;
  /** Set when the checkout stands on its branch already, at this commit. */
  started?: Started;
}

/** Where the checkout stands before Claude has it. */
export interface Started {
  branch: string;
  sha: string;
  /** True when the pull request's branch on GitHub has newer commits. */
  moved: boolean;
}

/** @throws AppError `invalid_input` for a deleted branch or files in the way; `git_failed`, `github_*`. */
export async function prepareCheckout(request: PrepareRequest): Promise<Prepared> {
  const { door, task, workspace, plan } = request;
  // Only these: what the gate is told is written down for `post`.
  const { protectedPaths, allowProtectedPaths, maxChangedFiles, maxFileKib } = door.config;
  await workspace.setIdentity(request.identity);
  const started = request.started ?? (await putOnBranch(request));
  const gate = await createGate({
    workspace: workspace.directory,
    scratch: door.scratch,
    branch: started.branch,
    base: started.sha,
    trusted: [plan.base.sha],
    // What a fork proposes is new to this repository: on a branch here, its workflows would run with our secrets.
    baseIsTrusted:
      !plan.head?.fork || plan.targets[0]?.repository !== `${task.repository.owner}/${task.repository.name}`,
    targets: plan.targets,
    neverTo: plan.neverTo,
    limits: { protectedPaths, allowProtectedPaths, maxChangedFiles, maxFileKib },
    environment: door.job,
    secrets: request.secrets,
    fence: request.fence,
    signing: request.signing,
  });
  await request.fence?.takeWorkspace();
  const publishing = {
    gate: gate.state,
    serverUrl: door.host.serverUrl,
    base: plan.base,
    identity: request.identity,
    leftoverMessage: `Keep what was left uncommitted for ${task.key}`,
    patchFile: patchPath(door.temp, door.run),
  };
  door.remember('publishing', publishing);
  return { ...started, plan, publishing, publisher: publisherOf(request, { publishing, gate }) };
}

/** A checkout that Claude has had already: its gate is opened again, and no git runs in it. */
export function reopenCheckout(
  request: Omit<PrepareRequest, 'workspace' | 'identity' | 'started' | 'task'> & { publishing: Publishing },
): Prepared {
  const { door, plan, publishing, secrets, fence } = request;
  const options = { environment: door.job, signal: door.signal, secrets, fence };
  const gate = openGate(publishing.gate, options);
  return {
    branch: publishing.gate.branch,
    moved: false,
    plan,
    publishing,
    publisher: publisherOf(request, { publishing, gate }),
  };
}

function publisherOf(
  { door, plan, token, stop, onPublished, baseTip }: Omit<PrepareRequest, 'workspace' | 'identity' | 'task'>,
  of: Pick<PublisherOptions, 'publishing' | 'gate'>,
): Publisher {
  const at = plan.neverTo.find(({ branch }) => branch === plan.base.ref);
  const base = at && baseTip && { repository: at.repository, tip: baseTip };
  return createPublisher({ ...of, token, stop, onPublished, log: door.log, ...(base && { base }) });
}

/** What a reader should know of the branch that was worked on. */
export function notesOn({ moved, plan }: Prepared): string[] {
  if (!moved || !plan.head) return [];
  return [
    `${shown(plan.head.ref)} has newer commits than the request; they were not looked at. Ask again to have them taken in.`,
  ];
}

async function putOnBranch({ door, task, workspace, plan, token }: PrepareRequest): Promise<Started> {
  const { owner, name } = task.repository;
  const remote = { url: `${door.host.serverUrl}/${owner}/${name}.git`, token: new Secret(await token()) };
  if (plan.head === null) {
    const { ref: baseRef, sha: baseSha } = plan.base;
    const wanted = plan.targets[0]!.branch;
    const branch = await workspace.startBranch({ branch: wanted, baseRef, baseSha, remote });
    return { branch, sha: plan.base.sha, moved: false };
  }
  const prepared = await workspace.checkoutHead({
    ...plan.head,
    pullNumber: task.subject?.kind === 'pull_request' ? task.subject.number : null,
    baseRef: plan.base.ref,
    baseSha: plan.base.sha,
    remote,
  });
  return { branch: prepared.branch, sha: prepared.sha, moved: prepared.moved };
}
