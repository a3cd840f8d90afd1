/** The host's own copy of a repository, which workspaces are made from: bare, without credential, fetched incrementally. */
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { type Environment, type GitOptions, git } from './git.ts';
import { makeRepository } from './object-store.ts';
import { removeUnfinished, unfinished } from './places.ts';
import { absent } from './plain-files.ts';
import { requireSha } from './refs.ts';
import type { Remote } from './remote.ts';

export interface MirrorRequest {
  /** `mirrorDirectory(…)`: never inside a fence. */
  directory: string;
  remote: Remote;
  /** Pull requests whose head is wanted too, at `refs/pull/N/head`. */
  pulls?: number[];
  /** Commits that are wanted too, whether a branch still has them or not. */
  commits?: string[];
  /** Runs the work while no other process updates this mirror. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  environment?: Environment;
  signal?: AbortSignal;
}

/** Who reads a mirror; what git is run with. */
export interface Reading {
  environment?: Environment;
  signal?: AbortSignal;
}

/** Git holds its lock files for moments; one that is older than this (milliseconds) belongs to a process that was killed. */
const lockLifeMs = 10_000;
/** Each fetch leaves a pack; from so many on they are put together. */
const mostPacks = 40;

/** Left in a mirror that a reader has found damaged. */
const damageMark = 'damaged';

/** Git's own words (the locale is C) for a repository that a crash of the machine has damaged. */
const damaged =
  /not a git repository|corrupt|unable to read tree|packfile .* (?:cannot|index)|garbage|bad object|broken ref|unable to resolve reference|inflate|(?:object|file) .* is empty|missing (?:blob|tree|commit|necessary)|did not send all necessary objects|unresolved delta/i;

/**
 * Brings the mirror up to the remote's branches, making it first when there is none. A kill at any moment leaves it
 * whole; what is damaged all the same is made anew, as it is only a copy.
 * @throws AppError `invalid_input` for a repository without commits, `github_auth` for one that is gone or may not be
 * read, `git_failed` for one that was renamed; `github_unavailable`, `cancelled`.
 */
export async function updateMirror(request: MirrorRequest): Promise<void> {
  const { directory } = request;
  await request.exclusive(async () => {
    await removeUnfinished(directory);
    if (!(await stat(directory).catch(absent))) return make(request);
    if (await stat(join(directory, damageMark)).catch(absent)) return makeAnew(request);
    try {
      await removeStaleLocks(directory);
      await fetchInto(directory, request);
      await tidy(directory, request);
    } catch (error) {
      if (!isDamage(error)) throw error;
      await makeAnew(request);
    }
  });
}

/** For who reads the mirror and finds it damaged: the next update makes it anew. Other errors are none of its. */
export async function reportDamage(directory: string, error: unknown): Promise<void> {
  if (isDamage(error)) await writeFile(join(directory, damageMark), '').catch(absent);
}

/** The commit that a full ref name (`refs/heads/main`) has in the mirror; null when there is no such ref. */
export async function mirrorTip(
  directory: string,
  ref: string,
  reading: Reading = {},
): Promise<string | null> {
  const found = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], {
    ...reading,
    gitDir: directory,
    allowedCodes: [0, 1],
  });
  return found.stdout || null;
}

function isDamage(error: unknown): boolean {
  return error instanceof AppError && error.reason === 'git_failed' && damaged.test(error.message);
}

async function makeAnew(request: MirrorRequest): Promise<void> {
  await rename(request.directory, `${request.directory}.old-damaged`);
  await removeUnfinished(request.directory);
  await make(request);
}

