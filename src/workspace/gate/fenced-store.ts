/** Git inside the fence, on a repository of the host's making whose objects are the workspace's own. */
import { randomUUID } from 'node:crypto';
import { chown, copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fence } from '../../words/fence.ts';
import type { GitOptions, GitOutput } from '../git.ts';
import { makeRepository } from '../object-store.ts';
import { absent } from '../plain-files.ts';
import type { GateContext } from './gate-state.ts';

export interface FencedStore {
  /** The index of this store. */
  indexFile: string;
  /** Git in the fence, without network. Whatever it reads that Claude has written, it can hurt nothing but its answer. */
  run(args: string[], options?: GitOptions): Promise<GitOutput>;
  close(): Promise<void>;
}

/**
 * Claude's configuration, hooks and refs have no part in it: only its objects, and its alternates, which lead nowhere
 * inside the fence. @param writes whether the workspace can be written: new objects go to where Claude's are.
 */
export async function openFencedStore(
  context: GateContext,
  fence: Fence,
  { writes = false } = {},
): Promise<FencedStore> {
  const { state, repository } = context;
  const directory = join(state.directory, `fenced-${randomUUID()}`);
  const own = join(directory, 'repository.git');
  await makeRepository(own);
  for (const name of ['shallow', 'info/exclude', 'info/attributes']) {
    if (await stat(join(repository, name)).catch(absent))
      await copyFile(join(repository, name), join(own, name));
  }
  await mkdir(join(own, 'refs/heads'), { recursive: true });
  if (fence.owner) await giveTo(directory, fence.owner);
  const enclosure = { fence, writable: [directory], readOnlyWorkspace: !writes };
  const objectDirectory = join(state.workspace, '.git/objects');
  return {
    indexFile: join(directory, 'index'),
    run: (args, options) => context.run(args, { gitDir: own, objectDirectory, enclosure, ...options }),
    close: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function giveTo(directory: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const names = await readdir(directory, { recursive: true });
  for (const name of ['', ...names]) await chown(join(directory, name), uid, gid);
}
