/** As root: how the fence's user gets at files below directories that it cannot enter. */
import { lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Owner } from './fence-owner.ts';

export interface Stage {
  /** The directory that the fence's own is laid over; null when nothing has to be. */
  place: string | null;
  /** What is bound into the fence's directory before that. */
  slots: [path: string, slot: string][];
  /** Where a path of the host is found then. */
  source(path: string): string;
}

/** Directories that everybody can enter; none is looked into inside a fence. */
const standIns = ['/mnt', '/media', '/srv', '/boot', '/home'];

/** @param directory the fence's own (0711, in a private one), with a `stage` in it. */
export function stageFor(directory: string, owner: Owner | null, sources: string[]): Stage {
  const hidden = owner ? new Set(sources.filter((path) => !canReach(owner, path))) : new Set<string>();
  if (!hidden.size) return { place: null, slots: [], source: (path) => path };
  const place = standInFor(sources.filter((path) => !hidden.has(path)));
  const found = new Map<string, string>();
  const slots: [string, string][] = [];
  for (const path of hidden) {
    const own = path.startsWith(`${directory}/`);
    const at = own ? path : makeSlot(directory, path, slots.length);
    if (!own) slots.push([path, at]);
    found.set(path, place + at.slice(directory.length));
  }
  return { place, slots, source: (path) => found.get(path) ?? path };
}

function makeSlot(directory: string, path: string, index: number): string {
  const isDirectory = statSync(path).isDirectory();
  const slot = join(directory, 'stage', `${isDirectory ? 'directory' : 'file'}-${index}`);
  if (isDirectory) mkdirSync(slot, { recursive: true });
  else writeFileSync(slot, '');
  return slot;
}

/** True when every directory on the way lets this user through; groups and ACLs are not counted on. */
function canReach({ uid }: Owner, path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (!found) return false;
    const mine = found.uid === uid && (found.mode & 0o100) !== 0;
    if (!mine && (found.mode & 0o001) === 0) return false;
    if (at === '/') return true;
  }
}

/** A directory that may be covered while a fence is made, as none of what it shows is there. */
export function standInFor(others: string[]): string {
  const isFree = (place: string) =>
    lstatSync(place, { throwIfNoEntry: false })?.isDirectory() &&
    !others.some((path) => path === place || path.startsWith(`${place}/`));
  return standIns.find(isFree) ?? '/mnt';
}
