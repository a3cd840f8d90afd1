/** Commits, trees and file changes as GitHub's JSON shows them. */
import type { FileChange } from '../git/diff.ts';
import type { Commit } from '../git/history.ts';
import type { Repository, User } from '../model.ts';
import { nodeIdOf, type Store } from '../store.ts';
import { repositoryPage, repositoryUrl } from './repository.ts';
import { renderAuthor } from './user.ts';

/** `commit`; @param files adds the changes, as for one commit. */
export function renderCommit(store: Store, repository: Repository, commit: Commit, files?: FileChange[]) {
  const url = `${repositoryUrl(store, repository)}/commits/${commit.sha}`;
  const { author, committer, message } = commit;
  const additions = files?.reduce((sum, file) => sum + file.additions, 0) ?? 0;
  const deletions = files?.reduce((sum, file) => sum + file.deletions, 0) ?? 0;
  return {
    url,
    sha: commit.sha,
    node_id: nodeIdOf('C', commit.sha),
    html_url: `${repositoryPage(store, repository)}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    commit: {
      url: gitUrl(store, repository, 'commits', commit.sha),
      author,
      committer,
      message,
      tree: { sha: commit.tree, url: gitUrl(store, repository, 'trees', commit.tree) },
      comment_count: 0,
      verification: renderVerification(store, commit),
    },
    author: renderAuthor(store, userBehind(store, author.email)),
    committer: renderAuthor(store, userBehind(store, committer.email)),
    parents: renderParents(store, repository, commit),
    ...(files
      ? {
          stats: { additions, deletions, total: additions + deletions },
          files: files.map((file) => renderFile(store, repository, file, commit.sha)),
        }
      : {}),
  };
}

/** `git-commit` */
export function renderGitCommit(store: Store, repository: Repository, commit: Commit) {
  return {
    sha: commit.sha,
    node_id: nodeIdOf('C', commit.sha),
    url: gitUrl(store, repository, 'commits', commit.sha),
    html_url: `${repositoryPage(store, repository)}/commit/${commit.sha}`,
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: gitUrl(store, repository, 'trees', commit.tree) },
    message: commit.message,
    parents: renderParents(store, repository, commit),
    verification: renderVerification(store, commit),
  };
}

/** `diff-entry` */
export function renderFile(store: Store, repository: Repository, file: FileChange, ref: string) {
  const path = encodeURI(file.path);
  const page = repositoryPage(store, repository);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${ref}/${path}`,
    raw_url: `${page}/raw/${ref}/${path}`,
    contents_url: `${repositoryUrl(store, repository)}/contents/${path}?ref=${ref}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath ? { previous_filename: file.previousPath } : {}),
  };
}

/** Address in the git database API. */
export function gitUrl(
  store: Store,
  repository: Repository,
  kind: 'blobs' | 'trees' | 'commits',
  sha: string,
): string {
  return `${repositoryUrl(store, repository)}/git/${kind}/${sha}`;
}

/** The account that a commit's e-mail belongs to: `login@users.noreply…` with or without the id. */
export function userBehind(store: Store, email: string): User | null {
  const login = /^(?:\d+\+)?([^@]+)@users\.noreply\./.exec(email)?.[1];
  return (login && store.users.get(login.toLowerCase())) || null;
}

/** Commits made through the API by Apps are signed by GitHub itself. */
export function isVerified(store: Store, commit: Commit): boolean {
  return store.signedCommits.has(commit.sha);
}

function renderVerification(store: Store, commit: Commit) {
  const verified = isVerified(store, commit);
  return {
    verified,
    reason: verified ? 'valid' : commit.signed ? 'unknown_key' : 'unsigned',
    signature: null,
    payload: null,
    verified_at: verified ? commit.committer.date : null,
  };
}

function renderParents(store: Store, repository: Repository, commit: Commit) {
  return commit.parents.map((sha) => ({
    sha,
    url: gitUrl(store, repository, 'commits', sha),
    html_url: `${repositoryPage(store, repository)}/commit/${sha}`,
  }));
}
