/** What is uncommitted in the work tree, found from the gate's own repository and index, never with the checkout's `.git`. */
import { createHash } from 'node:crypto';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type GitOutput, git } from '../git.ts';
import { absent, isRealDirectory, openPlain } from '../plain-files.ts';
import { type GateContext, type GateState, splitZ } from './gate-state.ts';

/** Uncommitted work, sorted by what can be done with it. Paths are relative to the checkout, with `/`. */
export interface Uncommitted {
  /** Plain files and links that are new or changed; `formerId` is the blob that is committed, null for a new file. */
  changed: { path: string; formerId: string | null; size: number; link: boolean }[];
  deleted: string[];
  /** What git cannot take safely, each with the reason that a person is told. */
  left: LeftOut[];
}

export interface LeftOut {
  path: string;
  why: string;
}

/** Runs git over the work tree with the gate's repository and one index; `core.bare` gives way to the work tree. */
export type RunOverTree = (args: string[], stdin?: string) => Promise<GitOutput>;

/** What a file looked like, so that it can be seen whether it was touched since; null when it was not there. */
type Signature = string | null;

const beforeFile = 'before.json';

/**
 * Remembers what was already uncommitted when Claude got the workspace (build steps, credential files of other actions,
 * files that a sparse checkout leaves away), so that it is not taken for Claude's work.
 */
export async function rememberTree({ state }: GateContext): Promise<void> {
  const run = (args: string[]) =>
    git(args, { gitDir: join(state.workspace, '.git'), workTree: state.workspace, cwd: state.workspace });
  const listed = splitZ((await run(['ls-files', '-z', '-m', '-d', '-o', '--exclude-standard'])).stdout);
  const staged = splitZ(
    (await run(['diff-index', '--cached', '--name-only', '--no-renames', '-z', 'HEAD', '--'])).stdout,
  );
  const tagged = splitZ((await run(['ls-files', '-z', '-t'])).stdout);
  const skipped = tagged.filter((line) => line.startsWith('S ')).map((line) => line.slice(2));
  const before: Record<string, Signature> = {};
  for (const path of [...listed, ...staged, ...skipped]) before[path] = await signature(state, path);
  await writeFile(join(state.directory, beforeFile), JSON.stringify(before), { mode: 0o600 });
}

/** Prepares `indexFile` with the tree of `tip` and says how to run git over the work tree with it. */
export async function overTree(context: GateContext, indexFile: string, tip: string): Promise<RunOverTree> {
  const { state, run } = context;
  const options = { workTree: state.workspace, indexFile, config: state.fileConfig };
  await run(['read-tree', tip], options);
  const runOver: RunOverTree = (args, stdin) => run(args, { ...options, stdin });
  // Before anything else: commands that look for changes may run git inside a submodule, with the configuration that
  // Claude wrote there (gate.attacks.test.ts, "a submodule that was there before").
  const gitlinks = (await trackedFiles(runOver))
    .filter(({ mode }) => mode === '160000')
    .map(({ path }) => path);
  if (gitlinks.length)
    await runOver(['update-index', '-z', '--skip-worktree', '--stdin'], gitlinks.join('\0'));
  return runOver;
}

/** Compares the work tree with the index that `overTree` made. */
export async function uncommitted({ state }: GateContext, run: RunOverTree): Promise<Uncommitted> {
  const before = JSON.parse(await readFile(join(state.directory, beforeFile), 'utf8')) as Record<
    string,
    Signature
  >;
  const tracked = new Map((await trackedFiles(run)).map(({ path, id }) => [path, id]));
  const modified = splitZ((await run(['ls-files', '-z', '-m', '-d'])).stdout);
  const fresh = splitZ((await run(['ls-files', '-z', '-o', '--exclude-standard'])).stdout);
  // What sits where a directory was (a link, say) hides all tracked files that were below it.
  const covering = new Set(fresh);
  const covered = [...tracked.keys()].filter((path) => parents(path).some((parent) => covering.has(parent)));
  const result: Uncommitted = { changed: [], deleted: [], left: [] };
  for (const path of new Set([...modified, ...fresh, ...covered])) {
    if (path in before && before[path] === (await signature(state, path))) continue;
    await sort(result, { workspace: state.workspace, path, formerId: tracked.get(path) ?? null });
  }
  await leaveFiltered(result, { run, workspace: state.workspace, tracked });
  return result;
}

