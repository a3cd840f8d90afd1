/** The only place that runs git: a clean environment, one process group, bounded time, errors a person can act on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';
import type { EncloseOptions, Fence } from '../words/fence.ts';
import { runMark } from '../words/mark.ts';
import { gitFailure } from './git-failure.ts';
import type { Remote } from './remote.ts';

/** Who a commit is attributed to. */
export interface Identity {
  name: string;
  email: string;
}

/** The caller's environment; only PATH, the temp directory, proxy and CA variables are taken from it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface GitOptions {
  /** The repository, named outright: nothing is discovered, so no parent directory's repository is ever meant. */
  gitDir?: string;
  workTree?: string;
  indexFile?: string;
  /** Where objects are, when that is not in `gitDir`. */
  objectDirectory?: string;
  /** Runs in a fence: for repositories that hold what Claude has written. */
  enclosure?: { fence: Fence } & EncloseOptions;
  /** Most bytes that git writes to one file, in a fence. */
  maxFileBytes?: number;
  /** Where the process stands; `/` unless told. */
  cwd?: string;
  stdin?: string | Buffer;
  /** A file that git reads as its standard input, or writes its standard output to (created, mode 0600). */
  stdinFile?: string;
  stdoutFile?: string;
  /** Allows the network, to the protocol of this URL only. Without it git speaks no protocol at all. */
  remote?: Remote;
  identity?: Identity;
  /** Further configuration for this process. */
  config?: Record<string, string>;
  environment?: Environment;
  /** Exit codes that are an answer, not a failure; [0] unless told. */
  allowedCodes?: number[];
  /** Tells an answer from a failure where the exit code does not: `git push` ends with 1 for both. Every one unless told. */
  isAnswer?(output: GitOutput): boolean;
  /** Milliseconds; ten minutes unless told. */
  timeoutMs?: number;
  /** Bytes of standard output kept in memory; 256 MiB unless told. */
  maxOutputBytes?: number;
  /** Milliseconds before each further attempt of a network command that can succeed later. */
  retryDelaysMs?: number[];
  signal?: AbortSignal;
}

export interface GitOutput {
  /** Standard output as text, without its last newline. */
  stdout: string;
  bytes: Buffer;
  stderr: string;
  code: number;
}

const inherited = [
  // By its mark `post` ends what a killed main has left running, a push with its credential for example.
  runMark,
  ...['PATH', 'TMPDIR', 'SystemRoot', 'TEMP'],
  ...[
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'ALL_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'no_proxy',
  ],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
];

/** What every git process is told, whatever the repository's own configuration says. */
const fixedConfig: Record<string, string> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.commitGraph': 'false',
  'core.multiPackIndex': 'false',
  'core.untrackedCache': 'false',
  'core.askPass': '',
  'credential.helper': '',
  'commit.gpgSign': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'http.followRedirects': 'false',
  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'push.recurseSubmodules': 'no',
};

/**
 * Runs `git <args>`. Network commands are repeated a few times when the server does not answer.
 * @throws AppError `git_failed`; with a remote also `github_auth`, `github_unavailable`; `cancelled` on abort.
 */
