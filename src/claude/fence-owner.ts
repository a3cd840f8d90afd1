/** Whose the workspace is: as root, an unprivileged user's of its own while Claude works, and its former owners' after that. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lchown, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Owner {
  uid: number;
  gid: number;
}

/** JSON: the owner of most files, and of those that have another, as paths below the directory. */
export interface Owners {
  most: Owner;
  others: [path: string, uid: number, gid: number][];
}

/** Above what people and packages get, below what systemd and user namespaces take. */
const firstUid = 50_000;
const uids = 9_000;

/**
 * Null unless we are root. One user for each workspace, the same each time: two sessions on one machine are strangers to
 * each other for the kernel as well, and a workspace that is opened again is theirs already.
 */
export function ownerFor(workspace: string): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const taken = takenUids();
  const start = createHash('sha256').update(workspace).digest().readUInt32BE() % uids;
  for (let step = 0; step < uids; step++) {
    const uid = firstUid + ((start + step) % uids);
    if (!taken.has(uid)) return { uid, gid: uid };
  }
  return { uid: 65_534, gid: 65_534 };
}

function takenUids(): Set<number> {
  try {
    return new Set(
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .map((line) => Number(line.split(':')[2])),
    );
  } catch {
    return new Set();
  }
}

/** Remembers who owns what, before any of it changes. */
export async function ownersOf(directory: string): Promise<Owners> {
  const found = spawn('find', [directory, '-printf', '%U %G %P\\0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = Promise.withResolvers<void>();
  found.once('close', () => ended.resolve());
  found.once('error', ended.reject);
  ended.promise.catch(() => {}); // told below
  const counts = new Map<string, number>();
  const all: [string, string][] = [];
  let rest = '';
  for await (const chunk of found.stdout.setEncoding('utf8')) {
    const entries = (rest + chunk).split('\0');
    rest = entries.pop()!;
    for (const entry of entries) {
      const end = entry.indexOf(' ', entry.indexOf(' ') + 1);
      const owner = entry.slice(0, end);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
      all.push([owner, entry.slice(end + 1)]);
    }
  }
  await ended.promise;
  const [most = '0 0'] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), ['0 0', 0]);
  const others = all.filter(([owner]) => owner !== most);
  return {
    most: parsed(most),
    others: others.map(([owner, path]) => [path, parsed(owner).uid, parsed(owner).gid]),
  };
}

/** Gives directories and all in them to one user. Links are changed themselves, not what they lead to. */
export function giveTo({ uid, gid }: Owner, paths: string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const others = ['(', '!', '-uid', String(uid), '-o', '!', '-gid', String(gid), ')'];
  const change = ['-exec', 'chown', '-h', `${uid}:${gid}`, '--', '{}', '+'];
  const child = spawn('find', ['-P', ...paths, ...others, ...change], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  createInterface({ input: child.stderr }).once('line', (line) => reject(new Error(line)));
  child.on('error', reject);
  child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`find ended with ${code}`))));
  return promise;
}

/**
 * Undoes it when Claude has ended: what is new belongs to whom most belonged to. Later steps that run git as that user
 * meet no "dubious ownership".
 */
export async function giveBack(directory: string, { most, others }: Owners): Promise<void> {
  await giveTo(most, [directory]);
  for (const [path, uid, gid] of others) {
    // A link that Claude put in a directory's place must not lead us to a file elsewhere.
    if (await isBelowDirectories(directory, path))
      await lchown(join(directory, path), uid, gid).catch(() => undefined);
  }
}

async function isBelowDirectories(root: string, path: string): Promise<boolean> {
  let at = root;
  for (const part of path.split('/').slice(0, -1)) {
    at = join(at, part);
    if (!(await lstat(at).catch(() => null))?.isDirectory()) return false;
  }
  return true;
}

function parsed(owner: string): Owner {
  const [uid, gid] = owner.split(' ').map(Number) as [number, number];
  return { uid, gid };
}
