/** The container that GitHub's own MCP server runs in: how Docker starts it, and how nothing of it is left. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hostMark, runMark } from '../words/mark.ts';

const run = promisify(execFile);

/** The tag is for people; Docker goes by the digest. */
export const githubImage =
  'ghcr.io/github/github-mcp-server:v1.12.2@sha256:508a0857ec762b1ab1cece29193345b501fab1dd9d1228a7b617062954cecac6';

export interface ContainerPlace {
  /** Unique to the run. */
  mark: string;
  /** The environment that the job was given. */
  job: Record<string, string | undefined>;
}

export interface ContainerPlan extends ContainerPlace {
  token: string;
  serverUrl: string;
  /** Whether tools are named one by one: they may be of any toolset, where else the server's default ones do. */
  everyToolset: boolean;
}

export interface Command {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** What the `docker` program itself needs of the job; of the container's own only what `--env` names gets in. */
const dockers = /^(?:PATH|HOME|DOCKER_\w+|XDG_RUNTIME_DIR|(?:https?|no)_proxy)$/i;

/** Values go by the environment: arguments are seen by every process of the machine. */
export function serverCommand({ mark, job, token, serverUrl, everyToolset }: ContainerPlan): Command {
  const given = {
    GITHUB_PERSONAL_ACCESS_TOKEN: token,
    ...(serverUrl !== 'https://github.com' && { GITHUB_HOST: serverUrl }),
    ...(everyToolset && { GITHUB_TOOLSETS: 'all' }),
  };
  return {
    command: 'docker',
    args: [
      ...['run', '--interactive', '--rm', '--label', label(mark)],
      ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      ...Object.keys(given).flatMap((name) => ['--env', name]),
      githubImage,
    ],
    env: { ...dockerEnvironment(job), ...given, [runMark]: hostMark(mark) },
  };
}

/** Ends and removes whatever containers of this run there still are. */
export async function removeContainers({ mark, job }: ContainerPlace): Promise<void> {
  const docker = async (...args: string[]) =>
    (await run('docker', args, { env: dockerEnvironment(job), timeout: 15_000 })).stdout;
  const listed = docker('ps', '--all', '--quiet', '--filter', `label=${label(mark)}`);
  const left = await listed.catch((error: Error) => {
    // No Docker, no container.
    if (/ENOENT|Cannot connect to the Docker daemon|permission denied/.test(error.message)) return '';
    throw error;
  });
  const ids = left.match(/\b[0-9a-f]{12,64}\b/g) ?? [];
  if (ids.length === 0) return;
  await docker('rm', '--force', ...ids).catch((error: Error) => {
    // One that has ended is being removed by its `--rm`.
    if (!/No such container|already in progress/.test(error.message)) throw error;
  });
}

function label(mark: string): string {
  return `forgehand.run=${mark}`;
}

function dockerEnvironment(job: ContainerPlace['job']): Record<string, string> {
  const needed = Object.entries(job).filter(([name, value]) => value !== undefined && dockers.test(name));
  return Object.fromEntries(needed) as Record<string, string>;
}