/** Beside its place and renamed when it is whole: a directory that is there is a mirror. */
async function make(request: MirrorRequest): Promise<void> {
  const { directory } = request;
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const made = unfinished(directory);
  try {
    await makeRepository(made);
    await fetchInto(made, request);
    // One file for all branches instead of one each.
    await git(['pack-refs', '--all'], { ...running(request), gitDir: made });
    await rename(made, directory);
  } finally {
    await rm(made, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function fetchInto(repository: string, request: MirrorRequest): Promise<void> {
  const { remote, pulls = [] } = request;
  const heads = '+refs/heads/*:refs/heads/*';
  const wanted = pulls.map((number) => `+refs/pull/${number}/head:refs/pull/${number}/head`);
  const options = ['-q', '--prune', '--no-tags', '--no-write-fetch-head', '--no-show-forced-updates'];
  await git(['fetch', ...options, remote.url, heads, ...wanted], {
    ...running(request),
    gitDir: repository,
    remote,
    // Small fetches too leave one pack, which is copied faster than hundreds of loose objects.
    config: { 'fetch.unpackLimit': '1' },
  }).catch((error: AppError) => {
    throw explained(error, remote);
  });
  await fetchCommits(repository, request);
  const any = await git(['for-each-ref', '--count=1', 'refs/heads/'], {
    ...running(request),
    gitDir: repository,
  });
  if (any.stdout) return;
  throw new AppError('invalid_input', `The repository ${nameOf(remote)} has no commits yet.`, {
    remedy: 'Push a first commit to the default branch.',
  });
}

/** A base that was pinned before somebody rewrote its branch: GitHub keeps such commits for long. */
async function fetchCommits(repository: string, request: MirrorRequest): Promise<void> {
  const { remote, commits = [] } = request;
  const options = { ...running(request), gitDir: repository };
  for (const sha of commits) {
    requireSha(sha);
    const held = await git(['cat-file', '-e', `${sha}^{commit}`], { ...options, allowedCodes: [0, 1, 128] });
    if (held.code === 0) continue;
    await git(['fetch', '-q', '--no-tags', '--no-write-fetch-head', remote.url, sha], {
      ...options,
      remote,
    }).catch((error: AppError) => {
      if (!/not our ref|unadvertised object|no such remote ref|couldn't find remote ref/i.test(error.message))
        throw explained(error, remote);
      throw new AppError('invalid_input', `Commit ${sha} is not on GitHub any more.`, { cause: error });
    });
  }
}

/** Workspaces that are being made from the packs meanwhile look again (clone.ts). */
async function tidy(directory: string, request: MirrorRequest): Promise<void> {
  const packs = (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
  if (packs.length < mostPacks) return;
  const options = { ...running(request), gitDir: directory };
  await git(['pack-refs', '--all'], options);
  // Nothing is ever pruned: what another process has just fetched or committed here may have no ref yet.
  await git(['repack', '-d', '-q', '--geometric=2'], options);
}

/** A process that was killed while it wrote refs leaves its lock files, on which every later one would fail. */
async function removeStaleLocks(directory: string): Promise<void> {
  const locks = async () => {
    const refs = await readdir(join(directory, 'refs'), { recursive: true }).catch(absent);
    const names = [...(await readdir(directory)), ...(refs ?? []).map((name) => `refs/${name}`)];
    return names.filter((name) => name.endsWith('.lock')).map((name) => join(directory, name));
  };
  // Its git may outlive a killed process for a moment, and finish.
  for (let found = await locks(); found.length > 0; found = await locks()) {
    for (const lock of found) {
      const made = (await stat(lock).catch(absent))?.mtimeMs;
      if (made !== undefined && Math.abs(Date.now() - made) > lockLifeMs) await rm(lock, { force: true });
    }
    await sleep(50);
  }
}

function explained(error: AppError, remote: Remote): AppError {
  const name = nameOf(remote);
  if (error.reason === 'github_auth') {
    return new AppError('github_auth', `The repository ${name} cannot be read. ${error.message}`, {
      cause: error,
      remedy: `Check that ${name} still exists and that the token or the App's installation may read its contents.`,
    });
  }
  const pull = /find remote ref refs\/pull\/(\d+)\/head/i.exec(error.message)?.[1];
  if (pull === undefined) return error;
  return new AppError('invalid_input', `The head of pull request #${pull} is not on GitHub.`, {
    cause: error,
  });
}

function nameOf(remote: Remote): string {
  return shown(new URL(remote.url).pathname.slice(1).replace(/\.git$/, ''));
}

function running({ environment, signal }: MirrorRequest): GitOptions {
  return { environment, signal };
}
