/** The life of the pull request for an issue: a draft before the first turn, told after each, closed when it stayed empty. */
import type { GitHubClient } from '../../github/client.ts';
import {
  changePull,
  createPull,
  findOpenPull,
  markReady,
  type Pull,
  type PullPlace,
  readPull,
} from '../../github/pulls.ts';
import { toUserMessage } from '../../words/errors.ts';
import type { Redact } from '../../words/redact.ts';
import type { Task } from '../../words/task.ts';
import type { Environment } from '../../workspace/git.ts';
import { deleteEmptyBranch } from '../../workspace/opening.ts';
import type { Remote } from '../../workspace/remote.ts';
import { closesIssue, describedAs, firstText, linkedBody } from './pull-request-text.ts';

export interface IssuePullRequest {
  number: number;
  nodeId: string;
  url: string;
  draft: boolean;
  /** False when it was there already: of an earlier process, or a person's. */
  isNew: boolean;
  notes: string[];
}

/**
 * The open pull request of the branch, made as a draft when there is none; linked to the issue in any case. Calling it
 * again after a crash between GitHub's answer and our database makes no second one.
 * @throws AppError `invalid_input` when GitHub refuses it, `github_auth`, `github_unavailable`.
 */
export async function openDraft(
  client: GitHubClient,
  request: {
    task: Task;
    branch: string;
    base: string;
    template: string | null;
    /** The branch was made just now: nobody can have opened anything for it. */
    branchIsNew?: boolean;
  },
): Promise<IssuePullRequest> {
  const { task, branch, base, template, branchIsNew } = request;
  const place = placeOf(task);
  const head = { owner: place.owner, branch };
  const there = branchIsNew ? null : await findOpenPull(client, place, head);
  const { pull, isNew, notes } = there
    ? { pull: there, isNew: false, notes: [] }
    : await createPull(client, place, { ...firstText(task, template), head, base, draft: true });
  const body = pull.body ?? '';
  if (!isNew && !closesIssue(body, task))
    await changePull(client, place, { number: pull.number, body: linkedBody(body, task) });
  const { number, node_id: nodeId, html_url: url, draft = false } = pull;
  return { number, nodeId, url, draft, isNew, notes };
}

/**
 * Writes what Claude said into title and description, around what people wrote there, and marks the draft ready when
 * it is and has work. What is as it should be is not written again.
 * @throws AppError `github_auth` (also when the pull request is gone), `github_unavailable`, `invalid_input`.
 */
export async function updateAfterTurn(
  client: GitHubClient,
  request: {
    task: Task;
    number: number;
    text: { title?: string; body: string } | null;
    /** `PR_READY` is auto and the turn succeeded. */
    ready: boolean;
    redact: Redact;
  },
): Promise<{ draft: boolean; notes: string[] }> {
  const { task, number, text, redact } = request;
  const place = placeOf(task);
  const pull = await readPull(client, place, number);
  const draft = pull.draft ?? false;
  if (pull.state !== 'open') {
    const how = pull.merged ? 'merged' : 'closed';
    return { draft, notes: [`The pull request #${number} is ${how}, so its description was left as it is.`] };
  }
  if (text) await describe(client, { task, pull, text: redacted(text, redact) });
  if (!request.ready || !draft || !hasWork(pull)) return { draft, notes: [] };
  try {
    await markReady(client, pull.node_id);
    return { draft: false, notes: [] };
  } catch (error) {
    const { message } = toUserMessage(error);
    return { draft, notes: [`The pull request could not be marked ready for review: ${message}`] };
  }
}

/**
 * Closes a pull request that never got more than the opening commit, and deletes its branch. The branch goes first, as
 * there the server compares: work that arrives in the same moment keeps both.
 * @throws AppError `github_auth`, `github_unavailable`, `git_failed`.
 */
export async function closeEmpty(
  client: GitHubClient,
  request: {
    task: Task;
    /** Null when it is not known whether there is one. */
    number: number | null;
    branch: string;
    opening: string;
    remote: Remote;
    environment?: Environment;
    signal?: AbortSignal;
  },
): Promise<'closed' | 'kept'> {
  const { task, number, branch, opening, remote, environment, signal } = request;
  const place = placeOf(task);
  const pull =
    number === null
      ? await findOpenPull(client, place, { owner: place.owner, branch })
      : await readPull(client, place, number);
  if (pull && (pull.merged || pull.head.ref !== branch || pull.head.sha !== opening)) return 'kept';
  if (!(await deleteEmptyBranch({ remote, branch, opening, environment, signal }))) return 'kept';
  // GitHub closes it with its branch, but not at once.
  if (pull?.state === 'open') await changePull(client, place, { number: pull.number, state: 'closed' });
  return 'closed';
}

async function describe(
  client: GitHubClient,
  { task, pull, text }: { task: Task; pull: Pull; text: { title?: string; body: string } },
): Promise<void> {
  const present = { title: pull.title, body: pull.body ?? '' };
  const { title, body } = describedAs(present, text, task);
  const change = { ...(title !== present.title && { title }), ...(body !== present.body && { body }) };
  if (Object.keys(change).length === 0) return;
  await changePull(client, placeOf(task), { number: pull.number, ...change });
}

function redacted(text: { title?: string; body: string }, redact: Redact): { title?: string; body: string } {
  return { body: redact(text.body), ...(text.title !== undefined && { title: redact(text.title) }) };
}

/** More than the opening commit, which changes nothing. */
function hasWork({ commits, changed_files: files }: Pull): boolean {
  return (files ?? 0) > 0 || (commits ?? 0) > 1;
}

function placeOf({ repository }: Task): PullPlace {
  return { owner: repository.owner, repo: repository.name };
}
