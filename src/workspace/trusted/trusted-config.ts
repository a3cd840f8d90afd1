/** The base branch's configuration of Claude Code: copied out of Git objects, and what of it differs in the checkout. */
import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { AppError } from '../../words/errors.ts';
import { type Environment, type GitOptions, git } from '../git.ts';
import { makeRepository } from '../object-store.ts';
import { absent } from '../plain-files.ts';
import { requireSha } from '../refs.ts';
import type { Remote } from '../remote.ts';
import {
  belowRoot,
  isConfiguration,
  isMemory,
  isSkill,
  namedIn,
  readsAgents,
  withImports,
  withoutCondition,
} from './trusted-memory.ts';
import { readFiles, readTree, type Tree, type TreeFile } from './trusted-tree.ts';

export interface TrustedRequest {
  /** Where the objects are: a mirror, or the `.git` of a checkout that Claude has not had yet. */
  gitDirectory: string;
  /** Filled with the copy; there, and empty. */
  directory: string;
  /** For a repository of our own; what is there goes. */
  store: string;
  /** The base branch's commit. */
  base: string;
  /** Where the base is fetched from when the checkout lacks a part of it; asked for only then. */
  remote(): Promise<Remote>;
  environment?: Environment;
  signal?: AbortSignal;
}

export interface TrustedConfiguration {
  /** What Claude Code takes for the project: `.claude`, `.mcp.json`, `CLAUDE.md`. */
  directory: string;
  /** What counts below the root only: `src/api` → text. */
  nested: Record<string, string>;
  /** Paths of configuration that another commit has otherwise, in order; asked before Claude has the objects. */
  differing(head: string): Promise<string[]>;
}

const mostFiles = 1_000;
const mostBytes = 2 ** 24;
/** Memory imports memory that imports memory; Claude Code follows five. */
const rounds = 6;

/**
 * Copies the configuration of `base`. Nothing is checked out: git runs in a repository of our own that borrows the
 * checkout's objects.
 * @throws AppError `invalid_input` when there is more of it than is reasonable; `git_failed`, `github_*`.
 */
export async function copyTrustedConfiguration(request: TrustedRequest): Promise<TrustedConfiguration> {
  const { gitDirectory, store, base, environment, signal } = request;
  requireSha(base);
  await rm(store, { recursive: true, force: true, maxRetries: 3 });
  await makeRepository(store, { borrowFrom: [join(gitDirectory, 'objects')] });
  const place = { gitDir: store, environment, signal };
  const found = (await collect(base, place)) ?? (await collectFetched(request, place));
  if (!found) throw new AppError('git_failed', `The files of the base branch (${base}) cannot be read.`);
  const nested = await save(request.directory, found.files);
  return {
    directory: request.directory,
    nested,
    differing: async (head) => {
      requireSha(head);
      return differing(found, await readTree(head, place));
    },
  };
}

/** First only what the base has otherwise than the checkout; of a partial clone that is known too little for that. */
async function collectFetched(
  { base, gitDirectory, store, remote: remoteOf }: TrustedRequest,
  place: GitOptions,
): Promise<Found | null> {
  // Where the checkout's history ends: so that the server does not take for known what comes before.
  await copyFile(join(gitDirectory, 'shallow'), join(store, 'shallow')).catch(absent);
  const remote = await remoteOf();
  const options = ['-q', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', '--depth=1'];
  await git(['fetch', ...options, remote.url, base], { ...place, remote }).catch((error: AppError) => {
    if (error.reason !== 'git_failed') throw error;
  });
  const found = await collect(base, place);
  if (found) return found;
  // From here on git fetches what it reads.
  await git(['fetch', ...options, '--filter=blob:none', remote.url, base], { ...place, remote });
  return collect(base, { ...place, remote });
}

interface Found {
  tree: Tree;
  files: Map<string, TreeFile>;
}

/** All that configures Claude Code, what it imports and names. Null when an object is not here. */
async function collect(sha: string, place: GitOptions): Promise<Found | null> {
  const tree = await readTree(sha, place);
  if (!tree) return null;
  const files = new Map<string, TreeFile>();
  const tooLarge = () => tooMuch(`more than ${mostBytes / 2 ** 20} MiB`);
  let bytes = 0;
  let wanted = [...tree.keys()].filter(isConfiguration);
  if (wanted.length > mostFiles) throw tooMuch(`more than ${mostFiles} files`);
  for (let round = 0; round < rounds && wanted.length > 0; round++) {
    const read = await readFiles(tree, wanted, { place, maxBytes: mostBytes - bytes, tooLarge });
    if (!read) return null;
    for (const [path, file] of read) {
      files.set(path, file);
      bytes += file.content.length;
    }
    if (files.size > mostFiles) throw tooMuch(`more than ${mostFiles} files`);
    const named = [...read].flatMap(([path, { content }]) => namedIn(path, content.toString()));
    wanted = [...new Set(named)].filter((path) => !files.has(path));
  }
  return { tree, files };
}

/** @returns what counts below the root, which Claude Code would not find here */
async function save(directory: string, files: Map<string, TreeFile>): Promise<Record<string, string>> {
  const nested: Record<string, string> = {};
  const agents = readsAgents(files);
  for (const [path, { content, executable }] of files) {
    const isAgents = posix.basename(path) === 'AGENTS.md';
    const memory =
      isMemory(path) && (agents || !isAgents) ? withoutCondition(withImports(path, files)) : null;
    // Of another directory than the one it works in, Claude Code takes no `AGENTS.md`.
    const at = join(directory, agents && path === 'AGENTS.md' ? 'CLAUDE.md' : path);
    const below = belowRoot(path);
    if (below && (agents || !isAgents)) {
      const said = memory ?? (isSkill(path) ? `A skill for ${below} is described in ${at}.` : null);
      nested[below] = [nested[below], said].filter(Boolean).join('\n\n');
    }
    await makeDirectories(directory, dirname(at));
    await writeFile(at, memory ?? content);
    await chmod(at, executable ? 0o755 : 0o644);
  }
  return nested;
}

/** Whatever the umask: inside the fence Claude may be another user. */
async function makeDirectories(root: string, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  for (let at = path; at.startsWith(root); at = dirname(at)) await chmod(at, 0o755);
}

/** Compared by object, so that nothing of the checkout is read; a link counts with what it leads to. */
function differing({ tree, files }: Found, head: Tree | null): string[] {
  const ofHead = head ? [...head.keys()].filter(isConfiguration) : [];
  const ofBase = [...files].flatMap(([path, { source }]) => (tree.has(path) ? [path, source] : [source]));
  const isSame = (path: string) => {
    const [one, other] = [tree.get(path), head?.get(path)];
    return one?.sha === other?.sha && one?.mode === other?.mode;
  };
  return [...new Set([...ofBase, ...ofHead])].filter((path) => !isSame(path)).sort();
}

function tooMuch(what: string): AppError {
  return new AppError('invalid_input', `The base branch has ${what} of configuration for Claude Code.`, {
    remedy: 'Keep in `.claude`, and in what `CLAUDE.md` imports, only what Claude Code needs.',
  });
}
