/** What changed between two commits, file by file, as GitHub's lists and diff hunks show it. */
import { GitError, git } from './command.ts';
import { type Commit, readLog } from './history.ts';

export interface FileChange {
  path: string;
  previousPath: string | null;
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed';
  sha: string;
  additions: number;
  deletions: number;
  /** Hunks without the file header; null for binary files. */
  patch: string | null;
}

export interface Comparison {
  mergeBase: string;
  files: FileChange[];
  /** Oldest first. */
  commits: Commit[];
  behindBy: number;
}

const cache = new Map<string, Promise<Comparison>>();

/** Compares as a pull request does: from the merge base to the head. Hashes only, as answers are kept. @throws GitError */
export function compare(directory: string, base: string, head: string): Promise<Comparison> {
  const key = `${directory} ${base} ${head}`;
  const known = cache.get(key);
  if (known) return known;
  const fresh = compareAfresh(directory, base, head);
  fresh.catch(() => cache.delete(key));
  cache.set(key, fresh);
  if (cache.size > 200) cache.delete(cache.keys().next().value!);
  return fresh;
}

async function compareAfresh(directory: string, base: string, head: string): Promise<Comparison> {
  const mergeBase = await findMergeBase(directory, base, head);
  const [files, commits, behind] = await Promise.all([
    changedFiles(directory, mergeBase, head),
    readLog(directory, ['--reverse', '--topo-order', `${base}..${head}`]),
    git(directory, ['rev-list', '--count', `${head}..${base}`]),
  ]);
  return { mergeBase, files, commits, behindBy: Number(behind) };
}

async function findMergeBase(directory: string, base: string, head: string): Promise<string> {
  try {
    return (await git(directory, ['merge-base', base, head])).trim();
  } catch (error) {
    if (error instanceof GitError) return base; // unrelated histories
    throw error;
  }
}

/** Files that differ between two tree-ishes. */
export async function changedFiles(directory: string, from: string, to: string): Promise<FileChange[]> {
  const [raw, numbers, patch] = await Promise.all([
    git(directory, ['diff', '--raw', '-z', '-M', '--no-abbrev', from, to]),
    git(directory, ['diff', '--numstat', '-z', '-M', from, to]),
    git(directory, ['diff', '-p', '-M', from, to]),
  ]);
  const counts = parseNumstat(numbers);
  const patches = splitPatch(patch);
  return parseRaw(raw).map((file, index) => ({ ...file, ...counts[index]!, patch: patches[index] ?? null }));
}

const statuses: Record<string, FileChange['status']> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};

/**
 * Where lines of one commit's file are in another's; null when one of them is changed or gone, or the file is.
 */
export async function followLines(
  directory: string,
  { from, to, path, lines }: { from: string; to: string; path: string; lines: [first: number, last: number] },
): Promise<[first: number, last: number] | null> {
  const patch = await git(directory, ['diff', '--unified=0', '--no-renames', from, to, '--', path]);
  const [first, last] = lines;
  let moved = 0;
  for (const [, start, count = '1', , added = '1'] of patch.matchAll(
    /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/gm,
  )) {
    const [old, gone] = [Number(start), Number(count)];
    // Of a mere insertion the line before it is named.
    if (gone > 0 ? old <= last && first < old + gone : first <= old && old < last) return null;
    if (old < first) moved += Number(added) - gone;
  }
  return [first + moved, last + moved];
}

function parseRaw(raw: string): Pick<FileChange, 'path' | 'previousPath' | 'status' | 'sha'>[] {
  const parts = raw.split('\0');
  const files = [];
  for (let at = 0; at + 1 < parts.length; ) {
    const [, , oldSha, newSha, code] = parts[at++]!.split(' ');
    const moved = code![0] === 'R' || code![0] === 'C';
    const previousPath = moved ? parts[at++]! : null;
    const status = statuses[code![0]!] ?? 'changed';
    files.push({ path: parts[at++]!, previousPath, status, sha: status === 'removed' ? oldSha! : newSha! });
  }
  return files;
}

function parseNumstat(text: string): { additions: number; deletions: number }[] {
  const parts = text.split('\0');
  const counts = [];
  for (let at = 0; at + 1 < parts.length; ) {
    const [added, removed, path] = parts[at++]!.split('\t');
    if (path === '') at += 2; // a rename: both names follow
    counts.push({ additions: Number(added) || 0, deletions: Number(removed) || 0 });
  }
  return counts;
}

function splitPatch(text: string): (string | null)[] {
  return text
    .split(/^diff --git .*\n/m)
    .slice(1)
    .map((file) => {
      const start = file.search(/^@@ /m);
      return start < 0 ? null : file.slice(start).replace(/\n$/, '');
    });
}

/** True when both lines are in one hunk. */
export function isOneHunk(patch: string, [first, last]: [number, number], side: 'LEFT' | 'RIGHT'): boolean {
  const hunk = diffHunk(patch, last, side);
  return hunk !== null && first <= last && diffHunk(hunk, first, side) !== null;
}

/**
 * The part of a patch that leads up to a line, as GitHub shows it above a review comment.
 * @param side RIGHT counts lines of the new file, LEFT of the old one. Null when the line is not in the diff.
 */
export function diffHunk(patch: string, line: number, side: 'LEFT' | 'RIGHT'): string | null {
  let hunk: string[] = [];
  let left = 0;
  let right = 0;
  for (const text of patch.split('\n')) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    if (header) {
      [left, right] = [Number(header[1]) - 1, Number(header[2]) - 1];
      hunk = [text];
      continue;
    }
    hunk.push(text);
    if (text[0] !== '+' && text[0] !== '\\') left++;
    if (text[0] !== '-' && text[0] !== '\\') right++;
    const here = side === 'RIGHT' ? text[0] !== '-' && right === line : text[0] !== '+' && left === line;
    if (here) return hunk.join('\n');
  }
  return null;
}
