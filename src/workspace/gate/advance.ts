/** Moves the checkout to a commit that the host made of Claude's files, so that Claude's next commit builds on it. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Fence } from '../../words/fence.ts';
import { isRealDirectory } from '../plain-files.ts';
import { readHead } from '../refs.ts';
import type { GateContext } from './gate-state.ts';

export interface Advance {
  sha: string;
  /** Where the checkout must be; elsewhere it stays as it is. */
  parent: string;
}

/**
 * A convenience for what comes next: what is published does not depend on it. The files of the work tree are what they
 * were; the index becomes the commit's.
 */
export async function advance(context: GateContext, to: Advance): Promise<void> {
  try {
    if (context.fence) await advanceInFence(context, context.fence, to);
    else await advanceByFiles(context, to);
  } catch {
    // Its HEAD is elsewhere, its repository is out of order, or another git is at work there: it stays as it is.
  }
}

/** The one time that git obeys the configuration that Claude wrote. */
async function advanceInFence(
  { state, run }: GateContext,
  fence: Fence,
  { sha, parent }: Advance,
): Promise<void> {
  const inside = {
    gitDir: join(state.workspace, '.git'),
    workTree: state.workspace,
    enclosure: { fence },
    timeoutMs: 60_000,
  };
  await run(['update-ref', '-m', 'Commit made by the host', 'HEAD', sha, parent], inside);
  await run(['reset', '-q'], inside);
}

/** Without a fence no git runs in the checkout: pack, index and branch are put there as git itself would put them. */
async function advanceByFiles(context: GateContext, { sha, parent }: Advance): Promise<void> {
  const { state, run } = context;
  const gitDirectory = join(state.workspace, '.git');
  const head = await readHead(gitDirectory);
  if (!head.ref || head.sha !== parent) return;
  const own = join(state.directory, `advance-${randomUUID()}`);
  await mkdir(own, { mode: 0o700 });
  const packs = 'objects/pack';
  const branches = dirname(head.ref);
  // The directories are there, and lead nowhere else.
  if (!(await isRealDirectory(gitDirectory, packs)) || !(await isRealDirectory(gitDirectory, 'refs/heads')))
    return;
  if (!(await isRealDirectory(gitDirectory, branches)))
    await mkdir(join(gitDirectory, branches), { recursive: true });
  const locks: string[] = [];
  try {
    const indexFile = join(own, 'index');
    await run(['read-tree', sha], { indexFile });
    await run(['pack-objects', '-q', '--revs', join(own, 'pack')], { stdin: `${sha}\n^${parent}\n` });
    for (const name of (await readdir(own)).filter((file) => /^pack-.*\.(?:pack|idx)$/.test(file)).reverse())
      await copyFile(join(own, name), join(gitDirectory, packs, basename(name)), constants.COPYFILE_EXCL);
    for (const name of ['index', head.ref]) {
      const lock = join(gitDirectory, `${name}.lock`);
      // As git does: who has the lock may write, and nobody waits for it.
      const file = await open(lock, 'wx', 0o644);
      locks.push(lock);
      if (name === head.ref) await file.writeFile(`${sha}\n`);
      await file.close();
    }
    await copyFile(indexFile, locks[0]!);
    if ((await readHead(gitDirectory)).sha !== parent) return;
    await rename(locks[1]!, join(gitDirectory, head.ref));
    await rename(locks[0]!, join(gitDirectory, 'index'));
  } finally {
    for (const path of [...locks, own]) await rm(path, { recursive: true, force: true });
  }
}
