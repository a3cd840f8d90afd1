/** Commits what Claude left uncommitted, so that no work is lost: what may be published, file by file; the rest is named. */
import { randomUUID } from 'node:crypto';
import { lstat, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../words/errors.ts';
import type { Fence } from '../../words/fence.ts';
import type { Identity } from '../git.ts';
import { absent, readPlain } from '../plain-files.ts';
import { advance } from './advance.ts';
import { changesOf, newCommits } from './changes.ts';
import { isProtected, linkProblem } from './checks.ts';
import { openFencedStore } from './fenced-store.ts';
import { type GateContext, trustedCommits } from './gate-state.ts';
import { takeCommit } from './import.ts';
import { keepNamed, type NamedFiles, refuseLeft, removeNamed } from './named-files.ts';
import { findSecrets, newSecrets } from './secret-scan.ts';
import { type LeftOut, overTree, type RunOverTree, type Uncommitted, uncommitted } from './work-tree.ts';

export interface LeftoverRequest {
  /** The commit message. */
  message: string;
  identity: Identity;
  /** Only these, and all of these or nothing; null (unless told) for whatever may be published. */
  named?: NamedFiles | null;
}

export interface Leftovers {
  /** The tip with the leftovers on top; the tip itself when there was nothing to commit. */
  sha: string;
  /** Files that were committed. */
  files: number;
  /** What was not, and why; it stays in the checkout and in the patch. */
  left: LeftOut[];
}

/**
 * With a fence git looks at the work tree inside it, and the commit is made in the workspace itself. Without one it is
 * made from the gate's own repository and index over the work tree. Nothing of the workspace's `.git` is read but a few
 * names, and what may be published is decided out here either way.
 */
export async function commitLeftovers(
  context: GateContext,
  tip: string,
  request: LeftoverRequest,
): Promise<Leftovers> {
  const place = await (context.fence ? fencedPlace(context, context.fence) : gatePlace(context));
  try {
    const run = await overTree(place.context, place.indexFile, tip);
    const { named } = request;
    if (named?.remove) await removeNamed(context, run, named);
    const found = await uncommitted(context, run);
    if (named) await keepNamed(context, run, { named, found });
    if (await isUnfinished(context)) {
      const left = [...found.left, ...allOf(found, unfinished)];
      if (named) refuseLeft(left);
      return { sha: tip, files: 0, left };
    }
    await leaveUnpublishable(context, found, tip);
    const refused = await stage(run, found);
    found.left.push(...refused);
    if (named) refuseLeft(found.left);
    const tree = (await run(['write-tree'])).stdout;
    const files = found.changed.length + found.deleted.length - refused.length;
    if (tree === (await context.run(['rev-parse', `${tip}^{tree}`])).stdout)
      return { sha: tip, files: 0, left: found.left };
    const { identity, message: stdin } = request;
    const made = await place.context.run(['commit-tree', tree, '-p', tip], { identity, stdin });
    await place.keep(made.stdout, tip);
    // A later turn builds on it. What was named is there once it is published.
    if (context.fence && !named) await advance(context, { sha: made.stdout, parent: tip });
    return { sha: made.stdout, files, left: found.left };
  } finally {
    await place.close();
  }
}

/** Where git works on leftovers. */
interface Place {
  context: GateContext;
  indexFile: string;
  /** Puts the finished commit where the others look for it. */
  keep(sha: string, parent: string): Promise<void>;
  close(): Promise<void>;
}

async function gatePlace(context: GateContext): Promise<Place> {
  const indexFile = join(context.state.directory, `index-${randomUUID()}`);
  return {
    ...{ context, indexFile },
    keep: async () => undefined,
    close: () => rm(indexFile, { force: true }),
  };
}

async function fencedPlace(context: GateContext, fence: Fence): Promise<Place> {
  const store = await openFencedStore(context, fence, { writes: true });
  return {
    context: { ...context, run: store.run },
    indexFile: store.indexFile,
    keep: (sha, parent) => takeCommit(context, sha, parent),
    close: store.close,
  };
}

/**
 * Puts exactly the listed files into the index; deletions first, as a file may now be where a directory was.
 * @returns what git cannot take (an attribute asks for an encoding that the file does not have); it is not in the index.
 */
export async function stage(run: RunOverTree, { changed, deleted }: Uncommitted): Promise<LeftOut[]> {
  if (deleted.length)
    await run(['update-index', '-z', '--force-remove', '--stdin'], `${deleted.join('\0')}\0`);
  return add(
    run,
    changed.map(({ path }) => path),
  );
}

/** One bad file fails them all and changes nothing, so the list is halved until it stands alone. */
async function add(run: RunOverTree, paths: string[]): Promise<LeftOut[]> {
  if (!paths.length) return [];
  try {
    await run(['update-index', '-z', '--add', '--stdin'], paths.map((path) => `${path}\0`).join(''));
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== 'git_failed') throw error;
    if (paths.length === 1)
      return [{ path: paths[0]!, why: 'Git cannot take it with the attributes that it has' }];
    const half = Math.ceil(paths.length / 2);
    return [...(await add(run, paths.slice(0, half))), ...(await add(run, paths.slice(half)))];
  }
}

