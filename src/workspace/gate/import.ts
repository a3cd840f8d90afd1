/** Takes Claude's commits over into the gate: files are read, objects recomputed, and nothing in the workspace is asked or run. */
import { randomUUID } from 'node:crypto';
import { copyFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../words/errors.ts';
import type { Fence } from '../../words/fence.ts';
import { copyHostileObjects, makeRepository } from '../object-store.ts';
import { absent, isRealDirectory } from '../plain-files.ts';
import { readHead, readRef } from '../refs.ts';
import { openFencedStore } from './fenced-store.ts';
import { type GateContext, isAncestor, requiredAncestor } from './gate-state.ts';

export interface Taken {
  /** The tip of Claude's work, now in the gate; when nothing is new, what it builds on. */
  sha: string;
  isNew: boolean;
}

/** The last tip that was taken, for the patch. */
export const takenRef = 'refs/taken/tip';

/** Bytes of new objects that are copied out of the workspace, and of the pack that is made of them. */
const maxImportBytes = 2 ** 31;

/**
 * The tip is HEAD when it descends from the task's branch or that branch is gone; else the branch. (So commits made on
 * a detached HEAD or another branch are not lost, and a look at an older commit publishes nothing wrong.)
 * @throws AppError `gate_refused` when `.git` is not what it was, an object is damaged or missing, or the tip does not
 * descend from what is published.
 */
export async function takeCommits(context: GateContext): Promise<Taken> {
  const { state, run } = context;
  const gitDirectory = join(state.workspace, '.git');
  if (!(await isRealDirectory(state.workspace, '.git'))) throw damaged('`.git` is gone');
  const branchTip = await readRef(gitDirectory, `refs/heads/${state.branch}`);
  const { sha: headTip } = await readHead(gitDirectory);
  const tips = [...new Set([branchTip, headTip])].filter((tip) => tip !== null);
  if (!tips.length) throw damaged(`neither HEAD nor the branch \`${state.branch}\` has a commit`);

  return withObjects(context, tips, async (quarantine) => {
    const tip = await chooseTip(quarantine, { branchTip, headTip });
    const required = await requiredAncestor(context);
    const behind = await refusing('its history is damaged', isAncestor(quarantine, tip, required));
    if (behind) return { sha: required, isNew: false };
    await carryOver(context, quarantine, tip);
    if (!(await isAncestor(context, required, tip))) throw rewritten(required, tip);
    await run(['update-ref', takenRef, tip]);
    return { sha: tip, isNew: true };
  });
}

/** Takes over one commit that the host had made in the fence, on top of what was taken before. */
export async function takeCommit(context: GateContext, sha: string, parent: string): Promise<void> {
  await withObjects(context, [sha], (quarantine) => carryOver(context, quarantine, sha));
  const found = (await context.run(['rev-parse', `${sha}^@`])).stdout;
  if (found !== parent) throw damaged(`commit ${sha} is not what was to be committed`);
  await context.run(['update-ref', takenRef, sha]);
}

/** Lays the objects of the workspace beside the gate's, where they can be looked at; nothing of them is in the gate yet. */
async function withObjects<T>(
  context: GateContext,
  tips: string[],
  work: (quarantine: GateContext) => Promise<T>,
): Promise<T> {
  const { state, repository, run, fence } = context;
  const quarantine = join(state.directory, `quarantine-${randomUUID()}`);
  const inQuarantine: GateContext = {
    ...context,
    repository: quarantine,
    run: (args, options) => run(args, { gitDir: quarantine, ...options }),
  };
  try {
    await makeRepository(quarantine, { borrowFrom: [join(repository, 'objects')] });
    await copyShallow(repository, quarantine);
    if (fence) await packInFence(context, fence, { tips, quarantine: inQuarantine });
    else await copyIn(context, inQuarantine);
    return await work(inQuarantine);
  } finally {
    await rm(quarantine, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Without a fence the host reads the files itself, plain ones only, and asks no git about them. */
async function copyIn({ state, repository }: GateContext, quarantine: GateContext): Promise<void> {
  const packs = await copyHostileObjects(join(state.workspace, '.git'), quarantine.repository, {
    known: repository,
    maxBytes: maxImportBytes,
  });
  for (const pack of packs) await refusing('a pack is damaged', quarantine.run(['index-pack', pack]));
}

/** With a fence git reads them in there, and what comes out is a pack whose every id is computed again. */
async function packInFence(
  context: GateContext,
  fence: Fence,
  { tips, quarantine }: { tips: string[]; quarantine: GateContext },
): Promise<void> {
  const { run } = context;
  const store = await openFencedStore(context, fence);
  try {
    const known = (await run(['for-each-ref', '--format=%(objectname)'])).stdout.split('\n').filter(Boolean);
    const stdin = [...tips, ...known].map((sha) => `${sha}\n`).join('');
    const there = await refusing(
      'its objects cannot be read',
      store.run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], { stdin }),
    );
    const commits = new Set(there.stdout.split('\n'));
    const isThere = (sha: string) => commits.has(`${sha} commit`);
    for (const tip of tips) if (!isThere(tip)) throw damaged(`commit ${tip} cannot be read`);
    const pack = join(quarantine.repository, 'fenced.pack');
    const packing = store.run(['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '-q'], {
      stdin: [...tips, ...known.filter(isThere).map((sha) => `^${sha}`), ''].join('\n'),
      stdoutFile: pack,
      maxFileBytes: maxImportBytes,
    });
    await refusing('an object of the new commits is missing or damaged', packing);
    const indexing = ['index-pack', '--stdin', '--fix-thin', `--max-input-size=${maxImportBytes}`];
    await refusing('the pack is damaged', quarantine.run(indexing, { stdinFile: pack }));
  } finally {
    await store.close();
  }
}

async function chooseTip(
  quarantine: GateContext,
  tips: { branchTip: string | null; headTip: string | null },
): Promise<string> {
  const { branchTip, headTip } = tips;
  for (const tip of [branchTip, headTip]) {
    if (!tip) continue;
    const type = await quarantine.run(['cat-file', '-t', tip], { allowedCodes: [0, 1, 128] });
    if (type.stdout !== 'commit') throw damaged(`commit ${tip} cannot be read`);
  }
  if (!branchTip || !headTip || branchTip === headTip) return (branchTip ?? headTip)!;
  const descends = await refusing('its history is damaged', isAncestor(quarantine, branchTip, headTip));
  return descends ? headTip : branchTip;
}

/** Packs what the gate lacks and lets index-pack recompute every id, so that no object can pose as another. */
async function carryOver(context: GateContext, quarantine: GateContext, tip: string): Promise<void> {
  const { state, run } = context;
  const have = (await run(['for-each-ref', '--format=^%(objectname)'])).stdout;
  const pack = join(quarantine.repository, 'new.pack');
  const packing = quarantine.run(
    ['pack-objects', '--revs', '--stdout', '--thin', '--delta-base-offset', '-q'],
    {
      stdin: `${tip}\n${have}\n`,
      stdoutFile: pack,
    },
  );
  await refusing('an object of the new commits is missing or damaged', packing);
  // A partial clone lacks unchanged files, which `--strict` would miss; its fsck checks are the same.
  const strictness = state.partial ? '--fsck-objects' : '--strict';
  const indexing = run(
    ['index-pack', '--stdin', '--fix-thin', strictness, `--max-input-size=${maxImportBytes}`],
    { stdinFile: pack },
  );
  await refusing('the new commits hold an object that Git refuses', indexing);
  const missing = state.partial ? ['--missing=allow-any'] : [];
  await refusing(
    'an object of the new commits is missing',
    run(['rev-list', '--objects', '--quiet', ...missing, tip, '--not', '--all']),
  );
}

async function copyShallow(from: string, to: string): Promise<void> {
  if (await stat(join(from, 'shallow')).catch(absent))
    await copyFile(join(from, 'shallow'), join(to, 'shallow'));
}

/** What git says of hostile objects is a refusal that Claude can repair, not a failure of the machine. */
async function refusing<T>(what: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!(error instanceof AppError) || error.reason !== 'git_failed') throw error;
    throw damaged(`${what}. ${error.message}`, error);
  });
}

function damaged(what: string, cause?: unknown): AppError {
  return new AppError('gate_refused', `The commits cannot be taken out of the checkout: ${what}.`, {
    cause,
    remedy: 'Make sure that `git fsck` is content and the work is committed on the branch of this task.',
  });
}

function rewritten(required: string, tip: string): AppError {
  return new AppError(
    'gate_refused',
    `Commit ${tip.slice(0, 12)} does not descend from ${required.slice(0, 12)}, which is published or was there at the start: history was rewritten.`,
    {
      remedy: `Put the work on top of it: \`git rebase ${required}\`, or \`git reset --soft ${required}\` and commit again.`,
    },
  );
}
