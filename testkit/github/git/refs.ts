/** Reads refs straight from a bare repository's files, so that the tip of a branch is known without a process. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './command.ts';

/** The hash that a full ref name (`refs/heads/main`) points to; null when there is none. */
export function readRef(directory: string, ref: string): string | null {
  const loose = read(join(directory, ref))?.trim();
  if (loose && /^[0-9a-f]{40}$/.test(loose)) return loose;
  return packedRefs(directory).get(ref) ?? null;
}

/** Full names and hashes of the refs under `prefix` (for example `refs/heads/`), by name. */
export function listRefs(directory: string, prefix: string): Map<string, string> {
  const found = new Map([...packedRefs(directory)].filter(([name]) => name.startsWith(prefix)));
  for (const entry of looseFiles(directory, prefix.replace(/\/$/, ''))) {
    const sha = readRef(directory, entry);
    if (sha) found.set(entry, sha);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The tip of a branch; null when there is no such branch. */
export function branchTip(directory: string, branch: string): string | null {
  return readRef(directory, `refs/heads/${branch}`);
}

/** Points a ref somewhere. @throws GitError when the hash is unknown or the ref is locked. */
export async function updateRef(directory: string, ref: string, sha: string): Promise<void> {
  await git(directory, ['update-ref', ref, sha]);
}

/** @throws GitError */
export async function deleteRef(directory: string, ref: string): Promise<void> {
  await git(directory, ['update-ref', '-d', ref]);
}

function packedRefs(directory: string): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of (read(join(directory, 'packed-refs')) ?? '').split('\n')) {
    const match = /^([0-9a-f]{40}) (.+)$/.exec(line);
    if (match) refs.set(match[2]!, match[1]!);
  }
  return refs;
}

function looseFiles(directory: string, path: string): string[] {
  try {
    return readdirSync(join(directory, path), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? looseFiles(directory, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
    );
  } catch {
    return [];
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