const unfinished = 'a merge, rebase or cherry-pick was not finished';

/** A commit made now would hold conflict marks, or half of a merge as if it were all of it. */
async function isUnfinished({ state }: GateContext): Promise<boolean> {
  for (const name of ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply']) {
    if (await lstat(join(state.workspace, '.git', name)).catch(absent)) return true;
  }
  return false;
}

/** The gate's checks, file by file: one bad file must not keep the others from being published. */
async function leaveUnpublishable(context: GateContext, found: Uncommitted, tip: string): Promise<void> {
  const { limits } = context.state;
  const kept = found.deleted.filter((path) => !isProtected({ path }, limits));
  const restored = found.deleted.filter((path) => isProtected({ path }, limits));
  found.left.push(...restored.map((path) => ({ path, why: isProtectedWhy })));
  found.deleted = kept;
  await leaveTooMany(context, found, tip);
  const reasons = await Promise.all(found.changed.map((file) => whyNot(context, file)));
  found.left.push(
    ...found.changed.flatMap(({ path }, index) => (reasons[index] ? [{ path, why: reasons[index] }] : [])),
  );
  found.changed = found.changed.filter((_, index) => !reasons[index]);
}

const isProtectedWhy = 'it is protected by `protected_paths`';

async function whyNot(context: GateContext, file: Uncommitted['changed'][number]): Promise<string | null> {
  const { path, size, link, formerId } = file;
  const { limits, workspace } = context.state;
  if (isProtected({ path, mode: link ? '120000' : '100644' }, limits)) return isProtectedWhy;
  if (link) return linkProblem(path, await readlink(join(workspace, path)));
  if (size > limits.maxFileKib * 1024) return `it is larger than \`max_file_kib\` (${limits.maxFileKib})`;
  const bytes = await readPlain(workspace, path, limits.maxFileKib * 1024).catch(() => null);
  if (!bytes) return 'it cannot be read as a plain file';
  const found = findSecrets(bytes, context.secrets());
  if (!found.length) return null;
  const secrets = newSecrets(
    found,
    formerId ? findSecrets((await context.run(['cat-file', 'blob', formerId])).bytes, []) : [],
  );
  return secrets.length ? `it contains a secret (${secrets.join(', ')})` : null;
}

/** With the commits' files, no more than the limit: new files are left first, as they may be a build's output. */
async function leaveTooMany(context: GateContext, found: Uncommitted, tip: string): Promise<void> {
  const { maxChangedFiles } = context.state.limits;
  const commits = await newCommits(context, tip, await trustedCommits(context));
  const before = new Set((await changesOf(context, commits)).map(({ path }) => path));
  const count = () => new Set([...before, ...found.deleted, ...found.changed.map(({ path }) => path)]).size;
  if (count() <= maxChangedFiles) return;
  const why = `together with the rest it is more than \`max_changed_files\` (${maxChangedFiles})`;
  const fresh = found.changed.filter(({ formerId }) => !formerId);
  found.changed = found.changed.filter(({ formerId }) => formerId);
  found.left.push(...fresh.map(({ path }) => ({ path, why })));
  if (count() <= maxChangedFiles) return;
  found.left.push(...allOf(found, why));
  found.changed = [];
  found.deleted = [];
}

function allOf({ changed, deleted }: Uncommitted, why: string): LeftOut[] {
  return [...changed.map(({ path }) => path), ...deleted].map((path) => ({ path, why }));
}
