/** Reads HEAD and branches of a repository as files, because git would also read its configuration. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { absent, readPlain } from './plain-files.ts';

export interface Head {
  /** The branch's full ref name; null when HEAD is detached. */
  ref: string | null;
  /** 40 hexadecimal digits; null when the branch has no commit yet. */
  sha: string | null;
}

const refBytes = 4096;
const packedRefsBytes = 2 ** 26;

/** @throws AppError `gate_refused` when HEAD is missing, is no plain file, or names anything but a branch or a commit. */
export async function readHead(gitDirectory: string): Promise<Head> {
  const text = (await readPlain(gitDirectory, 'HEAD', refBytes))?.toString().trim() ?? '';
  if (isSha(text)) return { ref: null, sha: text };
  const ref = /^ref: (refs\/heads\/.+)$/.exec(text)?.[1];
  if (!ref || !isPlainRef(ref)) throw unreadable('HEAD');
  return { ref, sha: await readRef(gitDirectory, ref) };
}

/** The commit that a full ref name (`refs/heads/x`) points to; null when there is no such ref. */
export async function readRef(gitDirectory: string, ref: string): Promise<string | null> {
  if (!isPlainRef(ref)) throw unreadable(ref);
  // A directory here is what is left of a branch `x/y`; `x` itself is then packed.
  const directory = (await lstat(join(gitDirectory, ref)).catch(absent))?.isDirectory();
  const loose = directory ? undefined : (await readPlain(gitDirectory, ref, refBytes))?.toString().trim();
  if (loose !== undefined) {
    // A ref that points to another ref could name anything; git makes none of these below refs/heads.
    if (!isSha(loose)) throw unreadable(ref);
    return loose;
  }
  const packed = (await readPlain(gitDirectory, 'packed-refs', packedRefsBytes))?.toString() ?? '';
  const line = packed.split('\n').find((candidate) => candidate.slice(41) === ref);
  const sha = line?.slice(0, 40);
  return sha && isSha(sha) ? sha : null;
}

export function isSha(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** @throws AppError `internal`: what is no id of a commit could be an option or a range to git. */
export function requireSha(sha: string): void {
  if (!isSha(sha)) throw new AppError('internal', `\`${sha}\` is not the full id of a commit.`);
}

/** No part may be empty or start with a dot: `refs/heads/../../config` must not be a ref. */
function isPlainRef(ref: string): boolean {
  return (
    ref.startsWith('refs/') &&
    ref.split('/').every((part) => part !== '' && !part.startsWith('.')) &&
    !/[\0\\]/.test(ref)
  );
}

function unreadable(what: string): AppError {
  return new AppError(
    'gate_refused',
    `\`${what}\` of the checkout is not a branch or a commit that can be read.`,
    {
      remedy: 'Check out the branch of this task again.',
    },
  );
}
