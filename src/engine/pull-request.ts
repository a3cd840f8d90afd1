/** Opens the pull request for a new branch. */
import type { GitHubClient } from '../github/client.ts';
import { toUserMessage } from '../words/errors.ts';
import type { PublishedBranch } from '../words/result.ts';
import type { Task } from '../words/task.ts';
import { pullRequestText } from './links.ts';

/** The work is published already, so a refusal is a note, not a failure. */
export async function openPullRequest(
  client: GitHubClient,
  { task, branch, draft }: { task: Task; branch: PublishedBranch; draft: boolean },
): Promise<{ url: string | null; notes: string[] }> {
  const { owner, name } = task.repository;
  const [headOwner] = branch.repository.split('/');
  try {
    const opened = await client.rest<{ html_url: string }>('POST /repos/{owner}/{repo}/pulls', {
      owner,
      repo: name,
      ...pullRequestText(task),
      head: headOwner === owner ? branch.name : `${headOwner}:${branch.name}`,
      base: branch.base,
      draft,
    });
    return { url: opened.html_url, notes: [] };
  } catch (error) {
    return { url: null, notes: [`The pull request could not be opened: ${toUserMessage(error).message}`] };
  }
}
