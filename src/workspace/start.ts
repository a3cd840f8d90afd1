/** Puts the checkout on the branch of its task, before Claude has it: the last moment that git runs there. */
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { type Environment, type GitOptions, type GitOutput, git } from './git.ts';
import { readHead, requireSha } from './refs.ts';
import type { Remote } from './remote.ts';

/** The checkout and what git needs to run in it. */
export interface Place {
  directory: string;
  environment?: Environment;
  signal?: AbortSignal;
}

export interface StartRequest {
  /** The new branch's name, validated. */
  branch: string;
  /** The branch it starts from and that branch's tip. */
  baseRef: string;
  baseSha: string;
  remote: Remote;
}

export interface HeadRequest {
  /** The pull request's head: branch name and pinned commit. */
  ref: string;
  sha: string;
  /** Null for a branch without a pull request. */
  pullNumber: number | null;
  /** True when the head is in another repository. */
  fork: boolean;
  baseRef: string;
  /** The base branch's tip. */
  baseSha: string;
  /** Commits of the pull request, when known: how deep the first fetch goes. */
  commitCount?: number;
  /** The base repository. */
  remote: Remote;
}

export interface PreparedHead {
  /** The local branch: the head's name, for a fork `pr-<number>`. */
  branch: string;
  sha: string;
  /** Null when base and head share no history. */
  mergeBase: string | null;
  /** True when the branch on GitHub no longer is at the pinned commit. */
  moved: boolean;
}

/** A scratch ref that Claude never sees: where the head branch is now. */
const headNow = 'refs/forgehand/head-now';
/** Commits by which a shallow history is deepened, time after time, before all of it is fetched. */
const deepenings = [50, 200, 800, 3200];

/**
 * Answers the local branch: in no folder when there is a local branch with the folder's name.
 * Offline when the checkout's HEAD is the base already; then no file is touched either.
 * @throws AppError `invalid_input` when the base is gone or files of earlier steps are in the way; `git_failed`.
 */
