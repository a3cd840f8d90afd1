/** Publishes commits by having GitHub make them anew: the same trees and messages, signed by GitHub, never forced. */

import type { GitHubClient } from '../../github/client.ts';
import {
  type BranchPlace,
  commitOnBranch,
  createBranch,
  createCommit,
  createTree,
  deleteBranch,
  moveBranch,
  type RemoteCommit,
  readBranch,
  readCommit,
} from '../../github/commits.ts';
import { AppError } from '../../words/errors.ts';
import type { GateContext, Target } from '../gate/gate-state.ts';
import type { Remote } from '../remote.ts';
import { asFileChanges, asTreeEntries, contentOf } from './api-contents.ts';
import { Conflict, joinTheirs, type Replayed, replay } from './replay.ts';
import { type SignedCommits, signedCommits, unsignedCommits } from './signed-commits.ts';

export interface ApiRequest {
  client: GitHubClient;
  /** For reading what others have pushed. */
  remote: Remote;
  target: Target;
  /** Claude's commit, taken and checked. */
  sha: string;
}

export type ApiPublished =
  | {
      outcome: 'pushed';
      sha: string;
      commits: number;
      /** Published commits that GitHub did not sign. */
      unverified: string[];
      /** Commits of others that this work was put on top of, and that the checkout does not have. */
      joined: number;
    }
  /** `conflicts`: the paths that others have changed too. */
  | { outcome: 'moved'; conflicts: string[] };

/** What one publication knows as it goes on. */
interface Course {
  context: GateContext;
  client: GitHubClient;
  place: BranchPlace;
  isNew: boolean;
  signed: SignedCommits;
  /** Where the branch is; null as long as it is not there. */
  at: string | null;
  /** By Claude's ids. */
  made: Map<string, RemoteCommit>;
  joined: number;
}

/** The branch is not where it should be: nothing of what is there is changed. */
class Moved extends Error {}

/** How often others may push in the very moment in which this is published. */
const attempts = 3;

/**
 * Each commit is noted when it is made, so that the next attempt, or `post`, goes on from there.
 * @throws AppError `github_auth`, `github_unavailable`; `git_failed` when a rule forbids it or GitHub's tree is another.
 */
export async function publishThroughApi(context: GateContext, request: ApiRequest): Promise<ApiPublished> {
  const { client, target, sha } = request;
  const [owner, repo] = target.repository.split('/') as [string, string];
  const place = { owner, repo, branch: target.branch };
  const signed = await signedCommits(context, `${target.repository} ${target.branch}`);
  const isNew = target.isNew === true;
  const course: Course = { context, client, place, isNew, signed, at: null, made: new Map(), joined: 0 };
  for (let attempt = 1; ; attempt++) {
    try {
      course.at = await readBranch(client, place);
      await make(course, await takeUp(course, request));
      await pointTo(course, signed.published(sha));
      const made = [...course.made.values()];
      const unverified = made.filter(({ verified }) => !verified).map((commit) => commit.sha);
      const { joined } = course;
      return { outcome: 'pushed', sha: signed.published(sha), commits: made.length, joined, unverified };
    } catch (error) {
      if (error instanceof Conflict) return { outcome: 'moved', conflicts: error.paths };
      if (!(error instanceof Moved)) throw error;
      if (attempt === attempts) return { outcome: 'moved', conflicts: [] };
    }
  }
}

/**
 * What is still to be made. The branch may be where this task began or where it has brought it. If not, its tip may be
 * the commit that an earlier request made and whose answer was lost: the same tree and message on the same parent. Or
 * others have pushed: then the rest goes on top of theirs. @throws Moved, Conflict
 */
async function takeUp(course: Course, { remote, target, sha: tip }: ApiRequest): Promise<Replayed[]> {
  const { context, client, place, isNew, signed, at } = course;
  const { base, trusted } = context.state;
  const pending = async () => {
    const own = await unsignedCommits(context, tip, signed);
    return replay(context, own, signed).catch(notHere);
  };
  // A new name that somebody else took is theirs, whatever it is at.
  const expected = isNew ? signed.values() : [base, ...trusted, ...signed.values()];
  if (at === null || expected.includes(at)) return pending();
  const [first, ...rest] = await pending();
  const found = first && (await readCommit(client, place, at));
  if (first && found && isSame(found, first, signed)) {
    await keep(course, first, found);
    return rest;
  }
  const others = await joinTheirs(context, { remote, target, at, tip, signed }).catch(notHere);
  if (others === null) throw new Moved();
  course.joined += others;
  return pending();
}

