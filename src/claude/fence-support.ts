/** Whether a fence can be had on this machine, and if not, why and what to do about it, in words. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { staged } from './fence-arguments.ts';
import { ownerFor } from './fence-owner.ts';
import { systemPlaces } from './fence-places.ts';
import { encloser } from './fence-program.ts';
import { standInFor } from './fence-stage.ts';

export type FenceSupport = { usable: true } | { usable: false; why: string; remedy: string };

const run = promisify(execFile);
let probed: Promise<FenceSupport> | undefined;

/** Fixed places: a program of that name in a checkout's PATH entry is not asked. */
const places = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

/** Absolute path of a program of the system, null when it is not installed. */
export async function findProgram(name: string): Promise<string | null> {
  for (const place of places) {
    const path = join(place, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

/** Runs one program in a fence, once for each process: what is read about a machine says less than what it does. */
export function probeFence(): Promise<FenceSupport> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<FenceSupport> {
  if (process.platform !== 'linux') {
    return no('the fence needs Linux', 'Use a Linux runner, or set `sandbox: off`.');
  }
  const bwrap = await findProgram('bwrap');
  if (!bwrap)
    return no('bubblewrap is not installed', 'Install it: `sudo apt-get install bubblewrap socat`.');
  if (!(await findProgram('prlimit')))
    return no('prlimit is not installed', 'Install it: `sudo apt-get install util-linux`.');
  // Places that are there: nothing is made that somebody would have to remove when we are killed meanwhile.
  const [workspace, directory] = ['/usr/lib', '/usr'];
  const owner = ownerFor(workspace);
  const { enclose } = encloser({
    ...{ bwrap, owner, directory, processes: 64, networkBinds: [], bridge: [], group: null },
    layout: { ...systemPlaces(), workspace },
  });
  const { command, args, env } = enclose('true', [], {
    env: { PATH: '/usr/bin:/bin' },
    readOnlyWorkspace: true,
  });
  // As root the way for paths that only root reaches is tried as well.
  const [first, ...rest] = owner
    ? staged({ directory, place: standInFor([]), slots: [] }, [command, ...args])
    : [command, ...args];
  return run(first!, rest, { env, timeout: 20_000 }).then(
    () => ({ usable: true }),
    (error: Error & { stderr?: string }) => explain(error.stderr || error.message),
  );
}

const ubuntu =
  'Allow it: `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`, or give /usr/bin/bwrap an AppArmor profile with `userns,`.';

/** What bubblewrap says where it cannot work, in words that name the cure. */
export function explain(said: string): FenceSupport {
  const last = said.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  const known: [RegExp, string, string][] = [
    [
      /setting up uid map: Permission denied|loopback: Failed RTM_NEWADDR|apparmor/i,
      'AppArmor forbids user namespaces, as on Ubuntu 24.04',
      ubuntu,
    ],
    [
      /max_\*_namespaces exceeded|ENOSPC|No space left on device/i,
      'the kernel allows no further user namespaces',
      'Raise it: `sudo sysctl -w user.max_user_namespaces=15000`.',
    ],
    [
      /Can't mount proc/i,
      '/proc is masked, as in a container',
      'Run the container with `--security-opt systempaths=unconfined`, or Forgehand outside of it.',
    ],
    [
      /Unknown option|unrecognized option/i,
      'bubblewrap is older than 0.8',
      'Update it: the fence needs bubblewrap 0.8 or later.',
    ],
    [
      /No permissions to create(?: a)? new namespace|Creating new namespace failed|unshare failed|Operation not permitted|clone.*not permitted/i,
      'user namespaces are forbidden here',
      `In a container: \`--security-opt seccomp=unconfined --security-opt apparmor=unconfined\`. ${ubuntu}`,
    ],
    [/ENOENT/, 'a program that the fence needs is not installed', 'Install bubblewrap and util-linux.'],
  ];
  const found = known.find(([pattern]) => pattern.test(said));
  return no(
    `${found?.[1] ?? 'bubblewrap does not work here'} (${last})`,
    found?.[2] ?? 'Set `sandbox: off`.',
  );
}

function no(why: string, remedy: string): FenceSupport {
  return { usable: false, why, remedy };
}
