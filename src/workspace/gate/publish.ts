/** The one order in which work leaves: used by the tool that Claude calls, at the end of a run, and by post. */

import type { Remote } from '../remote.ts';
import { advance } from './advance.ts';
import { checkCommits } from './checks.ts';
import type { GateContext, Target } from './gate-state.ts';
import { takeCommits } from './import.ts';
import { commitLeftovers, type LeftoverRequest } from './leftovers.ts';
import { pushCommit } from './push.ts';
import type { LeftOut } from './work-tree.ts';

export interface PublishRequest {
  target: Target;
  remote: Remote;
  /** What the target holds already, when it is not what the gate was made for (the fallback of a fork's branch). */
  trusted?: string[];
  /** At the end of a run; null while Claude still works, as its own next commit would not build on this one. */
  leftovers: LeftoverRequest | null;
  /** Ends the processes that could still change the workspace. */
  stop?: () => Promise<void>;
  retryDelaysMs?: number[];
  /** Milliseconds that one attempt to push may take. */
  pushTimeoutMs?: number;
}

export interface Published {
  /** `moved`: the branch on GitHub has other commits; nothing was changed there. */
  outcome: 'pushed' | 'nothing' | 'moved';
  /** What the branch is at; for `moved` what it should have been. */
  sha: string;
  /** Commits that the target did not have. */
  commits: number;
  target: Target;
  /** Commits that should be signed by GitHub and are not. */
  unverified?: string[];
  /** For `moved`: what others have changed too, where only that is in the way. */
  conflicts?: string[];
  /** Commits of others that this was put on top of, and that the checkout does not have. */
  joined?: number;
  /** Uncommitted work that was not published, and why. */
  left: LeftOut[];
}

/** @throws AppError `gate_refused`, `github_auth`, `github_unavailable`, `git_failed`; then nothing was published. */
export async function publish(context: GateContext, request: PublishRequest): Promise<Published> {
  const { target, remote, trusted, retryDelaysMs, pushTimeoutMs } = request;
  await request.stop?.();
  const taken = await takeCommits(context);
  const leftovers = request.leftovers && (await commitLeftovers(context, taken.sha, request.leftovers));
  const sha = leftovers?.sha ?? taken.sha;
  const left = leftovers?.left ?? [];
  if (!taken.isNew && sha === taken.sha) return { outcome: 'nothing', sha, commits: 0, target, left };
  await checkCommits(context, sha, trusted);
  const pushed = await pushCommit(context, {
    target,
    remote,
    sha,
    trusted,
    retryDelaysMs,
    timeoutMs: pushTimeoutMs,
  });
  if (pushed.outcome === 'moved') return { ...pushed, sha, commits: 0, target, left };
  if (request.leftovers?.named) await advance(context, { sha, parent: taken.sha });
  return { ...pushed, target, left };
}
