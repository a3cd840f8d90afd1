/** Commits and branches made through GitHub's API, which signs what Apps and `createCommitOnBranch` make; never forced. */
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { type GitHubClient, GraphqlRefusal, statusOf } from './client.ts';

/** A branch of a repository; it need not be there yet. */
export interface BranchPlace {
  owner: string;
  repo: string;
  branch: string;
}

/** A commit as GitHub has it. */
export interface RemoteCommit {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
  /** Whether GitHub shows it as verified. */
  verified: boolean;
}

/** One file of a new tree; `sha` null deletes it, `content` (valid UTF-8 only) saves the request for a blob. */
export type TreeEntry = { path: string; mode: string } & ({ sha: string | null } | { content: string });

export interface SimpleCommit {
  /** Where the branch must be. */
  expected: string;
  message: string;
  additions: { path: string; content: Buffer }[];
  deletions: string[];
}

const root = '/repos/{owner}/{repo}/git';

/** The commit that the branch is at; null when there is no such branch. */
export async function readBranch(client: GitHubClient, place: BranchPlace): Promise<string | null> {
  const { owner, repo, branch } = place;
  try {
    const route = `GET ${root}/ref/{ref}`;
    const found = await client.rest<{ object: { sha: string } }>(route, {
      owner,
      repo,
      ref: `heads/${branch}`,
    });
    return found.object.sha;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw refused(error, place);
  }
}

/** False when the branch has come meanwhile, and is elsewhere. @throws AppError `github_auth`, `git_failed` (a rule). */
export async function createBranch(client: GitHubClient, place: BranchPlace, sha: string): Promise<boolean> {
  const { owner, repo, branch } = place;
  try {
    await client.rest(`POST ${root}/refs`, { owner, repo, ref: `refs/heads/${branch}`, sha });
    return true;
  } catch (error) {
    // Also after a lost answer to the same request.
    if (/already exists/i.test(wordsOf(error))) return (await readBranch(client, place)) === sha;
    throw refused(error, place);
  }
}

/** False when the branch has commits that `sha` does not build on. @throws as `createBranch`. */
export async function moveBranch(client: GitHubClient, place: BranchPlace, sha: string): Promise<boolean> {
  const { owner, repo, branch } = place;
  try {
    await client.rest(`PATCH ${root}/refs/{ref}`, { owner, repo, ref: `heads/${branch}`, sha, force: false });
    return true;
  } catch (error) {
    if (/not a fast.?forward|does not exist/i.test(wordsOf(error))) return false;
    throw refused(error, place);
  }
}

export async function deleteBranch(
  client: GitHubClient,
  { owner, repo, branch }: BranchPlace,
): Promise<void> {
  await client.rest(`DELETE ${root}/refs/{ref}`, { owner, repo, ref: `heads/${branch}` });
}

/**
 * Makes a commit of plain files on the tip of a branch and moves the branch, in one step; GitHub signs it, whoever asks.
 * Null when the branch is not where it was expected: somebody was faster, or an earlier answer was lost.
 * Source: https://docs.github.com/graphql/reference/mutations#createcommitonbranch
 */
export async function commitOnBranch(
  client: GitHubClient,
  place: BranchPlace,
  { expected, message, additions, deletions }: SimpleCommit,
): Promise<RemoteCommit | null> {
  const [headline = '', ...rest] = message.split('\n');
  const input = {
    branch: { repositoryNameWithOwner: `${place.owner}/${place.repo}`, branchName: place.branch },
    expectedHeadOid: expected,
    message: { headline, body: rest.join('\n').replace(/^\n/, '') },
    fileChanges: {
      additions: additions.map(({ path, content }) => ({ path, contents: content.toString('base64') })),
      deletions: deletions.map((path) => ({ path })),
    },
  };
  try {
    const answer = await client.graphql<{ createCommitOnBranch: { commit: CommitNode } }>(commitMutation, {
      input,
    });
    const { oid, tree, signature, ...commit } = answer.createCommitOnBranch.commit;
    const parents = commit.parents.nodes.map((parent) => parent.oid);
    return {
      sha: oid,
      tree: tree.oid,
      parents,
      message: commit.message,
      verified: signature?.isValid === true,
    };
  } catch (error) {
    if (error instanceof GraphqlRefusal && error.types.includes('STALE_DATA')) return null;
    throw refused(error, place);
  }
}

