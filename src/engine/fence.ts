/** The fence of one run: opened where it works, required where that was asked, and said where there is none. */
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { ClaudeArguments } from '../claude/arguments.ts';
import type { Environment } from '../claude/environment.ts';
import { type FenceSupport, type OpenFence, openFence } from '../claude/fence.ts';
import type { GitHubHost } from '../github/client.ts';
import { AppError } from '../words/errors.ts';
import type { ClaudeDoor } from './door.ts';
import { imagesPath } from './scratch.ts';

export interface RunFenceRequest {
  door: ClaudeDoor;
  /** What probing has found; null when nobody asked. */
  support: FenceSupport | null;
  /** Where Claude works. */
  workspace: string;
  executable: string;
  /** What else of the host Claude Code needs to see. */
  readOnly: string[];
  /** Claude's environment as it would be without a fence. */
  environment: Environment;
  arguments: ClaudeArguments;
  /** MCP servers of `claude_args`, by name. */
  givenServers: Record<string, unknown>;
  /** Where Claude's own process has a GitHub token for, and so may go; null where it has none. */
  github: GitHubHost | null;
}

/**
 * Null where there is none and none is needed.
 * @throws AppError `sandbox_unavailable` when one is needed; `invalid_input` for `egress_allowed` that cannot be read.
 */
export async function openRunFence(request: RunFenceRequest): Promise<OpenFence | null> {
  const { door, support, workspace, executable, environment } = request;
  const { config, log, scratch, temp } = door;
  if (config.sandbox === 'off' || !support) return null;
  const egressAllowed = [
    ...config.egressAllowed.map(checkedPlace),
    ...serverPlaces(request.givenServers),
    ...(request.github ? githubPlaces(request.github) : []),
  ];
  if (!support.usable) return withoutFence(door, support);
  const { HOME: home, CLAUDE_CONFIG_DIR: configuration } = environment;
  const opening = openFence({
    ...{ workspace, scratch, environment, egressAllowed, log },
    readOnly: [
      executable,
      imagesPath(scratch),
      ...request.readOnly,
      ...[...request.arguments.addDirs, ...request.arguments.pluginDirs].map((path) =>
        resolve(workspace, path),
      ),
    ],
    // The machine is the job's alone; what is left is for the runner and for us.
    limits: { processes: 4096, memoryMiB: Math.round((totalmem() / 2 ** 20) * 0.8) },
    userConfiguration: configuration || (home ? join(home, '.claude') : null),
    hidden: [temp],
    onOwners: (owners) => door.remember('owners', owners),
  });
  // It works on this machine and yet not here: a file system that lets nobody change owners, for example.
  return opening.catch((error: Error) =>
    withoutFence(door, { why: error.message, remedy: 'Set `sandbox: off` to do without.' }),
  );
}

/** Says so; refuses where the settings need a fence. */
function withoutFence(door: ClaudeDoor, { why, remedy }: { why: string; remedy: string }): null {
  const { sandbox, allowBash } = door.config;
  const needed = sandbox === 'required' ? '`sandbox: required`' : allowBash && '`allow_bash`';
  if (needed) throw new AppError('sandbox_unavailable', `${needed} needs the fence: ${why}.`, { remedy });
  door.note(`Claude works without the fence: ${why}. ${remedy}`);
  return null;
}

/** @throws AppError `invalid_input` */
function checkedPlace(place: string): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?:\d{1,5}$/i.test(place)) return place;
  throw new AppError('invalid_input', `Input \`egress_allowed\`: \`${place}\` is not \`host:port\`.`, {
    remedy: 'Write one host with its port on each line, for example `registry.example.com:443`.',
  });
}

/** Addresses of MCP servers that the workflow itself names, and those in their settings: it means them to be reached. */
function serverPlaces(servers: Record<string, unknown>): string[] {
  return [...JSON.stringify(servers).matchAll(/"(https?:\/\/[^"\s]+)"/g)].flatMap(placeOf);
}

function placeOf([, url]: RegExpMatchArray | [unknown, string]): string[] {
  const parsed = URL.parse(url ?? '');
  return parsed ? [`${parsed.hostname}:${parsed.port || (parsed.protocol === 'http:' ? 80 : 443)}`] : [];
}

function githubPlaces({ serverUrl, apiUrl }: GitHubHost): string[] {
  const named = [serverUrl, apiUrl].flatMap((url) => placeOf([null, url]));
  if (!named.includes('github.com:443')) return named;
  return [
    ...named,
    'codeload.github.com:443',
    'uploads.github.com:443',
    ...['raw', 'objects', 'release-assets'].map((name) => `${name}.githubusercontent.com:443`),
  ];
}
