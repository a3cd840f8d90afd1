/** Opens the pull request for a new branch, with what Claude says of it in the repository's own template. */
import type { GitHubClient } from '../../github/client.ts';
import { createPull, readPullTemplate } from '../../github/pulls.ts';
import { toUserMessage } from '../../words/errors.ts';
import type { Redact } from '../../words/redact.ts';
import type { PublishedBranch } from '../../words/result.ts';
import type { Task } from '../../words/task.ts';
import { describedAs, firstText, type PullRequestText, pullRequestText } from './pull-request-text.ts';

/** Title and description as Claude gave them. */
export type Said = Partial<PullRequestText> & { body: string };

export interface PullRequestWish {
  task: Task;
  branch: PublishedBranch;
  draft: boolean;
  /** Null when Claude has not described it: then its last words do, below the template. */
  said: Said | null;
  lastWords: string;
  redact: Redact;
}

/** The work is published already, so a refusal is a note, not a failure. */
export async function openPullRequest(
  client: GitHubClient,
  wish: PullRequestWish,
): Promise<{ url: string | null; notes: string[] }> {
  const { task, branch, draft, redact } = wish;
  const place = { owner: task.repository.owner, repo: task.repository.name };
  const [headOwner] = branch.repository.split('/');
  try {
    const template = wish.said ? null : await readPullTemplate(client, place);
    const { title, body } = textOf(wish, template);
    const head = { owner: headOwner!, branch: branch.name };
    const text = { title: redact(title), body: redact(body) };
    const { pull, notes } = await createPull(client, place, { ...text, head, base: branch.base, draft });
    return { url: pull.html_url, notes };
  } catch (error) {
    return { url: null, notes: [`The pull request could not be opened: ${toUserMessage(error).message}`] };
  }
}

function textOf({ task, said, lastWords }: PullRequestWish, template: string | null): PullRequestText {
  const own = said?.body ?? [template, lastWords.trim()].filter(Boolean).join('\n\n');
  // An issue is linked wherever the text does not do so itself.
  const link = task.subject?.kind === 'issue' ? '' : pullRequestText(task).body;
  const body = [own, link].filter(Boolean).join('\n\n');
  return describedAs(firstText(task, null), { ...said, body }, task);
}
