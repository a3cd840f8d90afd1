/** The branch of an issue: opened on GitHub with one empty commit, found again after a crash, never anybody else's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { validateBranchName } from './branch.ts';
import { pushAnswer, pushAnswers } from './gate/push-answer.ts';
import { type Environment, type GitOptions, type GitOutput, git, type Identity } from './git.ts';
import { mirrorTip } from './mirror.ts';
import { makeRepository } from './object-store.ts';
import { isSha, requireSha } from './refs.ts';
import type { Remote } from './remote.ts';
import { remoteTip } from './remote-tip.ts';

export interface OpeningRequest {
  mirror: string;
  remote: Remote;
  /** Names in the order of preference: `issueBranches(42)`. */
  candidates: string[];
  base: { ref: string; sha: string };
  /** Branches that are never opened or adopted, besides the base: the default branch. */
  neverTo: string[];
  identity: Identity;
  /** First line of the opening commit. */
  message: string;
  /** The thread's key, by which the commit is known again: `octo-org/hello#42`. */
  mark: string;
  environment?: Environment;
  signal?: AbortSignal;
}

export interface OpenedBranch {
  branch: string;
  /** Where the branch is now; the mirror holds it. */
  sha: string;
  /** Our empty commit, the first one of the branch. */
  opening: string;
  /** False when an earlier process had opened it. */
  isNew: boolean;
}

/** `git push` tells the server by this that there must be no such branch yet. */
const absentTip = '';
/** A branch is looked at again after a lost race: it may be our own, opened by a push whose answer was lost. */
const looks = 2;

/** `issue-42`, `issue-42-2`, `issue-42-3`. */
export function issueBranches(number: number): string[] {
  return ['', '-2', '-3'].map((suffix) => `issue-${number}${suffix}`);
}

/**
 * Opens the first free candidate, or adopts the one that this thread has opened before: known by its message, its
 * author and its place in the history, on the base. Calling it again after a crash makes no second branch.
 * @throws AppError `git_failed` when every name is taken or a rule of the repository forbids it; `github_*`.
 */
export async function openIssueBranch(request: OpeningRequest): Promise<OpenedBranch> {
  requireSha(request.base.sha);
  const never = new Set([request.base.ref, ...request.neverTo]);
  const candidates = request.candidates.filter((branch) => !never.has(branch));
  for (const branch of candidates) validateBranchName(branch);
  for (const branch of candidates) {
    for (let look = 0; look < looks; look++) {
      // The mirror was brought up to date just now; a branch that has come since makes the push fail, and is looked at.
      const isKnown = look > 0 || (await mirrorTip(request.mirror, `refs/heads/${branch}`, request)) !== null;
      const tip = isKnown ? await lookUp(legOf(request, branch)) : null;
      const opened = tip ? await adopt(request, branch, tip) : await open(request, branch);
      if (opened) return opened;
      if (tip) break;
    }
  }
  const names = candidates.map(shown).join(', ');
  throw new AppError(
    'git_failed',
    `Every branch that ${request.mark} may use is taken: ${names || 'none'}.`,
    {
      remedy: 'Delete or rename one of them on GitHub, then ask again.',
    },
  );
}

/**
 * Deletes a branch that never got more than its opening commit. The server compares: a commit that somebody pushed in
 * the same moment keeps the branch. @returns true when the branch is gone.
 */
