/** What one commit changes, in the two forms that GitHub's API takes: plain files by name, and entries of a tree. */
import type { GitHubClient } from '../../github/client.ts';
import { type BranchPlace, createBlob, type TreeEntry } from '../../github/commits.ts';
import { AppError } from '../../words/errors.ts';
import { shown } from '../../words/shown.ts';
import { type Change, differences } from '../gate/changes.ts';
import { type GateContext, knownRefs } from '../gate/gate-state.ts';
import { readObjects } from '../gate/secret-scan.ts';
import type { Replayed } from './replay.ts';

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

/** GitHub takes blobs of 100 MB, but cuts requests that are far smaller; base64 makes a third more of a file. */
const maxFileBytes = 25 * 2 ** 20;

const deleted = '000000';

export async function contentOf(context: GateContext, commit: Replayed): Promise<Content> {
  const { message, from: base, published } = commit;
  const changes = await differences(context, base ?? emptyTree, published);
  const unreadable = changes.find(({ path }) => path.includes('\ufffd'));
  if (unreadable) throw notText(unreadable.path);
  const here = changes.filter(({ mode }) => isFile(mode)).map(({ id }) => id);
  const wanted = commit.exact ? await notThere(context, commit, here) : here;
  const blobs = new Map<string, Buffer>();
  for await (const [id, bytes] of readObjects(context, [...new Set(wanted)])) {
    if (bytes.length > maxFileBytes) throw tooLarge(changes.find((change) => change.id === id)!.path, bytes);
    blobs.set(id, Buffer.from(bytes));
  }
  return { message, base, changes, blobs };
}

/** Those that no commit has brought to GitHub yet; what others' files were merged into is always new. */
async function notThere({ state, run }: GateContext, commit: Replayed, ids: string[]): Promise<string[]> {
  const known = [...commit.parents, state.base, ...state.trusted];
  const args = ['rev-list', '--objects', '--no-object-names', '--missing=allow-any', commit.sha];
  const { stdout } = await run([...args, '--not', ...known, `--glob=${knownRefs}`]);
  const fresh = new Set(stdout.split('\n'));
  return ids.filter((id) => fresh.has(id));
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

function tooLarge(path: string, { length }: Buffer): AppError {
  return new AppError(
    'gate_refused',
    `${shown(path)} has ${Math.ceil(length / 2 ** 20)} MiB; through GitHub's API a file may have ${maxFileBytes / 2 ** 20}.`,
    { remedy: 'Leave it out, or have the commits signed by `ssh_signing_key`, which are pushed.' },
  );
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
