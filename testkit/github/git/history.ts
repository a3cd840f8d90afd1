/** Reads commits, trees and files out of a bare repository. */
import { GitError, git, gitBytes } from './command.ts';

export interface Signature {
  name: string;
  email: string;
  /** ISO 8601 in UTC. */
  date: string;
}

export interface Commit {
  sha: string;
  tree: string;
  parents: string[];
  author: Signature;
  committer: Signature;
  message: string;
  /** It carries a signature; whether it is good is not checked. */
  signed: boolean;
}

/** Commits of a git revision range (`base..head`, or one revision with its history), newest first. */
export async function readLog(directory: string, args: string[]): Promise<Commit[]> {
  const out = await git(directory, ['log', '-z', `--format=${fields.join('%x1f')}`, ...args, '--']);
  return out.split('\0').filter(Boolean).map(parseCommit);
}

/** One commit; null when the revision is unknown. */
export async function readCommit(directory: string, revision: string): Promise<Commit | null> {
  if (revision.startsWith('-')) return null;
  try {
    return (await readLog(directory, ['-1', `${revision}^{commit}`]))[0] ?? null;
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}

/** The bytes at `path` in a revision; null when there is no such file. */
export async function readFileAt(directory: string, revision: string, path: string): Promise<Buffer | null> {
  try {
    return await gitBytes(directory, ['cat-file', 'blob', `${revision}:${path}`]);
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}

export interface TreeEntry {
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  sha: string;
  /** Bytes; null for anything but a blob. */
  size: number | null;
  path: string;
}

/** Entries of a tree-ish such as `main` or `main:src`; null when it is none. */
export async function readTree(
  directory: string,
  treeish: string,
  recursive = false,
): Promise<TreeEntry[] | null> {
  try {
    const out = await git(directory, ['ls-tree', '-z', '-l', ...(recursive ? ['-r', '-t'] : []), treeish]);
    return out.split('\0').filter(Boolean).map(parseEntry);
  } catch (error) {
    if (error instanceof GitError) return null;
    throw error;
  }
}

/** The object's hash and type; null when there is no such object. */
export async function resolveObject(
  directory: string,
  expression: string,
): Promise<{ sha: string; type: string; size: number } | null> {
  const out = await git(directory, ['cat-file', '--batch-check'], `${expression}\n`);
  const [sha, type, size] = out.trim().split(' ');
  return sha && type && /^\d+$/.test(size ?? '') ? { sha, type, size: Number(size) } : null;
}

// %G? is N exactly when there is no signature, whether or not a key is there to check it with
const fields = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%G?', '%B'];

function parseCommit(text: string): Commit {
  const [sha, tree, parents, an, ae, ad, cn, ce, cd, signature, ...message] = text.split('\x1f');
  return {
    sha: sha!,
    tree: tree!,
    parents: parents ? parents.split(' ') : [],
    author: { name: an!, email: ae!, date: utc(ad!) },
    committer: { name: cn!, email: ce!, date: utc(cd!) },
    message: message.join('\x1f').replace(/\n$/, ''),
    signed: signature !== 'N',
  };
}

function parseEntry(line: string): TreeEntry {
  const [head, path] = line.split('\t') as [string, string];
  const [mode, type, sha, size] = head.split(/ +/) as [string, TreeEntry['type'], string, string];
  return { mode, type, sha, size: size === '-' ? null : Number(size), path };
}

function utc(date: string): string {
  return new Date(date).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
