/** Links into GitHub's pages, with everything in them encoded. */
import type { Learnt } from '../report/comment.ts';
import type { PublishedBranch } from '../words/result.ts';
import type { Task } from '../words/task.ts';
import { pullRequestText } from './pull-request/pull-request-text.ts';

export function branchUrl(serverUrl: string, repository: string, branch: string): string {
  return `${serverUrl}/${repository}/tree/${path(branch)}`;
}

/** What the tracking comment shows of a branch that was pushed. */
export function branchLinks(
  serverUrl: string,
  task: Task,
  { branch, isNew }: { branch: PublishedBranch; isNew: boolean },
): Learnt {
  const { name, repository, sha } = branch;
  return {
    branch: { name, sha, url: branchUrl(serverUrl, repository, name) },
    ...(isNew && { createPullRequestUrl: createPullRequestUrl(serverUrl, task, branch) }),
  };
}

/** The page that opens a pull request for a branch of the task's repository, filled in. */
export function createPullRequestUrl(serverUrl: string, task: Task, branch: PublishedBranch): string {
  const { title, body } = pullRequestText(task);
  const page = `${serverUrl}/${task.repository.owner}/${task.repository.name}/compare/${path(branch.base)}...${path(branch.name)}`;
  return `${page}?quick_pull=1&title=${encodeURIComponent(title)}&body=${encodeURIComponent(body)}`;
}

function path(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
