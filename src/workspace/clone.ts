/** A workspace of its own, made from the mirror: every object copied, every branch known, nothing shared, nothing secret. */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { cleanConfig, userSection } from './clean-config.ts';
import { type Environment, type GitOptions, git, type Identity } from './git.ts';
import { reportDamage } from './mirror.ts';
import { copyTrustedObjects } from './object-store.ts';
import { removeUnfinished, unfinished } from './places.ts';
import { absent } from './plain-files.ts';
import { requireSha } from './refs.ts';

export interface CloneRequest {
  mirror: string;
  /** `workspaceDirectory(…)`. One process at a time is at work on it: the one that holds the thread's lease. */
  directory: string;
  /** The local branch that is checked out, and its commit, which the mirror holds. */
  branch: string;
  sha: string;
  base: { ref: string; sha: string };
  /** What `git remote -v` shows; a credential in it would be refused. */
  originUrl: string;
  identity: Identity | null;
  environment?: Environment;
  signal?: AbortSignal;
}

/** How often the copying starts again because the mirror's packs were put together meanwhile. */
const copyAttempts = 5;

/**
 * @returns `isNew: false` when the workspace is there already: it is only ever there whole, Claude may have had it, and
 * so nothing in it is looked at.
 * @throws AppError `git_failed` when the mirror lacks a commit.
 */
export async function cloneWorkspace(request: CloneRequest): Promise<{ isNew: boolean }> {
  const { directory } = request;
  await removeUnfinished(directory);
  if (await stat(directory).catch(absent)) return { isNew: false };
  const made = unfinished(directory);
  try {
    await mkdir(dirname(directory), { recursive: true });
    await mkdir(made, { mode: 0o700 });
    await fill(made, request).catch(async (error: unknown) => {
      await reportDamage(request.mirror, error);
      throw error;
    });
    await rename(made, directory);
    return { isNew: true };
  } finally {
    await rm(made, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function fill(directory: string, request: CloneRequest): Promise<void> {
  const { mirror, branch, sha, base, environment, signal } = request;
  requireSha(sha);
  requireSha(base.sha);
  const gitDir = join(directory, '.git');
  await mkdir(join(gitDir, 'refs/heads'), { recursive: true });
  await mkdir(join(gitDir, 'refs/remotes/origin'), { recursive: true });
  await mkdir(join(gitDir, 'info'));
  await writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(join(gitDir, 'config'), configOf(request));
  await copyObjects(mirror, gitDir);
  const running: GitOptions = { environment, signal };
  const heads = await git(['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads/'], {
    ...running,
    gitDir: mirror,
  });
  await writeFile(join(gitDir, 'packed-refs'), remoteRefs(heads.stdout, request));
  await writeFile(join(gitDir, 'refs/remotes/origin/HEAD'), `ref: refs/remotes/origin/${base.ref}\n`);
  // Nobody but the host has had this tree yet: it is the last time that the host runs git in it.
  const here: GitOptions = { ...running, gitDir, workTree: directory, cwd: directory };
  await git(['cat-file', '--batch-check'], {
    ...here,
    stdin: `${sha}^{commit}\n${base.sha}^{commit}\n`,
  }).then(({ stdout }) => requireCommits(stdout));
  // Writing the files is most of the time that a workspace takes: with as many processes as there are cores.
  const config = { 'checkout.workers': '0' };
  await git(['checkout', '-q', '--no-track', '-B', branch, sha, '--'], { ...here, config });
}

/**
 * Copied, by reference where the file system can (btrfs, XFS), and never hard-linked: Claude could write into a linked
 * file, and the mirror and every other workspace of the repository would have it.
 */
async function copyObjects(mirror: string, gitDir: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await copyTrustedObjects(mirror, gitDir);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (attempt === copyAttempts)
        throw new AppError(
          'git_failed',
          'The mirror changed all the time while a workspace was made from it.',
          {
            cause: error,
            remedy: 'Nothing to do: it is tried again.',
          },
        );
      await rm(join(gitDir, 'objects'), { recursive: true, force: true });
    }
  }
}

function configOf({ originUrl, branch, identity }: CloneRequest): string {
  if (new URL(originUrl).username || new URL(originUrl).password)
    throw new AppError('internal', 'The URL of a workspace would hold a credential.');
  const entries = {
    'core.repositoryformatversion': '0',
    'core.filemode': 'true',
    'core.bare': 'false',
    'core.logallrefupdates': 'true',
    'remote.origin.url': originUrl,
    'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*',
    [`branch.${branch}.remote`]: 'origin',
    [`branch.${branch}.merge`]: `refs/heads/${branch}`,
  };
  const text = cleanConfig(Object.entries(entries).map(([key, value]) => ({ key, value })));
  return identity ? text + userSection(identity) : text;
}

/** The mirror's branches as the workspace's `origin/*`, with base and branch exactly where this task has them. */
function remoteRefs(heads: string, { branch, sha, base }: CloneRequest): string {
  const refs = new Map<string, string>();
  for (const line of heads.split('\n').filter(Boolean)) refs.set(line.slice(41), line.slice(0, 40));
  refs.set(base.ref, base.sha);
  refs.set(branch, sha);
  // A branch of that name would pose as what `origin` means.
  refs.delete('HEAD');
  return [...refs].map(([name, at]) => `${at} refs/remotes/origin/${name}\n`).join('');
}

function requireCommits(answers: string): void {
  const missing = answers.split('\n').find((line) => line.endsWith(' missing'));
  if (missing === undefined) return;
  throw new AppError('git_failed', `The mirror does not hold commit ${missing.split('^')[0]}.`, {
    remedy: 'It was deleted or rewritten on GitHub: ask again on a branch that exists.',
  });
}
