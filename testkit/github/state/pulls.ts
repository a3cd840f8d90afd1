/** Pull requests on real branches: their creation, their heads following pushes, and their merge. */
import { git } from '../git/command.ts';
import { type Comparison, compare, followLines, isOneHunk } from '../git/diff.ts';
import { branchTip, readRef, updateRef } from '../git/refs.ts';
import { inTurn } from '../git/turns.ts';
import type { PullRequest, Repository, ReviewThread, User } from '../model.ts';
import { now, type Store } from '../store.ts';
import { enlist, type NewIssue, newSubject, record } from './issues.ts';

export interface NewPullRequest extends NewIssue {
  /** Branch with the changes; `owner:branch` for a fork's. */
  head: string;
  /** Branch to merge into; the default branch when absent. */
  base?: string;
  draft?: boolean;
  maintainerCanModify?: boolean;
}

/** @throws Error when the head or base branch does not exist. */
export async function createPullRequest(
  store: Store,
  repository: Repository,
  options: NewPullRequest,
): Promise<PullRequest> {
  const baseRef = options.base ?? repository.defaultBranch;
  const head = findHead(store, repository, options.head);
  const baseSha = branchTip(repository.directory, baseRef);
  const headSha = head && branchTip(head.repository.directory, head.ref);
  if (!baseSha) throw new Error(`There is no base branch ${baseRef}.`);
  if (!head || !headSha) throw new Error(`There is no head branch ${options.head}.`);
  const pull = store.identify(
    'PR',
    (id, nodeId): PullRequest => ({
      kind: 'pull',
      id,
      nodeId,
      ...newSubject(store, repository, options),
      issueId: store.nextId(),
      base: { ref: baseRef, sha: baseSha },
      head: { ref: head.ref, sha: headSha, repository: head.repository, owner: head.repository.owner },
      draft: options.draft ?? false,
      maintainerCanModify: options.maintainerCanModify ?? head.repository !== repository,
      mergedAt: null,
      mergedBy: null,
      mergeCommitSha: null,
      reviews: [],
      threads: [],
      requestedReviewers: [],
    }),
  );
  enlist(pull);
  await publishHead(pull);
  return pull;
}

/** The repository and branch that `branch` or `owner:branch` names. */
export function findHead(
  store: Store,
  base: Repository,
  name: string,
): { repository: Repository; ref: string } | null {
  const [owner, ref] = name.includes(':')
    ? (name.split(/:(.*)/s) as [string, string])
    : [base.owner.login, name];
  if (owner.toLowerCase() === base.owner.login.toLowerCase()) return { repository: base, ref };
  const fork = [...store.repositories.values()].find(
    (repository) =>
      repository.parent === base && repository.owner.login.toLowerCase() === owner.toLowerCase(),
  );
  return fork ? { repository: fork, ref } : null;
}

/** Brings base and head of open pull requests up to the branches, as GitHub does after a push. */
export async function followBranches(store: Store, touched: Repository): Promise<void> {
  for (const repository of store.repositories.values()) {
    if (repository !== touched && touched.parent !== repository) continue;
    for (const subject of repository.subjects.values()) {
      if (subject.kind === 'pull') await followBranch(subject);
    }
  }
}

/** As `followBranches`, for one pull request; cheap when nothing moved. */
export function followBranch(pull: PullRequest): Promise<void> {
  if (pull.state !== 'open') return Promise.resolve();
  // many fields of one query ask at once, and two fetches of one ref would collide
  return inTurn(pull.nodeId, () => followInTurn(pull));
}

async function followInTurn(pull: PullRequest): Promise<void> {
  const { base, head, repository } = pull;
  base.sha = branchTip(repository.directory, base.ref) ?? base.sha;
  const tip = head.repository && branchTip(head.repository.directory, head.ref);
  if (!tip || (tip === head.sha && readRef(repository.directory, headRef(pull)) === tip)) return;
  head.sha = tip;
  pull.updatedAt = now();
  await publishHead(pull);
  for (const thread of pull.threads) if (!thread.outdated) await follow(pull, thread);
}

/** What the pull request changes; up to date with its branches. */
export async function comparisonOf(pull: PullRequest): Promise<Comparison> {
  await followBranch(pull);
  return compare(pull.repository.directory, pull.base.sha, pull.head.sha);
}

/** Merges with a merge commit. @throws Error when the branches conflict. */
export async function mergePullRequest(store: Store, pull: PullRequest, actor: User): Promise<string> {
  await followBranch(pull);
  const { directory } = pull.repository;
  const tree = (await git(directory, ['merge-tree', '--write-tree', pull.base.sha, pull.head.sha])).trim();
  const message = `Merge pull request #${pull.number} from ${pull.head.owner.login}/${pull.head.ref}\n\n${pull.title}`;
  const identity = [
    '-c',
    `user.name=${actor.login}`,
    '-c',
    `user.email=${actor.login}@users.noreply.github.com`,
  ];
  const args = ['commit-tree', tree, '-p', pull.base.sha, '-p', pull.head.sha, '-m', message];
  const sha = (await git(directory, [...identity, ...args])).trim();
  await updateRef(directory, `refs/heads/${pull.base.ref}`, sha);
  const mergedAt = now();
  Object.assign(pull, {
    state: 'closed',
    mergedAt,
    closedAt: mergedAt,
    mergedBy: actor,
    mergeCommitSha: sha,
  });
  record(store, pull, { event: 'merged', actor });
  return sha;
}

function headRef(pull: PullRequest): string {
  return `refs/pull/${pull.number}/head`;
}

/** GitHub keeps the head at `refs/pull/N/head` of the base repository, also for forks. */
async function publishHead(pull: PullRequest): Promise<void> {
  const { repository, head } = pull;
  if (head.repository && head.repository !== repository) {
    await git(repository.directory, [
      'fetch',
      '-q',
      '--no-tags',
      head.repository.directory,
      `+refs/heads/${head.ref}:${headRef(pull)}`,
    ]);
  } else {
    await updateRef(repository.directory, headRef(pull), head.sha);
  }
}

/** A thread moves with its lines, and is outdated when they are changed or not in the diff any more. */
async function follow(pull: PullRequest, thread: ReviewThread): Promise<void> {
  const { originalLine: last, originalStartLine, side, path } = thread;
  const from = thread.comments[0]?.commitId;
  if (!from || last === null) return;
  const { directory } = pull.repository;
  const { files } = await compare(directory, pull.base.sha, pull.head.sha);
  const patch = files.find((file) => file.path === path)?.patch;
  const lines: [number, number] = [originalStartLine ?? last, last];
  // Lines of the base are where they were.
  const now =
    side === 'LEFT' ? lines : await followLines(directory, { from, to: pull.head.sha, path, lines });
  thread.outdated = !now || !patch || !isOneHunk(patch, now, side);
  if (thread.outdated || !now) return;
  thread.line = now[1];
  if (originalStartLine !== null) thread.startLine = now[0];
}