async function sort(
  result: Uncommitted,
  at: { workspace: string; path: string; formerId: string | null },
): Promise<void> {
  const { workspace, path, formerId } = at;
  if (path.includes('\ufffd')) return void result.left.push({ path, why: 'its name is not valid UTF-8' });
  if (path.endsWith('/')) return void result.left.push({ path, why: 'it is a repository of its own' });
  const found = (await isBelowRealDirectories(workspace, path))
    ? await lstat(join(workspace, path)).catch(absent)
    : undefined;
  if (found?.isFile() || found?.isSymbolicLink()) {
    result.changed.push({ path, formerId, size: found.size, link: found.isSymbolicLink() });
  } else if (formerId) {
    result.deleted.push(path);
  } else if (found) {
    result.left.push({ path, why: 'it is neither a file nor a link' });
  }
}

/** Files that a filter (Git LFS, git-crypt) would turn into something else: the filter is a command, so it is not run. */
async function leaveFiltered(
  result: Uncommitted,
  { run, workspace, tracked }: { run: RunOverTree; workspace: string; tracked: Map<string, string> },
): Promise<void> {
  if (!result.changed.length) return;
  const asked = result.changed.map(({ path }) => `${path}\0`).join('');
  const words = (await run(['check-attr', '-z', '--stdin', 'filter'], asked)).stdout.split('\0');
  const filtered = new Set<string>();
  for (let at = 0; at + 2 < words.length; at += 3) {
    if (!['unspecified', 'unset'].includes(words[at + 2]!)) filtered.add(words[at]!);
  }
  result.changed = result.changed.filter(({ path, link }) => link || !filtered.has(path));
  for (const path of filtered) {
    const id = tracked.get(path);
    if (id && (await isUnchangedLfs({ run, workspace, path, id }))) continue;
    result.left.push({ path, why: 'it has a `filter` attribute (such as Git LFS)' });
  }
}

/** A Git LFS pointer names the SHA-256 of its file, so no filter is needed to see that nothing changed. */
async function isUnchangedLfs(at: {
  run: RunOverTree;
  workspace: string;
  path: string;
  id: string;
}): Promise<boolean> {
  const pointer = (await at.run(['cat-file', 'blob', at.id])).stdout;
  const expected = /^oid sha256:([0-9a-f]{64})$/m.exec(pointer.slice(0, 1024))?.[1];
  const file = expected ? await openPlain(at.workspace, at.path) : null;
  if (!file) return false;
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream()) hash.update(chunk);
  return hash.digest('hex') === expected;
}

async function trackedFiles(run: RunOverTree): Promise<{ mode: string; id: string; path: string }[]> {
  return splitZ((await run(['ls-files', '-z', '-s'])).stdout).map((line) => {
    const [mode, id] = line.split(' ') as [string, string];
    return { mode, id, path: line.slice(line.indexOf('\t') + 1) };
  });
}

/** False when a directory above is a link or a file now: nothing below it is the repository's. */
function isBelowRealDirectories(workspace: string, path: string): Promise<boolean> {
  return isRealDirectory(workspace, path.split('/').slice(0, -1).join('/')).catch(() => false);
}

/**
 * The change time cannot be set by hand, so an equal signature means an untouched file. Where the owner changes, the
 * time of the content has to do: who sets that back by hand only hides work from being published.
 */
async function signature({ workspace, changesHands }: GateState, path: string): Promise<Signature> {
  const found = await lstat(join(workspace, path), { bigint: true }).catch(absent);
  if (!found) return null;
  return [found.mode, found.size, found.ino, changesHands ? found.mtimeNs : found.ctimeNs].join(' ');
}

function parents(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
