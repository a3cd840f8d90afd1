/** Starts session processes so that they outlive the server: in tmux where there is one, else detached. */
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '../../words/errors.ts';

const run = promisify(execFile);

/** How long a process that has nothing left to do may take to end. Milliseconds. */
const dyingMs = 5_000;

/** All that a session process inherits; the rest of its configuration is in a private file. */
const inherited =
  `PATH HOME USER LOGNAME SHELL LANG LC_ALL TZ TMPDIR TMUX_TMPDIR NODE_EXTRA_CA_CERTS SSL_CERT_FILE
  SSL_CERT_DIR HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy NODE_COMPILE_CACHE`.split(
    /\s+/,
  );

export interface Launch {
  /** tmux's name of the session, and that of its log file. */
  name: string;
  /** `session owner/repo#42 --lease …`: without anything secret, as every process can list it. */
  args: string[];
  logs: string;
}

export interface Launched {
  pid: number;
  inTmux: boolean;
}

export interface Launcher {
  inTmux: boolean;
  launch(launch: Launch): Promise<Launched>;
}

/** @param environment the server's own. @param command Node and the `forgehand` program. */
export async function createLauncher(
  environment: Record<string, string | undefined>,
  command: string[],
): Promise<Launcher> {
  const env = Object.fromEntries(
    inherited.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const inTmux = await run('tmux', ['-V'], { env, timeout: 5_000 }).then(
    () => true,
    () => false,
  );
  return {
    inTmux,
    launch: async ({ name, args, logs }) => {
      mkdirSync(logs, { recursive: true, mode: 0o700 });
      const log = join(logs, `${name}.log`);
      if (!inTmux) return { pid: await detached([...command, ...args], { env, log }), inTmux };
      return { pid: await inside([...command, ...args], { env, log, name }), inTmux };
    },
  };
}

/** tmux hands its own environment to what it starts, so `env -i` comes first. */
async function inside(
  command: string[],
  { env, log, name }: { env: Record<string, string>; log: string; name: string },
): Promise<number> {
  const clean = [
    'env',
    '-i',
    ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
    'TERM=screen-256color',
  ];
  // What cannot be said in the terminal any more, because it has gone, stays in the log.
  const started = ['/bin/sh', '-c', 'exec "$@" 2>>"$0"', log, ...clean, ...command];
  const args = ['new-session', '-d', '-P', '-F', '#{pane_pid}', '-s', name, '-x', '160', '-y', '50', '--'];
  for (const end = Date.now() + dyingMs; ; ) {
    try {
      const { stdout } = await run('tmux', [...args, ...started], { env, timeout: 10_000 });
      const pid = Number(stdout.trim());
      if (!(pid > 0)) throw new Error(`${name} ended as it began.`);
      return pid;
    } catch (error) {
      const said = ((error as { stderr?: string }).stderr || String(error)).trim();
      // The last session of this thread has given its lease back, and its process is about to end.
      if (!/duplicate session/.test(said) || Date.now() > end) {
        throw new AppError('internal', `tmux could not start the session ${name}: ${said}`, { cause: error });
      }
      await sleep(50);
    }
  }
}

async function detached(
  command: string[],
  { env, log }: { env: Record<string, string>; log: string },
): Promise<number> {
  const output = openSync(log, 'a', 0o600);
  try {
    const [program, ...args] = command;
    const child = spawn(program!, args, { env, detached: true, stdio: ['ignore', output, output] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return child.pid!;
  } finally {
    closeSync(output);
  }
}