/** Where git cannot read or merge what others have pushed, the work takes another name. */
function notHere(error: unknown): never {
  throw error instanceof AppError && error.reason === 'git_failed' ? new Moved() : error;
}

function isSame(
  found: RemoteCommit,
  { published, parents, message }: Replayed,
  signed: SignedCommits,
): boolean {
  const expected = parents.map(signed.published).join();
  return (
    found.tree === published && found.parents.join() === expected && found.message.trim() === message.trim()
  );
}

/** In a straight line GitHub makes and publishes one after the other; what forks and joins is made first, then published. */
async function make(course: Course, commits: Replayed[]): Promise<void> {
  const { context, client, place, signed } = course;
  const isLine = commits.every(
    ({ parents }, index) => parents.length === 1 && (index === 0 || parents[0] === commits[index - 1]!.sha),
  );
  for (const commit of commits) {
    const parents = commit.parents.map(signed.published);
    const { message, from: base, published: tree } = commit;
    if (!commit.exact && tree === base) {
      // Others have made this very change.
      await signed.set(commit.sha, { sha: parents[0]!, tree });
      continue;
    }
    const content = await contentOf(context, commit);
    const simple = isLine ? asFileChanges(content) : null;
    if (simple) {
      await makeOnBranch(course, commit, { ...simple, expected: parents[0]! });
      continue;
    }
    const entries = await asTreeEntries(content, { client, place });
    const made = entries.length ? await createTree(client, place, { base, entries }) : base;
    if (made !== tree) throw otherTree(commit, made);
    await keep(course, commit, await createCommit(client, place, { message, tree, parents }));
  }
}

async function makeOnBranch(
  course: Course,
  commit: Replayed,
  changes: { expected: string; additions: { path: string; content: Buffer }[]; deletions: string[] },
): Promise<void> {
  const { client, place, signed } = course;
  const wasThere = course.at !== null;
  await pointTo(course, changes.expected);
  try {
    const made = await commitOnBranch(client, place, { ...changes, message: commit.message });
    const tip = made ?? (await tipOf(course));
    if (!made && !isSame(tip, commit, signed)) throw new Moved();
    if (tip.tree !== commit.published) throw otherTree(commit, tip.tree);
    course.at = tip.sha;
    await keep(course, commit, tip);
  } catch (error) {
    // A new branch without a commit would be left behind.
    if (
      !wasThere &&
      !(error instanceof Moved) &&
      (await readBranch(client, place).catch(() => null)) === course.at
    )
      await deleteBranch(client, place).catch(() => undefined);
    throw error;
  }
}

async function tipOf({ client, place }: Course): Promise<RemoteCommit> {
  const at = await readBranch(client, place);
  if (at === null) throw new Moved();
  return readCommit(client, place, at);
}

async function pointTo(course: Course, sha: string): Promise<void> {
  const { context, client, place, signed, at } = course;
  if (at === sha) return;
  // Noted before it is made: by this, `post` knows the branch for its own.
  if (at === null && !signed.values().includes(sha)) {
    const { stdout: tree } = await context.run(['rev-parse', `${sha}^{tree}`]);
    await signed.set(sha, { sha, tree });
  }
  const done = at === null ? createBranch(client, place, sha) : moveBranch(client, place, sha);
  if (!(await done)) throw new Moved();
  course.at = sha;
}

async function keep(course: Course, { sha }: Replayed, made: RemoteCommit): Promise<void> {
  await course.signed.set(sha, { sha: made.sha, tree: made.tree });
  course.made.set(sha, made);
}

/** What Claude and the checks saw is what is published, or nothing is. */
function otherTree({ sha }: Replayed, tree: string | null): AppError {
  return new AppError(
    'git_failed',
    `GitHub made other files of commit ${sha.slice(0, 12)} than it has (tree ${tree?.slice(0, 12)}).`,
    { remedy: 'Look at the branch; use `ssh_signing_key` instead of `use_commit_signing`.' },
  );
}
