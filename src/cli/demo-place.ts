/** Where the demo of the server lives: a directory, a port, the built server in it, and an end that leaves nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { commandOf, listProcesses } from '../../testkit/runner/processes.ts';

export interface Place {
  directory: string;
  url: string;
  port: number;
  /** Of the sessions, for `tmux attach`. */
  tmux: string;
  /** Starts the server; its lines come one by one. */
  serve(environment: Record<string, string>, onLine: (line: string) => void): ChildProcess;
  /** Ends server, sessions and PostgreSQL. Answers how many processes were left, null where that cannot be seen. */
  end(): Promise<number | null>;
  /** Removes every file. */
  remove(): Promise<void>;
}

/** What a server takes from the shell that it is started in; the rest of it is none of the demo's business. */
const inherited = ['PATH', 'LANG', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS'];

export async function makePlace(): Promise<Place> {
  const program = join(import.meta.dirname, '../../dist/forgehand.mjs');
  if (!existsSync(program)) throw new Error('The server is not built: run `npm run build` first.');
  const directory = await mkdtemp(join(tmpdir(), 'forgehand-demo-'));
  // As root, PostgreSQL and Claude run as other users, who must get to what is theirs.
  await chmod(directory, 0o711);
  const [home, tmux, temporary, data] = ['home', 'tmux', 'tmp', 'data'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  for (const path of [home, tmux, temporary]) await mkdir(path);
  const port = await freePort();
  const shared = Object.fromEntries(
    inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const environment = {
    ...shared,
    HOME: home,
    TMUX_TMPDIR: tmux,
    // Without a fence Claude Code leaves files there.
    TMPDIR: temporary,
    DATA_DIR: data,
    WORKSPACES_ROOT: join(directory, 'workspaces'),
    WEBHOOK_PORT: String(port),
  };
  const forgehand = (args: string[], more: Record<string, string>) =>
    spawn(process.execPath, [program, ...args], {
      cwd: directory,
      env: { ...environment, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  let server: ChildProcess | null = null;
  return {
    ...{ directory, url: `http://127.0.0.1:${port}`, port, tmux },
    serve: (more, onLine) => {
      const started = forgehand(['serve'], more);
      for (const stream of [started.stdout, started.stderr])
        createInterface({ input: stream }).on('line', onLine);
      server = started;
      return started;
    },
    end: async () => {
      const stopping = forgehand(['stop'], {});
      const said: string[] = [];
      for (const stream of [stopping.stdout, stopping.stderr])
        createInterface({ input: stream }).on('line', (line) => said.push(line));
      const [code] = await once(stopping, 'close');
      if (code !== 0) console.log(said.join('\n'));
      // It ended by itself, or was killed: `stop` has looked for the rest.
      if (server && server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      return process.platform === 'linux' ? endRest(directory) : null;
    },
    remove: async () => {
      // Where TMPDIR is too long for a socket, PostgreSQL's is in a directory of its own.
      const note = join(data, 'postgres/socket-directory');
      const paths = [directory, ...(existsSync(note) ? [readFileSync(note, 'utf8').trim()] : [])];
      for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Counts what still runs in the place, and ends it. */
function endRest(directory: string): number {
  const rest = listProcesses().filter(
    ({ pid }) => pid !== process.pid && (commandOf(pid).includes(directory) || isIn(pid, directory)),
  );
  for (const { pid } of rest) {
    console.log(`Left behind: ${commandOf(pid) || `process ${pid}`}`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  return rest.length;
}

function isIn(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(directory);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