const commitMutation = `mutation CommitOnBranch($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) {
    commit { oid message tree { oid } parents(first: 2) { nodes { oid } } signature { isValid } }
  }
}`;

interface CommitNode {
  oid: string;
  message: string;
  tree: { oid: string };
  parents: { nodes: { oid: string }[] };
  signature: { isValid: boolean } | null;
}

/** @returns the id that the server gave it. */
export async function createBlob(client: GitHubClient, place: BranchPlace, bytes: Buffer): Promise<string> {
  const { owner, repo } = place;
  const body = { owner, repo, content: bytes.toString('base64'), encoding: 'base64' };
  return asking(place, async () => (await client.rest<{ sha: string }>(`POST ${root}/blobs`, body)).sha);
}

/** @param base the tree that the entries change; null for one of these entries alone. @returns its id. */
export async function createTree(
  client: GitHubClient,
  place: BranchPlace,
  { base, entries }: { base: string | null; entries: TreeEntry[] },
): Promise<string> {
  const { owner, repo } = place;
  const tree = entries.map((entry) => ({ ...entry, type: entry.mode === '160000' ? 'commit' : 'blob' }));
  const body = { owner, repo, tree, ...(base && { base_tree: base }) };
  return asking(place, async () => (await client.rest<{ sha: string }>(`POST ${root}/trees`, body)).sha);
}

/**
 * Makes a commit that no branch has yet. Without author and committer of its own: GitHub signs it then for Apps, the
 * job's token among them, and for no person (docs.github.com, "Signature verification for bots").
 */
export async function createCommit(
  client: GitHubClient,
  place: BranchPlace,
  commit: { message: string; tree: string; parents: string[] },
): Promise<RemoteCommit> {
  const { owner, repo } = place;
  const route = `POST ${root}/commits`;
  return asking(place, async () => commitOf(await client.rest<GitCommit>(route, { owner, repo, ...commit })));
}

export async function readCommit(
  client: GitHubClient,
  place: BranchPlace,
  sha: string,
): Promise<RemoteCommit> {
  const { owner, repo } = place;
  const route = `GET ${root}/commits/{commit_sha}`;
  return asking(place, async () =>
    commitOf(await client.rest<GitCommit>(route, { owner, repo, commit_sha: sha })),
  );
}

interface GitCommit {
  sha: string;
  message: string;
  tree: { sha: string };
  parents: { sha: string }[];
  verification?: { verified: boolean };
}

function commitOf({ sha, message, tree, parents, verification }: GitCommit): RemoteCommit {
  const verified = verification?.verified === true;
  return { sha, message, tree: tree.sha, parents: parents.map((parent) => parent.sha), verified };
}

async function asking<T>(place: BranchPlace, work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    throw refused(error, place);
  });
}

/** GitHub's "no" in its own words; what is an answer for a person already goes on as it is. */
function refused(error: unknown, { owner, repo, branch }: BranchPlace): unknown {
  const status = statusOf(error);
  const isRefusal = error instanceof GraphqlRefusal && ['internal', 'invalid_input'].includes(error.reason);
  const words = wordsOf(error);
  const noWorkflows = /without `?workflows?`? (?:permission|scope)/i.test(words);
  if (status === null && !isRefusal && !noWorkflows) return error;
  const message = `GitHub refused the commit to ${shown(branch)} of ${owner}/${repo}: ${words.slice(0, 500)}`;
  if (noWorkflows) {
    return new AppError('github_auth', message, {
      cause: error,
      remedy: 'Use a token with the `workflows` permission, or leave workflow files as they are.',
    });
  }
  // What a credential may not write, it is told not to be there.
  if (status === 404 || (error instanceof GraphqlRefusal && error.types.includes('NOT_FOUND'))) {
    return new AppError('github_auth', message, {
      cause: error,
      remedy: 'Give the job `permissions: contents: write`, or a token that may push to this repository.',
    });
  }
  return new AppError('git_failed', message, {
    cause: error,
    remedy: 'See the rules of the repository (branch protection, rulesets, push protection).',
  });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