export async function startBranch(place: Place, request: StartRequest): Promise<string> {
  const { baseRef, baseSha, remote } = request;
  requireSha(baseSha);
  const run = runner(place);
  const branch = await localName(run, request.branch);
  const head = await readHead(join(place.directory, '.git'));
  const remoteBase = `refs/remotes/origin/${baseRef}`;
  if (head.sha === baseSha) {
    const refs = [`refs/heads/${branch}`, remoteBase].map((ref) => `update ${ref} ${baseSha}\n`);
    await run(['update-ref', '--stdin'], { stdin: refs.join('') });
    await run(['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
  } else {
    if (!(await has(run, baseSha))) {
      const depth = (await isShallow(run)) ? ['--depth=1'] : [];
      await fetch(run, remote, [...depth, remote.url, baseSha]).catch((error) =>
        throwGone(error, `base branch ${shown(baseRef)}`),
      );
    }
    await checkOut(run, { branch, sha: baseSha, remote });
    await run(['update-ref', remoteBase, baseSha]);
  }
  return branch;
}

/**
 * Fetches exactly the pinned commit (never a later one), checks it out, and deepens a shallow history until
 * `git diff origin/<base>...HEAD` works.
 * @throws AppError `invalid_input` when the head branch was deleted or files of earlier steps are in the way.
 */
export async function checkoutHead(place: Place, request: HeadRequest): Promise<PreparedHead> {
  const { ref, sha, fork, pullNumber, baseRef, baseSha, remote } = request;
  requireSha(sha);
  requireSha(baseSha);
  const run = runner(place);
  const shallow = await isShallow(run);
  const source = fork ? `refs/pull/${pullNumber}/head` : `refs/heads/${ref}`;
  const depth = shallow ? [`--depth=${Math.max((request.commitCount ?? 0) + 1, 20)}`] : [];
  // The pinned commits by name as well: a force-push since the trigger has taken the first one off its branch.
  const wanted = [`+${source}:${headNow}`, sha, baseSha];
  await fetch(run, remote, [...depth, remote.url, ...wanted]).catch((error) =>
    throwGone(
      error,
      `${pullNumber ? `head branch ${shown(ref)} of pull request #${pullNumber}` : `branch ${shown(ref)}`}, or its commit ${sha},`,
    ),
  );
  const moved = (await run(['rev-parse', headNow])).stdout !== sha;
  await run(['update-ref', '-d', headNow]);
  await run(['update-ref', `refs/remotes/origin/${baseRef}`, baseSha]);
  // A fork's branch may be called `main`: under its own number it can never be taken for the base repository's branch.
  const branch = fork ? `pr-${pullNumber}` : await localName(run, ref);
  await run([
    'update-ref',
    fork ? `refs/remotes/pull/${pullNumber}/head` : `refs/remotes/origin/${ref}`,
    sha,
  ]);
  await checkOut(run, { branch, sha, remote });
  const mergeBase = await deepen(run, { remote, tips: [sha, baseSha] });
  if (mergeBase && (await isPartial(run))) await fetchDiffered(run, { remote, from: mergeBase, to: sha });
  return { branch, sha, mergeBase, moved };
}

type Run = (args: string[], options?: GitOptions) => Promise<GitOutput>;

function runner({ directory, environment, signal }: Place): Run {
  const fixed = { gitDir: join(directory, '.git'), workTree: directory, cwd: directory, environment, signal };
  return (args, options) => git(args, { ...fixed, ...options });
}

/** Git keeps branches as files: with a `claude` there can be no `claude/x`, nor the other way around. */
async function localName(run: Run, wanted: string): Promise<string> {
  const { stdout } = await run(['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/']);
  const isInTheWay = (name: string) => wanted.startsWith(`${name}/`) || name.startsWith(`${wanted}/`);
  return stdout.split('\n').some(isInTheWay) ? wanted.replaceAll('/', '-') : wanted;
}

async function deepen(
  run: Run,
  { remote, tips }: { remote: Remote; tips: [string, string] },
): Promise<string | null> {
  for (const count of [...deepenings, null]) {
    const found = await run(['merge-base', ...tips], { allowedCodes: [0, 1] });
    if (found.code === 0) return found.stdout;
    if (!(await isShallow(run))) return null;
    await fetch(run, remote, [count ? `--deepen=${count}` : '--unshallow', remote.url, ...tips]);
  }
  return (await run(['merge-base', ...tips], { allowedCodes: [0, 1] })).stdout || null;
}

/** What a diff reads comes while there is a credential: Claude's own git could not fetch it any more. */
async function fetchDiffered(run: Run, { remote, from, to }: { remote: Remote; from: string; to: string }) {
  await run(['diff', '--shortstat', '--no-ext-diff', '--no-textconv', from, to, '--'], { remote });
}

/** Without force: what earlier steps of the job changed is carried over, or the run ends before it is lost. */
async function checkOut(
  run: Run,
  { branch, sha, remote }: { branch: string; sha: string; remote: Remote },
): Promise<void> {
  // The remote is for partial clones, which fetch the files of a commit when it is checked out.
  await run(['checkout', '-q', '--no-track', '-B', branch, sha, '--'], { remote }).catch(
    (error: AppError) => {
      if (!/would be overwritten|not uptodate|would lose|resolve your current index/.test(error.message))
        throw error;
      throw new AppError(
        'invalid_input',
        `The checkout could not be put on ${shown(branch)}. ${error.message}`,
        {
          cause: error,
          remedy:
            'Earlier steps of the job changed files that differ on this branch: run them after this one, or clean up before.',
        },
      );
    },
  );
}

function fetch(run: Run, remote: Remote, args: string[]): Promise<GitOutput> {
  return run(
    ['fetch', '-q', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-gc', ...args],
    { remote },
  );
}

/** Git's own words (the locale is C) for a ref or a commit that the server does not have. */
function throwGone(error: AppError, what: string): never {
  if (!/couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i.test(error.message))
    throw error;
  throw new AppError('invalid_input', `The ${what} is not on GitHub any more.`, {
    cause: error,
    remedy: 'It was deleted or rewritten after the request: push it again, or ask on a branch that exists.',
  });
}

async function has(run: Run, sha: string): Promise<boolean> {
  return (await run(['cat-file', '-e', `${sha}^{commit}`], { allowedCodes: [0, 1, 128] })).code === 0;
}

/** True for a clone that fetches contents only when they are needed. */
async function isPartial(run: Run): Promise<boolean> {
  const args = ['config', '--local', '--get-regexp', '^remote\\..*\\.promisor$'];
  return (await run(args, { allowedCodes: [0, 1] })).stdout.includes('true');
}

async function isShallow(run: Run): Promise<boolean> {
  return (await run(['rev-parse', '--is-shallow-repository'])).stdout === 'true';
}
