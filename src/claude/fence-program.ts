/** Composes the command that starts one program in a fence: namespaces, places, user, limits, way out. */
import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EncloseOptions, Fence } from '../words/fence.ts';
import {
  asOwner,
  type Bind,
  bindsOf,
  bridged,
  bubblewrapArguments,
  type FenceLayout,
  limited,
  staged,
} from './fence-arguments.ts';
import type { Owner } from './fence-owner.ts';

export interface Enclosure {
  bwrap: string;
  owner: Owner | null;
  /** The fence's own directory; it has a `stage` in it. */
  directory: string;
  layout: FenceLayout;
  processes: number;
  /** The sockets, for programs with network. */
  networkBinds: Bind[];
  /** The program that leads loopback to the egress socket; [] for none. */
  bridge: string[];
}

/** Directories that everybody can enter, over which the staged places are laid; none is looked into inside a fence. */
const standIns = ['/mnt', '/media', '/srv', '/boot', '/home'];

export function encloser(enclosure: Enclosure): Pick<Fence, 'enclose'> {
  const { bwrap, owner, directory, layout, processes, networkBinds, bridge } = enclosure;
  const enclose = (command: string, args: string[], options: EncloseOptions = {}) => {
    const { network = false, maxFileBytes } = options;
    const program = {
      cwd: options.cwd ?? layout.workspace,
      readOnlyWorkspace: options.readOnlyWorkspace ?? false,
      binds: [
        ...(network ? networkBinds : []),
        ...(options.readOnly ?? []).map((path) => ({ path })),
        ...(options.writable ?? []).map((path) => ({ path, writable: true })),
      ],
    };
    const sources = bindsOf(layout, program).map(({ path, from }) => from ?? path);
    const hidden = owner ? [...new Set(sources)].filter((path) => !canReach(owner, path)) : [];
    const place = standInFor(sources);
    const source = (path: string) => {
      const at = hidden.indexOf(path);
      return at < 0 ? path : join(place, String(at));
    };
    const inside = limited({ processes, maxFileBytes }, [command, ...args]);
    const boxed = [
      bwrap,
      ...bubblewrapArguments(layout, program, source),
      ...(network && bridge.length ? bridged(bridge, inside) : inside),
    ];
    const dropped = owner ? asOwner(owner, boxed) : boxed;
    const [first, ...rest] = hidden.length
      ? staged({ stage: join(directory, 'stage'), place, paths: hidden }, dropped)
      : dropped;
    return { command: first!, args: rest, env: definedOnly(options.env ?? {}) };
  };
  return { enclose };
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

function standInFor(sources: string[]): string {
  const isFree = (place: string) =>
    lstatSync(place, { throwIfNoEntry: false })?.isDirectory() &&
    !sources.some((path) => path === place || path.startsWith(`${place}/`));
  return standIns.find(isFree) ?? '/mnt';
}

function definedOnly(environment: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