export async function deleteEmptyBranch(request: {
  remote: Remote;
  branch: string;
  opening: string;
  environment?: Environment;
  signal?: AbortSignal;
}): Promise<boolean> {
  const { remote, branch, opening, environment, signal } = request;
  validateBranchName(branch);
  requireSha(opening);
  // Deleting needs no object, so that it works on a host that has no mirror.
  const directory = await mkdtemp(join(tmpdir(), 'forgehand-delete-'));
  try {
    await makeRepository(directory);
    const place = { gitDir: directory, environment, signal };
    const answer = await push({ place, remote, branch }, { from: '', expected: opening });
    if (answer === 'pushed') return true;
    return (await lookUp({ place, remote, branch })) === null;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What a network command needs to know. */
interface Leg {
  place: Pick<GitOptions, 'gitDir' | 'environment' | 'signal'>;
  remote: Remote;
  branch: string;
}

function legOf({ mirror, environment, signal, remote }: OpeningRequest, branch: string): Leg {
  return { place: { gitDir: mirror, environment, signal }, remote, branch };
}

const lookUp = ({ place, ...leg }: Leg) =>
  remoteTip((args, options) => git(args, { ...place, ...options }), leg);

/** Null when somebody was faster. */
async function open(request: OpeningRequest, branch: string): Promise<OpenedBranch | null> {
  const leg = legOf(request, branch);
  const sha = await commitOpening(request);
  const answer = await push(leg, { from: sha, expected: absentTip });
  return answer === 'pushed' ? { branch, sha, opening: sha, isNew: true } : null;
}

/** Null when the branch is somebody else's. */
async function adopt(request: OpeningRequest, branch: string, sha: string): Promise<OpenedBranch | null> {
  const { place, remote } = legOf(request, branch);
  const held = await git(['cat-file', '-e', `${sha}^{commit}`], { ...place, allowedCodes: [0, 1, 128] });
  // By its id and without a ref: other threads of the repository may be at the mirror at the same time.
  const options = ['-q', '--no-tags', '--no-write-fetch-head'];
  if (held.code !== 0) await git(['fetch', ...options, remote.url, sha], { ...place, remote });
  const opening = await findOpening(request, sha);
  return opening === null ? null : { branch, sha, opening, isNew: false };
}

/** An empty commit: the tree of the base, so that the draft pull request shows no change. */
async function commitOpening(request: OpeningRequest): Promise<string> {
  const { mirror, base, identity, environment, signal } = request;
  const args = ['commit-tree', `${base.sha}^{tree}`, '-p', base.sha, '-F', '-'];
  const made = await git(args, { gitDir: mirror, identity, environment, signal, stdin: messageOf(request) });
  return made.stdout;
}

function messageOf({ message, mark }: OpeningRequest): string {
  return `${oneLine(message)}\n\n${trailer(mark)}\n`;
}

function trailer(mark: string): string {
  return `Forgehand-Thread: ${oneLine(mark)}`;
}

/** Anybody who may push could forge it; it tells our branch from one that happens to have its name. */
async function findOpening(request: OpeningRequest, tip: string): Promise<string | null> {
  const { mirror, base, identity, mark, environment, signal } = request;
  const run = (args: string[], options?: GitOptions): Promise<GitOutput> =>
    git(args, { gitDir: mirror, environment, signal, ...options });
  const format = '--format=%H%x00%T%x00%P%x00%ae%x00%B%x01';
  const { stdout } = await run(['log', '-F', `--grep=${trailer(mark)}`, format, tip, `^${base.sha}`]);
  for (const entry of stdout.split('\x01')) {
    const [sha = '', tree, parents = '', email, body = ''] = entry.trimStart().split('\0');
    if (!isSha(sha) || !isSha(parents) || email !== identity.email) continue;
    if (!body.split('\n').includes(trailer(mark))) continue;
    const isEmpty = (await run(['rev-parse', `${parents}^{tree}`])).stdout === tree;
    const onBase = await run(['merge-base', '--is-ancestor', parents, base.sha], { allowedCodes: [0, 1] });
    if (isEmpty && onBase.code === 0) return sha;
  }
  return null;
}

/** With the tip that the branch must have: a lease that never forces, as it only holds for a fast-forward or nothing. */
async function push(
  { place, remote, branch }: Leg,
  { from, expected }: { from: string; expected: string },
): Promise<'pushed' | 'moved'> {
  const ref = `refs/heads/${branch}`;
  const options = ['--porcelain', '--no-verify', '--no-recurse-submodules', '--no-signed'];
  const args = ['push', ...options, `--force-with-lease=${ref}:${expected}`, remote.url, `${from}:${ref}`];
  const repository = new URL(remote.url).pathname.slice(1).replace(/\.git$/, '');
  const output = await git(args, { ...place, remote, ...pushAnswers });
  // Nothing to do: an earlier push of the same commit, whose answer was lost.
  if (expected === absentTip && /^=\t/m.test(output.stdout)) return 'moved';
  return pushAnswer(output, { target: { repository, branch }, remote });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
