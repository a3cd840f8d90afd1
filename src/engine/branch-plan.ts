/** Where the work of a task happens and where it may be published: decided once, before Claude has the checkout. */
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/client.ts';
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import type { Task } from '../words/task.ts';
import type { Thread } from '../words/thread.ts';
import { branchName } from '../workspace/branch.ts';
import type { Target } from '../workspace/gate-state.ts';

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
}

/** @throws AppError `invalid_input` for a base branch that does not exist or a name that Git refuses. */
export async function planBranch(
  { task, thread, config }: { task: Task; thread: Thread; config: Config },
  client: GitHubClient,
): Promise<BranchPlan> {
  const repository = `${task.repository.owner}/${task.repository.name}`;
  const pullRequest = thread.state === 'open' ? thread.pullRequest : null;
  const base = pullRequest ? pullRequest.base : await newBase(task, { thread, config }, client);
  const name = branchName({
    prefix: config.branchPrefix,
    template: config.branchNameTemplate,
    subject: { kind: thread.kind, number: thread.number, title: thread.title, labels: thread.labels },
    sha: base.sha,
    now: new Date(),
  });
  const fresh = [name, `${name}-2`, `${name}-3`].map((branch) => ({ repository, branch }));
  const neverTo = [base.ref, thread.defaultBranch.name]
    .filter(Boolean)
    .map((branch) => ({ repository, branch }));
  if (!pullRequest) return { base, head: null, targets: fresh, neverTo, isNew: true };

  const head = {
    ref: pullRequest.head.ref,
    sha: task.subject?.head?.sha ?? pullRequest.head.sha,
    fork: pullRequest.fork,
    commitCount: pullRequest.commitCount,
  };
  const own = pullRequest.fork
    ? pullRequest.maintainerCanModify && pullRequest.head.repository
      ? [{ repository: pullRequest.head.repository, branch: head.ref }]
      : []
    : [{ repository, branch: head.ref }];
  return { base, head, targets: [...own, ...fresh], neverTo, isNew: own.length === 0 };
}

/** True for a branch that the run has made; false for the pull request's own. */
export function isMadeHere(
  { head, isNew, targets }: BranchPlan,
  branch: { repository: string; name: string },
): boolean {
  const [own] = targets;
  return head === null || isNew || branch.repository !== own?.repository || branch.name !== own.branch;
}

async function newBase(
  task: Task,
  { thread, config }: { thread: Thread; config: Config },
  client: GitHubClient,
): Promise<{ ref: string; sha: string }> {
  const { name, sha } = thread.defaultBranch;
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
  try {
    const found = await client.rest<{ object: { sha: string } }>('GET /repos/{owner}/{repo}/git/ref/{ref}', {
      owner: task.repository.owner,
      repo: task.repository.name,
      ref: `heads/${ref}`,
    });
    return { ref, sha: found.object.sha };
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    throw new AppError('invalid_input', `Input \`base_branch\`: there is no branch \`${ref}\`.`, {
      cause: error,
    });
  }
}
