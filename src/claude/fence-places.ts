/** What of the host is seen inside the fence: the system, tool chains, a few files of /etc, and a home that is the fence's own. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { Bind } from './fence-arguments.ts';

/** Of /etc only what programs need to run, never all of it. */
const etc =
  /^(?:ssl|pki|ca-certificates(?:\.conf)?|crypto-policies|alternatives|ld\.so\.(?:cache|conf|conf\.d)|nsswitch\.conf|localtime|timezone|mime\.types|services|protocols|magic|fonts|terminfo|bash\.bashrc|locale\.alias|locale\.conf|os-release|debian_version|lsb-release|login\.defs|java.*|python3.*|perl|php.*|maven|gradle|dotnet|ruby.*|nix)$/;

/** Variables by which set-up actions announce tool chains. CARGO_HOME is not one: it holds the registry's token. */
const toolVariables =
  /^(?:JAVA_HOME.*|GOROOT.*|ANDROID_HOME|ANDROID_SDK_ROOT|DOTNET_ROOT|pythonLocation|VIRTUAL_ENV|CONDA_PREFIX|RUSTUP_HOME|NVM_DIR|VOLTA_HOME|PNPM_HOME|BUN_INSTALL|GEM_HOME|RUNNER_TOOL_CACHE)$/;

/** The root's own directories: links where the system has them merged into /usr. */
export function systemPlaces(): { links: [string, string][]; binds: Bind[] } {
  const links: [string, string][] = [];
  const binds: Bind[] = [{ path: '/usr' }];
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) links.push([readlinkSync(`/${name}`), `/${name}`]);
    else if (found) binds.push({ path: `/${name}` });
  }
  if (existsSync('/nix/store')) binds.push({ path: '/nix/store' });
  for (const name of readdirSync('/etc')) {
    // The target of a link is bound in its place: what is in /run, say, is not there inside.
    const real = etc.test(name) ? realOf(`/etc/${name}`) : null;
    if (real) binds.push({ path: `/etc/${name}`, from: real });
  }
  return { links, binds };
}

/**
 * Tool chains outside of /usr: the runner's tool cache, what set-up actions announced, and what PATH names. Not what
 * holds any of `hidden` (HOME, the workspaces, scratch): a careless PATH must not open those.
 */
export function toolPlaces(environment: Environment, hidden: string[]): Bind[] {
  const announced = Object.entries(environment)
    .filter(([name]) => toolVariables.test(name))
    .map(([, path]) => path);
  const named = (environment.PATH ?? '').split(':').flatMap((path) => withLibraries(path, environment.HOME));
  const rust = environment.HOME ? [join(environment.HOME, '.rustup')] : [];
  const paths = ['/opt/hostedtoolcache', ...announced, ...named, ...rust].map((path) => resolve('/', path));
  return [...new Set(paths)]
    .filter(
      (path) =>
        !/^\/(?:usr|bin|sbin|lib\w*|proc|dev|sys|run|tmp|etc)?(?:\/|$)/.test(`${path}/`) ||
        isToolBelowTemp(path),
    )
    .filter((path) => !hidden.some((place) => contains(path, place)))
    .map((path) => ({ path, from: realOf(path) }))
    .filter((bind): bind is { path: string; from: string } => isDirectory(bind.from))
    .filter(({ from }) => !hidden.some((place) => contains(from, place)));
}

/** The executable with what it needs: where a link leads, and the npm package around a script. */
export function programPlaces(paths: string[]): Bind[] {
  return paths.flatMap((path) => {
    const real = realOf(path);
    if (!real) return [];
    const scope = /^.*\/node_modules\/@anthropic-ai(?=\/)/.exec(real)?.[0];
    return [
      { path, from: real },
      ...(real === path ? [] : [{ path: real }]),
      ...(scope ? [{ path: scope }] : []),
    ];
  });
}

export interface Home {
  home: string;
  temp: string;
  etc: string;
  binds: Bind[];
}

/** The fence's own directory: it can be passed through, as it lies in a private one. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(join(path, 'stage'), { recursive: true });
  for (const at of [path, join(path, 'stage')]) await chmod(at, 0o711);
}

/**
 * The fence's own directories on the host's disk, the same paths inside: HOME, TMPDIR, and the little of /etc that names
 * its user. @param userConfiguration a `.claude` whose settings are taken over, its credentials not.
 */
export async function makeHome(directory: string, userConfiguration: string | null): Promise<Home> {
  const [home, temp, own] = ['home', 'tmp', 'etc'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([home, temp, own].map((path) => mkdir(path, { recursive: true, mode: 0o755 })));
  await mkdir(join(home, '.claude'), { mode: 0o700 });
  if (userConfiguration) await copyConfiguration(userConfiguration, join(home, '.claude'));
  const files = {
    passwd: `root:x:0:0::/nonexistent:/usr/sbin/nologin\nclaude:x:1000:1000::${home}:/bin/bash\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
    group: 'root:x:0:\nclaude:x:1000:\nnogroup:x:65534:\n',
    hosts: '127.0.0.1 localhost fence\n::1 localhost\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(own, name), text);
  return {
    ...{ home, temp, etc: own },
    binds: [
      { path: home, writable: true },
      { path: temp, writable: true },
      ...Object.keys(files).map((name) => ({ path: `/etc/${name}`, from: join(own, name) })),
    ],
  };
}

const userFiles =
  'settings.json CLAUDE.md rules agents commands skills output-styles plugins keybindings.json'.split(' ');

async function copyConfiguration(from: string, to: string): Promise<void> {
  for (const name of userFiles) {
    if (existsSync(join(from, name)))
      await cp(join(from, name), join(to, name), { recursive: true, dereference: true }).catch(
        () => undefined,
      );
  }
  // Servers that a person added; the same file also says who is logged in.
  for (const file of [join(from, '.claude.json'), join(dirname(from), '.claude.json')]) {
    const servers = mcpServersOf(file);
    if (!servers) continue;
    await writeFile(join(to, '.claude.json'), JSON.stringify({ mcpServers: servers }), { mode: 0o600 });
    return;
  }
}

function mcpServersOf(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers?: unknown }).mcpServers;
  } catch {
    return undefined; // not there
  }
}

/** `…/x64/bin` finds its libraries beside it. Not all that is beside it: below HOME and /srv that may be secrets. */
function withLibraries(path: string, home: string | undefined): string[] {
  if (!isAbsolute(path)) return [];
  if (!/^(?:s?bin|condabin)$/.test(basename(path))) return [path];
  const inHome = home !== undefined && contains(home, path);
  const beside = ['lib', 'lib64', 'libexec', 'include', ...(inHome ? [] : ['share'])];
  return [path, ...beside.map((name) => join(dirname(path), name))];
}

/** A tool that a step unpacked below the temporary directory, which itself stays hidden. */
function isToolBelowTemp(path: string): boolean {
  return path.startsWith('/tmp/') && /\/(?:s?bin|tools?|node_modules)(?:\/|$)/.test(path);
}

function contains(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

function isDirectory(path: string | null): boolean {
  return path !== null && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Null for what is not there, or not for our eyes. */
function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
