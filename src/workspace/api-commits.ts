/** Publishes commits by having GitHub make them anew: the same trees and messages, signed by GitHub, never forced. */

import type { GitHubClient } from '../github/client.ts';
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
} from '../github/commits.ts';
import { AppError } from '../words/errors.ts';
import { asFileChanges, asTreeEntries, contentOf } from './api-contents.ts';
import type { GateContext, Target } from './gate-state.ts';
import { type OwnCommit, type SignedCommits, signedCommits, unsignedCommits } from './signed-commits.ts';

export interface ApiRequest {
  client: GitHubClient;
  target: Target;
  /** Claude's commit, taken and checked. */
  sha: string;
}

export type ApiPublished =
  /** `unverified`: published commits that GitHub did not sign. */
  { outcome: 'pushed'; sha: string; unverified: string[] } | { outcome: 'moved' };

/** What one publication knows as it goes on. */
interface Course {
  context: GateContext;
  client: GitHubClient;
  place: BranchPlace;
  signed: SignedCommits;
  /** Where the branch is; null as long as it is not there. */
  at: string | null;
  unverified: string[];
}

/** The branch is not where it should be: nothing of what is there is changed. */
class Moved extends Error {}

/**
 * Each commit is noted when it is made, so that the next attempt, or `post`, goes on from there.
 * @throws AppError `github_auth`, `github_unavailable`; `git_failed` when a rule forbids it or GitHub's tree is another.
 */
export async function publishThroughApi(context: GateContext, request: ApiRequest): Promise<ApiPublished> {
  const { client, target, sha } = request;
  const [owner, repo] = target.repository.split('/') as [string, string];
  const place = { owner, repo, branch: target.branch };
  const signed = await signedCommits(context, target.repository);
  const commits = await unsignedCommits(context, sha, signed);
  const course: Course = {
    context,
    client,
    place,
    signed,
    at: await readBranch(client, place),
    unverified: [],
  };
  try {
    await takeUp(course, commits);
    await make(course, commits);
    await pointTo(course, signed.published(sha));
  } catch (error) {
    if (error instanceof Moved) return { outcome: 'moved' };
    throw error;
  }
  return { outcome: 'pushed', sha: signed.published(sha), unverified: course.unverified };
}

/**
 * The branch may be where this task began or where it has brought it. If not, its tip may be the commit that an earlier
 * request made and whose answer was lost: the same tree and message on the same parent.
 */
async function takeUp(course: Course, commits: OwnCommit[]): Promise<void> {
  const { context, client, place, signed, at } = course;
  if (at === null || [context.state.base, ...context.state.trusted, ...signed.values()].includes(at)) return;
  const [first] = commits;
  const found = first && (await readCommit(client, place, at));
  if (!first || !found || !isSame(found, first, signed)) throw new Moved();
  await keep(course, commits.shift()!, found);
}

function isSame(found: RemoteCommit, { tree, parents, message }: OwnCommit, signed: SignedCommits): boolean {
  const expected = parents.map(signed.published).join();
  return found.tree === tree && found.parents.join() === expected && found.message.trim() === message.trim();
}

/** In a straight line GitHub makes and publishes one after the other; what forks and joins is made first, then published. */
async function make(course: Course, commits: OwnCommit[]): Promise<void> {
  const { context, client, place, signed } = course;
  const isLine = commits.every(
    ({ parents }, index) => parents.length === 1 && (index === 0 || parents[0] === commits[index - 1]!.sha),
  );
  for (const commit of commits) {
    const parents = commit.parents.map(signed.published);
    const content = await contentOf(context, commit);
    const simple = isLine ? asFileChanges(content) : null;
    if (simple) {
      await makeOnBranch(course, commit, { ...simple, expected: parents[0]! });
      continue;
    }
    const { base } = content;
    const { message } = commit;
    const entries = await asTreeEntries(content, { client, place });
    const tree = entries.length ? await createTree(client, place, { base, entries }) : base;
    if (tree !== commit.tree) throw otherTree(commit, tree);
    await keep(course, commit, await createCommit(client, place, { message, tree, parents }));
  }
}

async function makeOnBranch(
  course: Course,
  commit: OwnCommit,
  changes: { expected: string; additions: { path: string; content: Buffer }[]; deletions: string[] },
): Promise<void> {
  const { client, place, signed } = course;
  const wasThere = course.at !== null;
  await pointTo(course, changes.expected);
  try {
    const made = await commitOnBranch(client, place, { ...changes, message: commit.message });
    const tip = made ?? (await tipOf(course));
    if (!made && !isSame(tip, commit, signed)) throw new Moved();
    if (tip.tree !== commit.tree) throw otherTree(commit, tip.tree);
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
  const { client, place, at } = course;
  if (at === sha) return;
  const done = at === null ? createBranch(client, place, sha) : moveBranch(client, place, sha);
  if (!(await done)) throw new Moved();
  course.at = sha;
}

async function keep({ signed, unverified }: Course, commit: OwnCommit, made: RemoteCommit): Promise<void> {
  await signed.set(commit.sha, made.sha);
  if (!made.verified) unverified.push(made.sha);
}

/** What Claude and the checks saw is what is published, or nothing is. */
function otherTree({ sha }: OwnCommit, tree: string | null): AppError {
  return new AppError(
    'git_failed',
    `GitHub made other files of commit ${sha.slice(0, 12)} than it has (tree ${tree?.slice(0, 12)}).`,
    { remedy: 'Look at the branch; use `ssh_signing_key` instead of `use_commit_signing`.' },
  );
}
