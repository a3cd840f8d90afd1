/** Links into GitHub's pages, with everything in them encoded. */
import type { PublishedBranch } from '../words/result.ts';
import type { Task } from '../words/task.ts';

export function branchUrl(serverUrl: string, repository: string, branch: string): string {
  return `${serverUrl}/${repository}/tree/${path(branch)}`;
}

/** The page that opens a pull request for a branch of the task's repository, filled in. */
export function createPullRequestUrl(serverUrl: string, task: Task, branch: PublishedBranch): string {
  const { title, body } = pullRequestText(task);
  const page = `${serverUrl}/${task.repository.owner}/${task.repository.name}/compare/${path(branch.base)}...${path(branch.name)}`;
  return `${page}?quick_pull=1&title=${encodeURIComponent(title)}&body=${encodeURIComponent(body)}`;
}

/** Title and body of the pull request for a task's branch; an issue is closed by it. */
export function pullRequestText(task: Task): { title: string; body: string } {
  const { subject } = task;
  if (!subject) return { title: 'Changes by Claude', body: '' };
  const title = subject.title.replace(/\s+/g, ' ').slice(0, 200);
  return subject.kind === 'issue'
    ? { title: `Fix #${subject.number}: ${title}`, body: `Closes #${subject.number}` }
    : { title: `Changes for #${subject.number}: ${title}`, body: `Follows #${subject.number}` };
}

function path(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