export async function git(args: string[], options: GitOptions = {}): Promise<GitOutput> {
  const delays = options.remote ? (options.retryDelaysMs ?? [1_000, 4_000, 10_000]) : [];
  for (let attempt = 0; ; attempt++) {
    const output = await runOnce(args, options);
    const { allowedCodes = [0], isAnswer = () => true } = options;
    if (allowedCodes.includes(output.code) && isAnswer(output)) return output;
    const error = gitFailure(args, output, options.remote);
    const delay = delays[attempt];
    if (error.reason !== 'github_unavailable' || delay === undefined) throw error;
    await sleep(delay, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** The environment that makes Claude's commits the bot's, without writing any configuration. */
export function identityEnvironment({ name, email }: Identity): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

async function runOnce(args: string[], options: GitOptions): Promise<GitOutput> {
  const files = openFiles(options);
  const ended = new AbortController();
  try {
    return await new Promise<GitOutput>((resolve, reject) => {
      if (options.signal?.aborted) return reject(cancelled(args));
      const { command, env, args: given } = processOf(args, options);
      const child = spawn(command, given, {
        cwd: options.cwd ?? '/',
        env,
        stdio: [files.input ?? 'pipe', files.output ?? 'pipe', 'pipe'],
        // Own process group, so that an end also ends git's children (`git-remote-https`, `index-pack`).
        detached: process.platform !== 'win32',
      });
      const stop = (error: AppError) => {
        killGroup(child.pid);
        reject(error);
      };
      limitTime(args, options, { stop, until: ended.signal });
      const printed = collect(child, options.maxOutputBytes ?? 2 ** 28, () =>
        stop(
          new AppError('git_failed', `\`git ${args[0]}\` printed more than is reasonable and was stopped.`),
        ),
      );
      child.on('error', (error: NodeJS.ErrnoException) => reject(notStarted(error)));
      child.on('close', (code) => resolve({ ...printed(), code: code ?? 128 }));
      // A child that ends before it has read everything closes the pipe: its exit code says why, not EPIPE.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.stdin ?? '');
    });
  } finally {
    ended.abort();
    files.close();
  }
}

/** Git itself, or the fence around it; then its directory is the one inside. */
function processOf(args: string[], options: GitOptions) {
  const env = processEnvironment(options);
  if (!options.enclosure) return { command: 'git', args, env };
  const { fence, ...enclosed } = options.enclosure;
  const { maxFileBytes } = options;
  return fence.enclose('git', args, { ...enclosed, maxFileBytes, env });
}

/** Stops the process at its time limit or at the caller's abort, whichever comes first. */
function limitTime(
  args: string[],
  options: GitOptions,
  { stop, until }: { stop: (error: AppError) => void; until: AbortSignal },
): void {
  const limit = options.timeoutMs ?? 600_000;
  const late = () =>
    stop(
      new AppError(
        'git_failed',
        `\`git ${args[0]}\` did not end within ${limit / 1000} seconds and was stopped.`,
      ),
    );
  const timer = setTimeout(late, limit);
  until.addEventListener('abort', () => clearTimeout(timer));
  options.signal?.addEventListener('abort', () => stop(cancelled(args)), { signal: until });
}

/** Gathers what the process prints; of standard error only the end is kept. */
function collect(child: ChildProcess, maxBytes: number, tooMuch: () => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else tooMuch();
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-65_536);
  });
  return () => {
    const bytes = Buffer.concat(chunks);
    return { stdout: bytes.toString().replace(/\n$/, ''), bytes, stderr };
  };
}

function notStarted(error: NodeJS.ErrnoException): AppError {
  const message =
    error.code === 'ENOENT' ? 'Git was not found on PATH.' : `Git could not be started: ${error.message}.`;
  return new AppError('git_failed', message, {
    cause: error,
    remedy: 'Install git on the machine that runs the job.',
  });
}

function openFiles({ stdinFile, stdoutFile }: GitOptions) {
  const input = stdinFile === undefined ? undefined : openSync(stdinFile, constants.O_RDONLY);
  const output = stdoutFile === undefined ? undefined : openSync(stdoutFile, 'w', 0o600);
  const close = () => {
    for (const fd of [input, output]) if (fd !== undefined) closeSync(fd);
  };
  return { input, output, close };
}

function processEnvironment(options: GitOptions): Record<string, string> {
  const env: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    // Stronger than `protocol.allow`: a repository's own `protocol.ext.allow` would beat that one.
    GIT_ALLOW_PROTOCOL: options.remote ? new URL(options.remote.url).protocol.slice(0, -1) : 'none',
  };
  for (const name of inherited) {
    const value = options.environment?.[name];
    if (value) env[name] = value;
  }
  if (options.gitDir) env.GIT_DIR = options.gitDir;
  if (options.workTree) env.GIT_WORK_TREE = options.workTree;
  if (options.indexFile) env.GIT_INDEX_FILE = options.indexFile;
  if (options.objectDirectory) env.GIT_OBJECT_DIRECTORY = options.objectDirectory;
  if (options.identity) Object.assign(env, identityEnvironment(options.identity));
  return {
    ...env,
    ...configEnvironment({ ...fixedConfig, ...options.config, ...credentialConfig(options.remote) }),
  };
}

/** The credential as configuration in the environment: never in argv, which every process can list, never on disk. */
function credentialConfig(remote: Remote | undefined): Record<string, string> {
  if (!remote?.token) return {};
  const basic = Buffer.from(`x-access-token:${remote.token.reveal()}`).toString('base64');
  return { [`http.${new URL(remote.url).origin}/.extraHeader`]: `Authorization: Basic ${basic}` };
}

function configEnvironment(config: Record<string, string>): Record<string, string> {
  const entries = Object.entries(config);
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  entries.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return env;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function cancelled(args: string[]): AppError {
  return new AppError('cancelled', `\`git ${args[0]}\` was stopped because the run was cancelled.`);
}
