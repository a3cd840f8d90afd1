/** Does published work still merge with its base? Tried in the gate's own repository; nothing is made of it. */

import { requireSha } from '../refs.ts';
import type { Remote } from '../remote.ts';
import { type GateContext, publishedTip, splitZ } from './gate-state.ts';

export interface TrialRequest {
  /** The repository of the base branch. */
  remote: Remote;
  /** Where the base branch was when the run began, and where it is. */
  base: { before: string; now: string };
}

export interface TrialMerge {
  /** Commits that the base has got since. */
  newer: number;
  /** Files that both have changed in ways that do not go together. */
  conflicts: string[];
}

/**
 * @returns null when nothing was published, the base has nothing new, or the contents are not all here.
 * @throws AppError `git_failed` (an old git, or no common history); `github_*`
 */
export async function trialMerge(
  context: GateContext,
  { remote, base }: TrialRequest,
): Promise<TrialMerge | null> {
  const { run, state } = context;
  const { before, now } = base;
  requireSha(now);
  const tip = await publishedTip(context);
  if (!tip || state.partial || now === before) return null;
  const options = ['-q', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-gc'];
  // Once and not for long: it is only for a note.
  const network = { remote, retryDelaysMs: [], timeoutMs: 30_000 };
  await run(['fetch', ...options, remote.url, now], network);
  const newer = Number((await run(['rev-list', '--count', now, '--not', before, tip])).stdout);
  if (newer === 0) return null;
  const merged = await run(['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', now, tip], {
    allowedCodes: [0, 1],
    timeoutMs: 30_000,
  });
  // First the tree that it would be.
  return { newer, conflicts: merged.code === 0 ? [] : splitZ(merged.stdout).slice(1) };
}
