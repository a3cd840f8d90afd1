/** The checkout that Claude works in: opened, cleaned of credentials and hooks, put on its branch, and given back. */
import { appendFile, lstat, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { userSection } from './clean-config.ts';
import type { Environment, Identity } from './git.ts';
import { absent } from './plain-files.ts';
import { type Head, readHead } from './refs.ts';
import { cleanCheckout, restoreCheckout, type SavedCheckout, saveCheckout } from './saved-checkout.ts';
import {
  checkoutHead,
  type HeadRequest,
  type PreparedHead,
  type StartRequest,
  startBranch,
} from './start.ts';

export interface OpenOptions {
  /** The checkout, as actions/checkout made it. */
  directory: string;
  /** A private directory of this run, outside the checkout. */
  scratch: string;
  /** The door's environment: PATH, proxy and CA variables are taken from it. */
  environment?: Environment;
  signal?: AbortSignal;
  /** Called before anything is changed: what is handed here is what `post` needs if this process is killed. */
  onSaved?: (saved: SavedCheckout) => void | Promise<void>;
}

export interface Workspace {
  /** Absolute and free of links. */
  directory: string;
  /** JSON; `restoreCheckout(saved)` works in another process. */
  saved: SavedCheckout;
  /** The commit that was checked out when the run began. */
  headSha: string;
  /** Who commits in the checkout, until it is given back. */
  setIdentity(identity: Identity): Promise<void>;
  /** For issues and closed pull requests: a new local branch at `baseSha`, checked out; answers its name. */
  startBranch(request: StartRequest): Promise<string>;
  /** For open pull requests: the pinned head, checked out, with the history up to the merge base. */
  checkoutHead(request: HeadRequest): Promise<PreparedHead>;
  /** Gives the checkout its configuration, hooks and credentials back; one sentence for each problem. */
  restore(): Promise<string[]>;
}

/**
 * Takes the checkout over. Its files, commits and current branch are not touched.
 * @throws AppError `invalid_input` when the directory is not a checkout with a commit.
 */
export async function openWorkspace(options: OpenOptions): Promise<Workspace> {
  const directory = await realpath(options.directory).catch(() => {
    throw noCheckout(`The directory \`${options.directory}\` does not exist.`);
  });
  const head = await checkCheckout(directory);
  const saved = await saveCheckout(directory, options.scratch);
  await options.onSaved?.(saved);
  try {
    await cleanCheckout(saved);
  } catch (error) {
    await restoreCheckout(saved);
    throw error;
  }
  const place = { directory, environment: options.environment, signal: options.signal };
  return {
    directory,
    saved,
    headSha: head.sha!,
    // The file is ours: it was written clean a moment ago.
    setIdentity: (identity) => appendFile(join(directory, '.git', 'config'), userSection(identity)),
    startBranch: (request) => startBranch(place, request),
    checkoutHead: (request) => checkoutHead(place, request),
    restore: () => restoreCheckout(saved),
  };
}

/** Looks at files only: running git here would obey a configuration that nobody has cleaned yet. */
async function checkCheckout(directory: string): Promise<Head> {
  const found = await lstat(join(directory, '.git')).catch(absent);
  if (!found) {
    const bare =
      (await lstat(join(directory, 'HEAD')).catch(absent)) &&
      (await lstat(join(directory, 'objects')).catch(absent));
    throw noCheckout(
      `\`${directory}\` is ${bare ? 'a bare repository, which has no files to work in' : 'not a Git repository'}.`,
    );
  }
  if (found.isFile() && /^gitdir:/.test(await readFile(join(directory, '.git'), 'utf8'))) {
    throw noCheckout(
      `\`${directory}\` is a linked worktree or a submodule, whose history is in another directory.`,
    );
  }
  if (!found.isDirectory()) throw noCheckout(`\`${join(directory, '.git')}\` is not a directory.`);
  const head = await readHead(join(directory, '.git')).catch((cause: unknown) => {
    throw noCheckout(`The repository in \`${directory}\` has no HEAD that can be read.`, cause);
  });
  if (!head.sha) throw noCheckout(`The repository in \`${directory}\` has no commit yet.`);
  return head;
}

function noCheckout(message: string, cause?: unknown): AppError {
  return new AppError('invalid_input', message, {
    cause,
    remedy:
      'Put a step with `uses: actions/checkout` before this one, without `path:` (or give the directory it checked out to).',
  });
}
