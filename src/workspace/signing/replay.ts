/** Claude's commits on top of others' that its checkout does not have: a three-way merge of files, in the gate alone. */
import { differences } from '../gate/changes.ts';
import { type GateContext, isAncestor, type Target } from '../gate/gate-state.ts';
import type { Remote } from '../remote.ts';
import type { OwnCommit, SignedCommits } from './signed-commits.ts';

/** A commit as it has to be made. */
export interface Replayed extends OwnCommit {
  /** The files that it has where it is published; those of `tree` when nobody has pushed meanwhile. */
  published: string;
  /** The files that it changes there: its first parent's. Null for a commit without parents. */
  from: string | null;
  /** True when both are Claude's own, so that GitHub has what Claude's earlier commits brought. */
  exact: boolean;
}

/** The paths that both sides changed, where that is why nothing can be published. */
export class Conflict extends Error {
  readonly paths: string[];

  constructor(paths: string[]) {
    super(`Both sides changed ${paths.join(', ')}.`);
    this.paths = paths;
  }
}

/** What each commit's files become on the published parents. @throws Conflict before anything is made. */
export async function replay(
  context: GateContext,
  commits: OwnCommit[],
  signed: SignedCommits,
): Promise<Replayed[]> {
  const trees = new Map<string, string>();
  const replayed: Replayed[] = [];
  for (const commit of commits) {
    const [parent] = commit.parents;
    const own = parent ? (await context.run(['rev-parse', `${parent}^{tree}`])).stdout : null;
    const from = (parent && (trees.get(parent) ?? signed.get(parent)?.tree)) ?? own;
    const exact = from === own;
    const published = exact ? commit.tree : await merged(context, { commit, parent: parent!, theirs: from! });
    trees.set(commit.sha, published);
    replayed.push({ ...commit, published, from, exact });
  }
  return replayed;
}

async function merged(
  context: GateContext,
  { commit, parent, theirs }: { commit: OwnCommit; parent: string; theirs: string },
): Promise<string> {
  const { run } = context;
  // A commit of theirs beside Claude's, on the same parent: that is then what both sides began with.
  const identity = { name: 'theirs', email: 'theirs@localhost' };
  const beside = await run(['commit-tree', theirs, '-p', parent], { identity, stdin: 'theirs\n' });
  const args = [
    'merge-tree',
    '--write-tree',
    '-z',
    '--name-only',
    '--no-messages',
    commit.sha,
    beside.stdout,
  ];
  const { code, stdout } = await run(args, { allowedCodes: [0, 1] });
  const [tree, ...conflicting] = stdout.split('\0').filter(Boolean);
  if (code !== 0) throw new Conflict(conflicting);
  // Git follows renames: a file that others have moved must not take a change past the checks of its new path.
  const checked = (await differences(context, parent, commit.sha)).map(({ path }) => path);
  const changed = await differences(context, theirs, tree!);
  if (changed.some(({ path }) => !checked.includes(path))) throw new Conflict(checked);
  return tree!;
}

export interface JoinRequest {
  remote: Remote;
  target: Target;
  /** What the branch is at. */
  at: string;
  /** Claude's newest commit. */
  tip: string;
  signed: SignedCommits;
}

/**
 * Lets what is still to be published build on what others have pushed to the branch. Only where this work belongs on that
 * branch: it began there, or was published there before. A new name that somebody else took is theirs.
 * @returns how many commits of others there are; null when the branch is not to be joined.
 */
export async function joinTheirs(context: GateContext, request: JoinRequest): Promise<number | null> {
  const { remote, target, at, tip, signed } = request;
  const { run, state } = context;
  const ref = 'refs/known/theirs';
  const fetching = [
    'fetch',
    '-q',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--force',
  ];
  await run([...fetching, remote.url, `refs/heads/${target.branch}:${ref}`], { remote });
  const { stdout: theirs } = await run(['rev-parse', ref]);
  if (theirs !== at || !(await isAncestor(context, state.base, theirs))) return null;

  const listed = async (...args: string[]) =>
    (await run(['rev-list', '--topo-order', ...args, '--not', state.base])).stdout
      .split('\n')
      .filter(Boolean);
  const history = new Set(await listed(theirs));
  const isThere = (sha: string) => history.has(signed.get(sha)?.sha ?? '');
  const published = signed.keys().filter(isThere);
  if (target.isNew && !published.length) return null;
  const on = (await listed(tip)).find(isThere) ?? state.base;
  const { stdout: others } = await run(['rev-list', '--count', theirs, '--not', signed.published(on)]);
  await signed.forget(signed.keys().filter((sha) => !isThere(sha)));
  const { stdout: tree } = await run(['rev-parse', `${theirs}^{tree}`]);
  await signed.set(on, { sha: theirs, tree });
  return Number(others);
}
