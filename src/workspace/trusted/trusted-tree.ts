/** Files of one commit, read from Git objects: sizes are looked at first, and links lead nowhere but into the same tree. */
import { posix } from 'node:path';
import { type GitOptions, git } from '../git.ts';

/** An entry of a commit's tree; only files and links are one. */
export interface Entry {
  mode: string;
  sha: string;
}

export interface TreeFile {
  /** Where it is in the tree, when links have been followed. */
  source: string;
  content: Buffer;
  executable: boolean;
}

interface Reading {
  place: GitOptions;
  /** Of all files together. */
  maxBytes: number;
  tooLarge(): Error;
}

export type Tree = ReadonlyMap<string, Entry>;

const link = '120000';
/** Links that lead to links; more are taken for a circle. */
const mostHops = 5;

/** Every file and link of a commit, by path. Null when the commit or a part of it is not here. */
export async function readTree(sha: string, place: GitOptions): Promise<Tree | null> {
  const listed = await git(['ls-tree', '-r', '-z', '--full-tree', sha], { ...place, allowedCodes: [0, 128] });
  if (listed.code !== 0) return null;
  const entries = listed.stdout.split('\0').flatMap((line): [string, Entry][] => {
    const [, mode, object, path] = /^(1[02]\d{4}) blob ([0-9a-f]+)\t(.+)$/s.exec(line) ?? [];
    return mode && object && path && isSafe(path) ? [[path, { mode, sha: object }]] : [];
  });
  return new Map(entries);
}

/** Git makes no other paths; a forged tree may have them. */
function isSafe(path: string): boolean {
  return !path.includes('\\') && path.split('/').every((part) => part && !/^(?:\.{1,2}|\.git)$/i.test(part));
}

/**
 * What there is of these paths, by the path that was asked for; a link to a directory brings the files in it.
 * @returns null when an object is not here
 */
export async function readFiles(
  tree: Tree,
  paths: string[],
  reading: Reading,
): Promise<Map<string, TreeFile> | null> {
  const sources = new Map<string, string>();
  for (const path of paths) {
    const found = await follow(tree, path, { place: reading.place, hops: 0 });
    if (!found) return null;
    for (const [asked, source] of found) sources.set(asked, source);
  }
  const wanted = [...new Set([...sources.values()].map((source) => tree.get(source)!.sha))];
  const blobs = await readBlobs(wanted, reading);
  if (!blobs) return null;
  const files = [...sources].map(([asked, source]): [string, TreeFile] => {
    const { sha, mode } = tree.get(source)!;
    return [asked, { source, content: blobs.get(sha)!, executable: mode === '100755' }];
  });
  return new Map(files);
}

/** Pairs of the path that was asked for and the file that it is; null when a link's object is not here. */
async function follow(
  tree: Tree,
  path: string,
  { place, hops }: { place: GitOptions; hops: number },
): Promise<[string, string][] | null> {
  const entry = tree.get(path);
  if (entry && entry.mode !== link) return [[path, path]];
  const parts = path.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const at = prefixes.find((prefix) => tree.get(prefix)?.mode === link);
  if (!at) {
    // The files of a directory that a link leads to; links among them are left out, as they may lead back here.
    const inside =
      hops > 0 ? [...tree.keys()].filter((one) => path === '.' || one.startsWith(`${path}/`)) : [];
    return inside.filter((one) => tree.get(one)!.mode !== link).map((one) => [one, one]);
  }
  if (hops >= mostHops) return [];
  const text = await readLink(tree.get(at)!.sha, place);
  if (text === null) return null;
  const target = posix.join(posix.dirname(at), text, path.slice(at.length));
  if (posix.isAbsolute(text) || target === '..' || target.startsWith('../')) return [];
  const found = await follow(tree, target.replace(/\/$/, ''), { place, hops: hops + 1 });
  const prefix = target === '.' ? '' : target.replace(/\/$/, '');
  return found ? found.map(([one, source]) => [posix.join(path, one.slice(prefix.length)), source]) : null;
}

async function readLink(sha: string, place: GitOptions): Promise<string | null> {
  const blobs = await readBlobs([sha], { place, maxBytes: 4096, tooLarge: () => new Error('no link') });
  return blobs ? blobs.get(sha)!.toString() : null;
}

async function readBlobs(shas: string[], reading: Reading): Promise<Map<string, Buffer> | null> {
  if (shas.length === 0) return new Map();
  const { place, maxBytes, tooLarge } = reading;
  const stdin = shas.map((sha) => `${sha}\n`).join('');
  const checked = await git(['cat-file', '--batch-check'], { ...place, stdin });
  const found = checked.stdout.split('\n').map((line) => /^[0-9a-f]+ blob (\d+)$/.exec(line)?.[1]);
  if (found.includes(undefined)) return null;
  const sizes = found.map(Number);
  if (sizes.reduce((sum, size) => sum + size, 0) > maxBytes) throw tooLarge();
  const { bytes } = await git(['cat-file', '--batch'], { ...place, stdin });
  const blobs = new Map<string, Buffer>();
  let offset = 0;
  shas.forEach((sha, index) => {
    const begin = bytes.indexOf('\n', offset) + 1;
    const end = begin + sizes[index]!;
    blobs.set(sha, bytes.subarray(begin, end));
    offset = end + 1;
  });
  return blobs;
}
