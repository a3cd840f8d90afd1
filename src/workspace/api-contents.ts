/** What one commit changes, in the two forms that GitHub's API takes: plain files by name, and entries of a tree. */
import type { GitHubClient } from '../github/client.ts';
import { type BranchPlace, createBlob, type TreeEntry } from '../github/commits.ts';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { type Change, differences } from './changes.ts';
import { type GateContext, knownRefs } from './gate-state.ts';
import { readObjects } from './secret-scan.ts';
import type { OwnCommit } from './signed-commits.ts';

/** A commit against its first parent. */
export interface Content {
  message: string;
  /** The first parent's tree; null for a commit without parents. */
  base: string | null;
  changes: Change[];
  /** Blobs that are not on GitHub yet, by id. */
  blobs: Map<string, Buffer>;
}

/** Every repository has it, whether or not it is stored. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** Bytes that one request carries; beyond it each file is a request of its own. */
const maxRequestBytes = 4 * 2 ** 20;

const deleted = '000000';

export async function contentOf(context: GateContext, commit: OwnCommit): Promise<Content> {
  const { state, run } = context;
  const [parent] = commit.parents;
  const changes = await differences(context, parent ?? emptyTree, commit.sha);
  const unreadable = changes.find(({ path }) => path.includes('\ufffd'));
  if (unreadable) throw notText(unreadable.path);
  const known = [...commit.parents, state.base, ...state.trusted];
  const args = ['rev-list', '--objects', '--no-object-names', '--missing=allow-any', commit.sha];
  const { stdout } = await run([...args, '--not', ...known, `--glob=${knownRefs}`]);
  const fresh = new Set(stdout.split('\n'));
  const wanted = changes.filter(({ mode, id }) => isFile(mode) && fresh.has(id)).map(({ id }) => id);
  const blobs = new Map<string, Buffer>();
  for await (const [id, bytes] of readObjects(context, [...new Set(wanted)]))
    blobs.set(id, Buffer.from(bytes));
  const base = parent ? (await run(['rev-parse', `${parent}^{tree}`])).stdout : null;
  return { message: commit.message, base, changes, blobs };
}

/** Null for what `createCommitOnBranch` cannot say: modes, links, submodules, much at once, nothing at all. */
export function asFileChanges({ message, changes, blobs }: Content) {
  const isPlain = changes.every(
    ({ mode, oldModes, id }) =>
      oldModes.every(
        (old) => old === deleted || old === '100644' || (mode === deleted && old === '100755'),
      ) &&
      (mode === deleted || (mode === '100644' && blobs.has(id))),
  );
  const bytes = [...blobs.values()].reduce((sum, { length }) => sum + length, 0);
  const said = /^\S[^\n]*(\n\n\S[\s\S]*)?\n$/.test(`${message.trimEnd()}\n`) && !message.startsWith('\n');
  if (!isPlain || !said || !changes.length || bytes > maxRequestBytes || replacesDirectory(changes))
    return null;
  return {
    additions: changes.flatMap(({ path, mode, id }) =>
      mode === deleted ? [] : [{ path, content: blobs.get(id)! }],
    ),
    deletions: changes.filter(({ mode }) => mode === deleted).map(({ path }) => path),
  };
}

/** Exact for every mode; what is not text of a moderate size is uploaded first. */
export async function asTreeEntries(
  { changes, blobs }: Content,
  { client, place }: { client: GitHubClient; place: BranchPlace },
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const added = changes.filter(({ mode }) => mode !== deleted).map(({ path }) => path);
  let bytes = 0;
  for (const { path, mode, id } of changes) {
    if (mode === deleted) {
      // What is put in its place takes it away.
      const isReplaced = added.some((one) => one.startsWith(`${path}/`) || path.startsWith(`${one}/`));
      if (!isReplaced) entries.push({ path, mode: '100644', sha: null });
      continue;
    }
    const content = blobs.get(id);
    const text = content?.toString() ?? '';
    const isText =
      content !== undefined && bytes + content.length <= maxRequestBytes && content.equals(Buffer.from(text));
    if (isText) {
      bytes += content.length;
      entries.push({ path, mode, content: text });
      continue;
    }
    entries.push({ path, mode, sha: content ? await createBlob(client, place, content) : id });
  }
  return entries;
}

function replacesDirectory(changes: Change[]): boolean {
  const names = changes.map(({ path }) => path);
  return names.some((name) => names.some((other) => other.startsWith(`${name}/`)));
}

function isFile(mode: string): boolean {
  return mode.startsWith('10') || mode === '120000';
}

function notText(path: string): AppError {
  return new AppError(
    'gate_refused',
    `The name ${shown(path)} is not valid UTF-8, which GitHub's API cannot take.`,
    {
      remedy: 'Rename the file in the commit that adds it.',
    },
  );
}
