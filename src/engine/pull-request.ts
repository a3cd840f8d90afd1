/** Opens the pull request for a new branch. */
import type { GitHubClient } from '../github/client.ts';
import { createPull } from '../github/pulls.ts';
import { toUserMessage } from '../words/errors.ts';
import type { PublishedBranch } from '../words/result.ts';
import type { Task } from '../words/task.ts';
import { pullRequestText } from './pull-request-text.ts';

/** The work is published already, so a refusal is a note, not a failure. */
export async function openPullRequest(
  client: GitHubClient,
  { task, branch, draft }: { task: Task; branch: PublishedBranch; draft: boolean },
): Promise<{ url: string | null; notes: string[] }> {
  const { owner, name } = task.repository;
  const [headOwner] = branch.repository.split('/');
  try {
    const { pull, notes } = await createPull(
      client,
      { owner, repo: name },
      {
        ...pullRequestText(task),
        head: { owner: headOwner!, branch: branch.name },
        base: branch.base,
        draft,
      },
    );
    return { url: pull.html_url, notes };
  } catch (error) {
    return { url: null, notes: [`The pull request could not be opened: ${toUserMessage(error).message}`] };
  }
}
