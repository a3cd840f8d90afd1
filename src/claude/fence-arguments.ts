/** The fence as arguments of bubblewrap: what is shared (nearly nothing), what is seen, what can be written. Pure. */

/** A file or directory of the host that is seen inside. */
export interface Bind {
  /** Where it is seen. */
  path: string;
  /** Where it is on the host; `path` unless told. */
  from?: string;
  writable?: boolean;
}

/** What every program of one fence sees. */
export interface FenceLayout {
  /** Links in the root, `['usr/bin', '/bin']`. */
  links: [target: string, path: string][];
  binds: Bind[];
  workspace: string;
}

export interface FencedProgram {
  cwd: string;
  /** Besides those of the layout. */
  binds: Bind[];
  readOnlyWorkspace: boolean;
}

/** Where the sockets of the host are seen. */
export const socketDirectory = '/run/forgehand';
/** Where programs find the way out, as tool chains speak TCP only. */
export const proxyPort = 3128;

/** Bytes; what is larger belongs on a disk, and TMPDIR is on one. */
const memoryFiles = String(2 ** 28);
const memoryDirectory = (path: string) => ['--perms', '1777', '--size', memoryFiles, '--tmpfs', path];

/**
 * Own user, process, mount, network, IPC, host name and cgroup namespaces; no capability, and none to be had by a
 * further namespace. `--new-session`: no terminal to push characters into.
 */
const namespaces =
  `--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try
  --disable-userns --die-with-parent --new-session --uid 1000 --gid 1000 --cap-drop ALL`.split(/\s+/);

/**
 * Everything up to the program itself.
 * @param source says where on the host a path is found, as the fence's user may not get there by its own name.
 */
export function bubblewrapArguments(
  layout: FenceLayout,
  program: FencedProgram,
  source: (path: string) => string,
): string[] {
  return [
    ...namespaces,
    ...['--hostname', 'fence'],
    ...layout.links.flatMap(([target, path]) => ['--symlink', target, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--dir', socketDirectory],
    ...['/dev/shm', '/tmp', '/var/tmp'].flatMap(memoryDirectory),
    ...bindsOf(layout, program).flatMap(({ path, from, writable }) => [
      writable ? '--bind' : '--ro-bind',
      source(from ?? path),
      path,
    ]),
    // What is left of the tmpfs that all of this hangs in would be memory without a limit.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
    ...['--chdir', program.cwd, '--'],
  ];
}

/** Parents before what is in them, and the last word on a path counts. */
export function bindsOf(layout: FenceLayout, program: FencedProgram): Bind[] {
  const { workspace } = layout;
  const all = [...layout.binds, ...program.binds]
    // Claude can write in the workspace: a mount point in it could be a link to elsewhere by now.
    .filter(({ path }) => path !== workspace && !path.startsWith(`${workspace}/`));
  const byPath = new Map(all.map((bind) => [bind.path, bind]));
  byPath.set(workspace, { path: workspace, writable: !program.readOnlyWorkspace });
  return [...byPath.values()].sort((one, other) => one.path.length - other.path.length);
}

/**
 * The way out for programs that speak TCP: a bridge from loopback to the proxy's socket, there before the program
 * starts. Then the program, in place of the shell.
 */
export function bridged(bridge: string[], command: string[]): string[] {
  const port = proxyPort.toString(16).toUpperCase().padStart(4, '0');
  const start = `${bridge.map(quoted).join(' ')} </dev/null >/dev/null 2>&1 &`;
  const wait = `i=0; until grep -q ':${port} ' /proc/net/tcp || [ $i -ge 400 ]; do i=$((i+1)); sleep 0.005; done`;
  return ['/bin/sh', '-c', `${start}\n${wait}\nexec "$@"`, 'bridge', ...command];
}

/** Inside one user namespace, so that processes of the same user elsewhere do not count. */
export function limited(limits: { processes: number; maxFileBytes?: number }, command: string[]): string[] {
  const { processes, maxFileBytes } = limits;
  const file = maxFileBytes === undefined ? [] : [`--fsize=${maxFileBytes}`];
  return ['prlimit', `--nproc=${processes}`, '--core=0', ...file, '--', ...command];
}

/**
 * As root: to the unprivileged user before anything else, as root in a namespace without capabilities could still
 * write `/proc/sys/kernel/core_pattern` of the host.
 */
export function asOwner({ uid, gid }: { uid: number; gid: number }, command: string[]): string[] {
  const drop = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--no-new-privs', '--'];
  return ['setpriv', ...drop, ...command];
}

/**
 * As root, for paths below a directory that the fence's user cannot enter (root's HOME): in a mount namespace of its
 * own, they are bound into the fence's directory, and that over a place that everybody can enter; bubblewrap takes them
 * from there.
 */
export function staged(
  { directory, place, slots }: { directory: string; place: string; slots: [path: string, slot: string][] },
  command: string[],
): string[] {
  const script = `set -e
directory=$1 place=$2; shift 2
while [ "$1" != -- ]; do command -p mount --rbind "$1" "$2"; shift 2; done
shift
command -p mount --rbind "$directory" "$place"
exec "$@"`;
  const given = [directory, place, ...slots.flat(), '--', ...command];
  return ['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', script, 'stage', ...given];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
