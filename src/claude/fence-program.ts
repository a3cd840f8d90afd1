/** Composes the command that starts one program in a fence: namespaces, places, user, limits, way out. */
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
import type { ControlGroup } from './fence-cgroup.ts';
import type { Owner } from './fence-owner.ts';
import { stageFor } from './fence-stage.ts';

export interface Enclosure {
  bwrap: string;
  owner: Owner | null;
  /** The fence's own directory (0711, in a private one), with a `stage` in it. */
  directory: string;
  layout: FenceLayout;
  processes: number;
  /** The sockets, for programs with network. */
  networkBinds: Bind[];
  /** The program that leads loopback to the egress socket; [] for none. */
  bridge: string[];
  /** Puts the whole of it into a control group; null where there is none. */
  group: ControlGroup | null;
}

export function encloser(enclosure: Enclosure): Pick<Fence, 'enclose'> {
  const { bwrap, owner, directory, layout, processes, networkBinds, bridge, group } = enclosure;
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
    const { source, slots, place } = stageFor(directory, owner, sources);
    const inside = limited({ processes, maxFileBytes }, [command, ...args]);
    const boxed = [
      bwrap,
      ...bubblewrapArguments(layout, program, source),
      ...(network && bridge.length ? bridged(bridge, inside) : inside),
    ];
    const dropped = owner ? asOwner(owner, boxed) : boxed;
    const placed = place ? staged({ directory, place, slots }, dropped) : dropped;
    const [first, ...rest] = group ? group.enter(placed) : placed;
    return { command: first!, args: rest, env: definedOnly(options.env ?? {}) };
  };
  return { enclose };
}

function definedOnly(environment: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
