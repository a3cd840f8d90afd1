/** Where the work of a task happens and where it may be published: decided once, before Claude has the checkout. */
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/client.ts';
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import type { Task } from '../words/task.ts';
import type { PullRequestFacts, Thread } from '../words/thread.ts';
import { branchNames } from '../workspace/branch.ts';
import { isSameTarget, type Target } from '../workspace/gate/gate-state.ts';

export interface BranchPlan {
  /** The branch that the work will be merged into, and its tip. */
  base: { ref: string; sha: string };
  /** The open pull request's head that is worked on; null for a new branch. */
  head: { ref: string; sha: string; fork: boolean; commitCount: number } | null;
  /** Wanted first; the others serve when that one has moved or may not be written. */
  targets: Target[];
  neverTo: Target[];
  /** True when the work goes to a branch of its own: for an issue, and for a fork that takes no pushes. */
  isNew: boolean;
  /** True for a branch that is there already and that an earlier run has made. */
  isOurs?: boolean;
}

/**
 * @param request.thread null for a task without an issue or pull request
 * @throws AppError `invalid_input` for a base branch that does not exist or a name that Git refuses.
 */
export async function planBranch(
  { task, thread, config }: { task: Task; thread: Thread | null; config: Config },
  client: GitHubClient,
): Promise<BranchPlan> {
  const repository = `${task.repository.owner}/${task.repository.name}`;
  const pullRequest = thread?.state === 'open' ? thread.pullRequest : null;
  const defaultBranch = thread?.defaultBranch ?? (await fetchDefaultBranch(task, client));
  const base = pullRequest ? pullRequest.base : await newBase(task, { defaultBranch, config }, client);
  const neverTo = [base.ref, defaultBranch.name].filter(Boolean).map((branch) => ({ repository, branch }));
  const mayBeWritten = (target: Target) => !neverTo.some((never) => isSameTarget(never, target));
  const naming = { prefix: config.branchPrefix, template: config.branchNameTemplate, subject: thread };
  const fresh = branchNames({ ...naming, sha: base.sha, now: new Date() })
    .map((branch) => ({ repository, branch, isNew: true }))
    .filter(mayBeWritten);
  if (!pullRequest) return { base, head: null, targets: fresh, neverTo, isNew: true };

  const head = {
    ref: pullRequest.head.ref,
    sha: task.subject?.head?.sha ?? pullRequest.head.sha,
    fork: pullRequest.fork,
    commitCount: pullRequest.commitCount,
  };
  // The default branch may be a pull request's head, too (`develop` into `main`): then the work goes beside it.
  const own = ownTargets(pullRequest, repository).filter(mayBeWritten);
  return { base, head, targets: [...own, ...fresh], neverTo, isNew: own.length === 0 };
}

/** The pull request's own branch, where it may be written; none of a fork that takes no pushes or was deleted. */
function ownTargets({ head, fork, maintainerCanModify }: PullRequestFacts, repository: string): Target[] {
  if (!fork) return [{ repository, branch: head.ref }];
  return maintainerCanModify && head.repository ? [{ repository: head.repository, branch: head.ref }] : [];
}

/** True for a branch that this run or an earlier one has made; false for the pull request's own. */
export function isMadeHere(
  { head, isNew, isOurs, targets }: BranchPlan,
  branch: { repository: string; name: string } | null,
): boolean {
  if (!branch) return false;
  const [own] = targets;
  return (
    head === null ||
    isNew ||
    isOurs === true ||
    branch.repository !== own?.repository ||
    branch.name !== own.branch
  );
}

async function newBase(
  task: Task,
  { defaultBranch, config }: { defaultBranch: Thread['defaultBranch']; config: Config },
  client: GitHubClient,
): Promise<{ ref: string; sha: string }> {
  const { name, sha } = defaultBranch;
  const ref = config.baseBranch ?? name;
  if (ref === name) {
    if (sha) return { ref, sha };
    throw new AppError(
      'invalid_input',
      `The repository ${task.repository.owner}/${task.repository.name} has no commits yet.`,
      {
        remedy: 'Push a first commit to the default branch.',
      },
    );
  }
  const tip = await tipOf(task, ref, client);
  if (tip) return { ref, sha: tip };
  throw new AppError('invalid_input', `Input \`base_branch\`: there is no branch ${shown(ref)}.`);
}

async function fetchDefaultBranch(task: Task, client: GitHubClient): Promise<Thread['defaultBranch']> {
  const { owner, name: repo } = task.repository;
  const { default_branch: name } = await client.rest<{ default_branch: string }>(
    'GET /repos/{owner}/{repo}',
    { owner, repo },
  );
  return { name, sha: await tipOf(task, name, client) };
}

/** Null when there is no such branch. */
export async function tipOf(
  { repository }: Task,
  branch: string,
  client: GitHubClient,
): Promise<string | null> {
  const { owner, name: repo } = repository;
  const place = { owner, repo, ref: `heads/${branch}` };
  try {
    const found = await client.rest<{ object: { sha: string } }>(
      'GET /repos/{owner}/{repo}/git/ref/{ref}',
      place,
    );
    return found.object.sha;
  } catch (error) {
    // 409: the repository has no commits yet.
    if (statusOf(error) === 404 || statusOf(error) === 409) return null;
    throw error;
  }
}
