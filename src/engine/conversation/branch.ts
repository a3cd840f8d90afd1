/** Where the work goes when a conversation goes on: to the branch of before, as long as it is still in the making. */
import type { GitHubClient } from '../../github/client.ts';
import { AppError } from '../../words/errors.ts';
import type { Task } from '../../words/task.ts';
import type { Identity } from '../../workspace/git.ts';
import type { BranchPlan } from '../branch-plan.ts';
import { onNamedBranch } from '../dispatch.ts';

/**
 * The plan on the branch that an earlier run has pushed to. A new one instead of it, as the plan has it, where that branch is
 * gone, merged, or has others' commits, and where its pull request was closed: that work is over.
 */
export async function onEarlierBranch(
  plan: BranchPlan,
  request: { branch: string; task: Task; identity: Identity },
  client: GitHubClient,
): Promise<BranchPlan> {
  if (plan.head) return plan;
  const { owner, name: repo } = request.task.repository;
  const closed = await client.rest<unknown[]>('GET /repos/{owner}/{repo}/pulls', {
    ...{ owner, repo, head: `${owner}:${request.branch}`, state: 'closed', per_page: 1 },
  });
  if (closed.length > 0) return plan;
  try {
    const found = await onNamedBranch(plan, request, client);
    return found.head ? found : plan;
  } catch (error) {
    if (error instanceof AppError && error.reason === 'invalid_input') return plan;
    throw error;
  }
}
