/** Keeps unpublished work as a patch file: commits and uncommitted changes together, without secrets. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { shown } from '../../words/shown.ts';
import { isRealDirectory } from '../plain-files.ts';
import { differences } from './changes.ts';
import { secretsBefore } from './checks.ts';
import { type GateContext, isAncestor, requiredAncestor } from './gate-state.ts';
import { takeCommits, takenRef } from './import.ts';
import { stage } from './leftovers.ts';
import { newSecrets, secretsOf } from './secret-scan.ts';
import { type LeftOut, overTree, type RunOverTree, type Uncommitted, uncommitted } from './work-tree.ts';

export interface Patch {
  file: string;
  /** The commit that `git apply` needs. */
  base: string;
  /** What is not even in the patch; it is only in the checkout. */
  left: LeftOut[];
}

/** Most files that are taken up, and the most bytes of one: a patch of a whole build directory helps nobody. */
const maxFiles = 5000;
const maxBytes = 2 ** 26;

/**
 * Writes everything that is not published to `file` (mode 0600, for `git apply` on `base`).
 * @returns null when there is nothing to keep.
 */
export async function keepPatch(context: GateContext, file: string): Promise<Patch | null> {
  await takeCommits(context).catch(() => undefined);
  const base = await requiredAncestor(context);
  const indexFile = join(context.state.directory, `index-${randomUUID()}`);
  const body = join(context.state.directory, `patch-${randomUUID()}`);
  try {
    const run = await overTree(context, indexFile, await unpublishedTip(context, base));
    const found = await uncommitted(context, run);
    const left = leaveLarge(found);
    found.left.push(...(await stage(run, found)));
    left.push(...(await stageRaw(context, run, found.left)));
    const tree = (await run(['write-tree'])).stdout;
    const secret = await pathsWithSecrets(context, base, tree);
    left.push(...secret.map((path) => ({ path, why: 'it contains a secret' })));
    const without = secret.map((path) => `:(top,exclude,literal)${path}`);
    const format = ['-r', '-p', '--binary', '--full-index', '--no-renames', '--no-ext-diff', '--no-textconv'];
    await context.run(['diff-tree', ...format, base, tree, '--', ...without], { stdoutFile: body });
    if (!(await stat(body)).size) return null;
    await write({ file, base, left }, body);
    return { file, base, left };
  } finally {
    await Promise.all([indexFile, body].map((path) => rm(path, { force: true })));
  }
}

async function unpublishedTip(context: GateContext, base: string): Promise<string> {
  const taken = (await context.run(['rev-parse', '--verify', '-q', takenRef], { allowedCodes: [0, 1] }))
    .stdout;
  return taken && (await isAncestor(context, base, taken)) ? taken : base;
}

function leaveLarge(found: Uncommitted): LeftOut[] {
  const fits = (file: Uncommitted['changed'][number], index: number) =>
    file.size <= maxBytes && index < maxFiles;
  const left = found.changed.filter((file, index) => !fits(file, index));
  found.changed = found.changed.filter(fits);
  return left.map(({ path }) => ({ path, why: 'it is too large, or one of too many, for a patch' }));
}

/** Files that could not be committed (filters, repositories of their own) go into the patch byte by byte. */
async function stageRaw(context: GateContext, run: RunOverTree, candidates: LeftOut[]): Promise<LeftOut[]> {
  const { workspace } = context.state;
  const left: LeftOut[] = [];
  const files: string[] = [];
  for (const { path, why } of candidates) {
    const found = path.includes('\n') || path.includes('\ufffd') ? [] : await plainFiles(workspace, path);
    if (found.length && files.length + found.length <= maxFiles) files.push(...found);
    else left.push({ path, why });
  }
  if (!files.length) return left;
  const stdin = files.map((path) => `${join(workspace, path)}\n`).join('');
  const ids = (
    await context.run(['hash-object', '-w', '--no-filters', '--stdin-paths'], { stdin })
  ).stdout.split('\n');
  await run(
    ['update-index', '-z', '--index-info'],
    files.map((path, index) => `100644 ${ids[index]}\t${path}\0`).join(''),
  );
  return left;
}

/** The plain files at or below a path; what `.git` holds, links and line breaks in names are left out. */
async function plainFiles(workspace: string, path: string): Promise<string[]> {
  const name = path.replace(/\/$/, '');
  const parent = name.split('/').slice(0, -1).join('/');
  if (!(await isRealDirectory(workspace, parent).catch(() => false))) return [];
  const found = await lstat(join(workspace, name));
  if (found.isFile() && found.size <= maxBytes) return [name];
  if (!found.isDirectory()) return [];
  const names = (await readdir(join(workspace, name))).filter(
    (entry) => entry.toLowerCase() !== '.git' && !entry.includes('\n'),
  );
  return (await Promise.all(names.map((entry) => plainFiles(workspace, `${name}/${entry}`)))).flat();
}

async function pathsWithSecrets(context: GateContext, base: string, tree: string): Promise<string[]> {
  const changes = (await differences(context, base, tree)).filter(({ mode }) => mode.startsWith('10'));
  const found = await secretsOf(
    context,
    changes.map(({ id }) => id),
  );
  const before = found.size ? await secretsBefore(context, changes) : [];
  return changes.filter(({ id }) => newSecrets(found.get(id) ?? [], before).length).map(({ path }) => path);
}

async function write({ file, base, left }: Patch, body: string): Promise<void> {
  const lines = [
    'Work that was not published. To have it:',
    `  git checkout ${base} && git apply --index <this file>`,
    ...left.map(({ path, why }) => `Not in here: ${shown(path)}, because ${why}.`),
    '',
    '',
  ];
  const target = await open(file, 'w', 0o600);
  try {
    await target.write(lines.join('\n'));
    for await (const chunk of createReadStream(body)) await target.write(chunk as Buffer);
  } finally {
    await target.close();
  }
}
