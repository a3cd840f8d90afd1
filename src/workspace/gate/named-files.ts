/** Files that Claude names to have them committed or deleted: held to the checkout, and to what Git says is changed there. */
import { lstat, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../../words/errors.ts';
import { shown } from '../../words/shown.ts';
import { absent, isRealDirectory } from '../plain-files.ts';
import { isProtected } from './checks.ts';
import { type GateContext, splitZ } from './gate-state.ts';
import type { LeftOut, RunOverTree, Uncommitted } from './work-tree.ts';

export interface NamedFiles {
  /** As Claude gives them: absolute, or relative to the checkout; a directory means all below it. */
  paths: string[];
  /** True to delete them from the checkout first. */
  remove: boolean;
}

/** Narrows what was found to what was named. @throws AppError `gate_refused` for a name that stands for nothing. */
export async function keepNamed(
  context: GateContext,
  run: RunOverTree,
  { named, found }: { named: NamedFiles; found: Uncommitted },
): Promise<void> {
  const paths = inCheckout(context, named);
  const isNamed = (path: string) => paths.some((name) => covers(name, path));
  if (!named.remove) {
    const tracked = splitZ((await run(['ls-files', '-z'])).stdout);
    const here = [
      ...tracked,
      ...found.changed.map(({ path }) => path),
      ...found.left.map(({ path }) => path),
    ];
    const unknown = paths.filter((name) => !here.some((path) => covers(name, path)));
    if (unknown.length)
      throw refusal(unknown.map((path) => `${shown(path)} is not there, or \`.gitignore\` names it`));
  }
  found.deleted = found.deleted.filter(isNamed);
  // Of a directory to delete, what git does not have is nobody's to commit.
  found.changed = found.changed.filter(({ path }) => !named.remove && isNamed(path));
  found.left = found.left.filter(({ path }) => !named.remove && isNamed(path));
}

/** Half of what was asked for would be a surprise. @throws AppError `gate_refused` when anything was left out. */
export function refuseLeft(left: LeftOut[]): void {
  if (left.length) throw refusal(left.map(({ path, why }) => `${shown(path)}: ${why}`));
}

/**
 * Deletes tracked files, none behind a link. Submodules are left, as git would run inside of them.
 * @throws AppError `gate_refused` before anything is deleted that the gate would not let out.
 */
export async function removeNamed(context: GateContext, run: RunOverTree, named: NamedFiles): Promise<void> {
  const paths = inCheckout(context, named);
  const entries = splitZ((await run(['ls-files', '-z', '-s'])).stdout);
  const files = entries
    .filter((line) => !line.startsWith('160000'))
    .map((line) => line.slice(line.indexOf('\t') + 1))
    .filter((path) => paths.some((name) => covers(name, path)));
  const { state } = context;
  const { limits } = state;
  const kept = files.filter((path) => isProtected({ path }, limits));
  if (kept.length)
    throw refusal(kept.map((path) => `${shown(path)}: it is protected by \`protected_paths\``));
  if (files.length > limits.maxChangedFiles)
    throw refusal([`${files.length} files are more than \`max_changed_files\` (${limits.maxChangedFiles})`]);
  const there: string[] = [];
  for (const path of files) if (await isPlainlyThere(state.workspace, path)) there.push(path);
  if (!there.length) return;
  // `git rm` follows links on the way (named-files.test.ts, "deleting follows no link"). Whoever swaps a directory for one
  // at this moment has the fence around it, or without a fence could delete the file itself.
  if (context.fence) await run([...rm, '--pathspec-from-file=-', '--pathspec-file-nul'], there.join('\0'));
  else for (const path of there) await unlink(join(state.workspace, path));
}

const rm = ['--literal-pathspecs', 'rm', '-q', '-f', '--ignore-unmatch'];

async function isPlainlyThere(workspace: string, path: string): Promise<boolean> {
  if (!(await isRealDirectory(workspace, dirname(path)).catch(() => false))) return false;
  const found = await lstat(join(workspace, path)).catch(absent);
  return found !== undefined && !found.isDirectory();
}

function inCheckout({ state }: GateContext, { paths }: NamedFiles): string[] {
  return paths.map((given) => {
    const path = relative(state.workspace, resolve(state.workspace, given)).split(sep).join('/');
    const parts = path.split('/');
    if (
      !path ||
      parts[0] === '..' ||
      resolve(path) === path ||
      parts.some((part) => part.toLowerCase() === '.git')
    )
      throw refusal([`${shown(given)} is not a file of the checkout`]);
    return path;
  });
}

function covers(name: string, path: string): boolean {
  return path === name || path.startsWith(`${name}/`);
}

function refusal(problems: string[]): AppError {
  const list = problems.slice(0, 20).map((problem) => `- ${problem}`);
  return new AppError(
    'gate_refused',
    `Nothing was committed, because of the following:\n${list.join('\n')}`,
    {
      remedy: 'Leave these out, or change what is wrong with them, and call it again.',
    },
  );
}
