/** A stand-in for the `docker` program, where there is no Docker: it checks its arguments and runs a real MCP server. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How Docker and the server behave. */
export interface DockerNature {
  /** Where the server finds GitHub: a container has another network than the test. */
  apiUrl: string;
  /** `down`: no daemon answers. `fetching`: the image is on its way for ever. */
  daemon?: 'down' | 'fetching';
  /** The tool during which the server dies. */
  diesOf?: string;
  /** The server goes on when nobody talks to it any more, and when it is asked to end. */
  stubborn?: boolean;
}

export interface DockerRun {
  args: string[];
  /** The environment that the container got. */
  env: Record<string, string>;
}

export interface StandInDocker {
  /** PATH of who shall find it. */
  path: string;
  /** Every `docker run` so far. */
  runs(): Promise<DockerRun[]>;
  /** Ids of the containers that there are. */
  containers(): Promise<string[]>;
}

/** @param directory an empty one, which outlives the containers. */
export async function standInDocker(directory: string, nature: DockerNature): Promise<StandInDocker> {
  const program = join(directory, 'docker');
  const source = fileURLToPath(new URL('program.ts', import.meta.url));
  await mkdir(join(directory, 'containers'), { recursive: true });
  await writeFile(join(directory, 'nature.json'), JSON.stringify(nature));
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${source}' '${directory}' "$@"\n`);
  await chmod(program, 0o755);
  const log = () => readFile(join(directory, 'runs'), 'utf8').catch(() => '');
  return {
    path: [directory, process.env.PATH].join(delimiter),
    runs: async () =>
      (await log())
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as DockerRun),
    containers: () => readdir(join(directory, 'containers')),
  };
}
