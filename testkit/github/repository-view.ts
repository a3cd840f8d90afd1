/** A repository as tests look at it: its branches, files and commits, and its issues and pull requests. */
import { type Commit, readCommit, readFileAt, readLog, readTree } from './git/history.ts';
import { branchTip, deleteRef, listRefs, updateRef } from './git/refs.ts';
import type { Issue, PullRequest, Repository, Role, Subject } from './model.ts';
import { followBranches } from './state/pulls.ts';
import { commitTo } from './state/repositories.ts';
import { fullName, type Store } from './store.ts';

export type RepositoryView = ReturnType<typeof repositoryView>;

export function repositoryView(store: Store, record: Repository) {
  const { directory } = record;
  return {
    /** The record itself, for what has no method. */
    record,
    get fullName() {
      return fullName(record);
    },
    /** The bare repository on disk. */
    directory,
    /** Address for `git clone`. */
    get cloneUrl() {
      return `${store.site.serverUrl}/${fullName(record)}.git`;
    },

    /** Names and tips of the branches. */
    branches: (): Record<string, string> =>
      Object.fromEntries(
        [...listRefs(directory, 'refs/heads/')].map(([ref, sha]) => [ref.slice('refs/heads/'.length), sha]),
      ),
    /** The tip of a branch; null when there is none. */
    tip: (branch: string): string | null => branchTip(directory, branch),
    /** One commit; null when the revision is unknown. */
    commit: (revision: string): Promise<Commit | null> => readCommit(directory, revision),
    /** Text of a file; null when there is none. */
    file: async (revision: string, path: string): Promise<string | null> =>
      (await readFileAt(directory, revision, path))?.toString('utf8') ?? null,
    /** Paths of every file in a revision. */
    files: async (revision: string): Promise<string[]> =>
      ((await readTree(directory, revision, true)) ?? [])
        .filter((entry) => entry.type === 'blob')
        .map((entry) => entry.path),
    /** Commits of a range such as `main..branch`, newest first. */
    log: (range: string): Promise<Commit[]> => readLog(directory, [range]),
    /** Whether GitHub shows the commit as verified. */
    verified: (sha: string): boolean => store.signedCommits.has(sha),

    ...changes(store, record),
    ...subjects(store, record),
  };
}

/** What a test does to the repository behind everybody's back. */
function changes(store: Store, record: Repository) {
  const { directory } = record;
  return {
    /** Commits as if somebody had pushed; a new branch starts at `from` or the default branch. Gives the hash. */
    async addCommit(request: Parameters<typeof commitTo>[1]): Promise<string> {
      const sha = await commitTo(record, request);
      await followBranches(store, record);
      return sha;
    },
    /** Points a branch at a commit, whatever it pointed at before. */
    async setBranch(branch: string, sha: string): Promise<void> {
      await updateRef(directory, `refs/heads/${branch}`, sha);
      await followBranches(store, record);
    },
    /** Puts a tag on a commit. */
    tag: (name: string, sha: string): Promise<void> => updateRef(directory, `refs/tags/${name}`, sha),
    deleteBranch: (branch: string): Promise<void> => deleteRef(directory, `refs/heads/${branch}`),
    /** Refuses every push to a branch. */
    protect: (branch: string): void => void record.protectedBranches.add(branch),
    /** From now on the old name only leads to the new one. */
    rename: (name: string): void => store.renameRepository(record, name),
    setPermission: (login: string, role: Role): void =>
      void record.collaborators.set(store.user(login), role),
  };
}

function subjects(store: Store, record: Repository) {
  const subject = (number: number): Subject => {
    const found = record.subjects.get(number);
    if (!found) throw new Error(`${fullName(record)} has no #${number}.`);
    return found;
  };
  return {
    /** Issues and pull requests, by number. */
    subjects: (): Subject[] => store.subjects(record),
    /** @throws when there is none of that number */
    subject,
    issue(number: number): Issue {
      const found = subject(number);
      if (found.kind !== 'issue') throw new Error(`#${number} is a pull request.`);
      return found;
    },
    pullRequest(number: number): PullRequest {
      const found = subject(number);
      if (found.kind !== 'pull') throw new Error(`#${number} is an issue.`);
      return found;
    },
    pullRequests: (): PullRequest[] =>
      store.subjects(record).filter((one): one is PullRequest => one.kind === 'pull'),
  };
}
