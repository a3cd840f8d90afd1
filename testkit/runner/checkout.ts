/** Imitates actions/checkout: the repository at the right commit, with the same traces in .git/config. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CheckoutOptions {
  /** The GitHub to clone from, for example `http://127.0.0.1:8080`. */
  serverUrl: string;
  /** `owner/name`. */
  repository: string;
  /** Directory of the checkout; made when missing, and expected to be empty. */
  workspace: string;
  /** For `x-access-token`; without one the repository is read anonymously and nothing is kept in the configuration. */
  token?: string;
  /**
   * `refs/heads/…`, `refs/tags/…`, `refs/pull/N/merge`, or the name of a branch; the server's default branch when unset.
   * A pull request's merge ref that the server does not have (it conflicts, or the kit made none) falls back to `fallbackRef`.
   */
  ref?: string;
  /** What is checked out instead of a missing pull request ref, usually the head branch. */
  fallbackRef?: string;
  /** A commit of the ref, as the event names it; the ref's newest when unset. */
  sha?: string;
  /** 1 by default, as in actions/checkout; 0 fetches all history of all branches and tags. */
  fetchDepth?: number;
  /** `v4` keeps the credentials in .git/config, `v6` in a file of `runnerTemp` that .git/config includes. `v4` by default. */
  layout?: 'v4' | 'v6';
  /** Directory for the credentials file of layout `v6`; the real runner's RUNNER_TEMP. */
  runnerTemp?: string;
  /** `false` leaves no credentials behind. */
  persistCredentials?: boolean;
}

export interface Checkout {
  /** The commit that is checked out. */
  sha: string;
  /** The full ref that was checked out. */
  ref: string;
  /** The branch, or null when HEAD is detached. */
  branch: string | null;
  /** The file with the credentials (layout `v6` only). */
  credentialsFile: string | null;
}

type Git = (...args: string[]) => Promise<string>;

/** @throws with Git's own words when the server or the ref cannot be reached. */
export async function checkout(options: CheckoutOptions): Promise<Checkout> {
  await mkdir(options.workspace, { recursive: true });
  const server = options.serverUrl.replace(/\/$/, '');
  const git = gitIn(options.workspace);
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', `${server}/${options.repository}`);
  await git('config', '--local', 'gc.auto', '0');
  const credentials = await configureCredentials(git, options, server);
  const ref = await resolveRef(git, options);
  const place = placeOf(ref);
  await git(
    '-c',
    'protocol.version=2',
    'fetch',
    '--quiet',
    '--prune',
    ...fetchArguments(options, ref, place),
  );
  // With all history the branch may be ahead of the event's commit.
  if (options.sha && place.branch) await git('update-ref', place.local, options.sha);
  if (place.branch) await git('checkout', '--quiet', '--force', '-B', place.branch, place.local);
  else await git('checkout', '--quiet', '--force', '--detach', place.local);
  if (options.persistCredentials === false) await credentials.remove();
  return {
    sha: await git('rev-parse', 'HEAD'),
    ref,
    branch: place.branch,
    credentialsFile: options.persistCredentials === false ? null : credentials.file,
  };
}

/** Where a ref of the server ends up in the checkout. */
function placeOf(ref: string): { local: string; branch: string | null } {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  if (branch) return { local: `refs/remotes/origin/${branch}`, branch };
  const pull = /^refs\/pull\/(.+)$/.exec(ref)?.[1];
  return { local: pull ? `refs/remotes/pull/${pull}` : ref, branch: null };
}

function fetchArguments(options: CheckoutOptions, ref: string, place: { local: string }): string[] {
  const depth = options.fetchDepth ?? 1;
  const wanted = `+${options.sha ?? ref}:${place.local}`;
  if (depth > 0) return ['--no-tags', `--depth=${depth}`, 'origin', wanted];
  const all = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
  // A commit of a branch comes with the branch; naming the same target twice would be refused.
  return ['origin', ...all, ...(ref.startsWith('refs/pull/') ? [wanted] : [])];
}

async function resolveRef(git: Git, { ref, fallbackRef }: CheckoutOptions): Promise<string> {
  if (!ref) {
    const head = await git('ls-remote', '--quiet', '--symref', 'origin', 'HEAD');
    return /^ref: (\S+)\s/.exec(head)?.[1] ?? 'refs/heads/main';
  }
  const full = ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  if (!fallbackRef || !full.startsWith('refs/pull/')) return full;
  const found = await git('ls-remote', '--quiet', 'origin', full);
  if (found !== '') return full;
  return fallbackRef.startsWith('refs/') ? fallbackRef : `refs/heads/${fallbackRef}`;
}

interface Credentials {
  file: string | null;
  remove(): Promise<void>;
}

async function configureCredentials(
  git: Git,
  options: CheckoutOptions,
  server: string,
): Promise<Credentials> {
  if (!options.token) return { file: null, remove: async () => {} };
  const key = `http.${new URL(server).origin}/.extraheader`;
  const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${options.token}`).toString('base64')}`;
  if (options.layout !== 'v6') {
    await git('config', '--local', key, header);
    return { file: null, remove: async () => void (await git('config', '--local', '--unset-all', key)) };
  }
  const { runnerTemp } = options;
  if (!runnerTemp) throw new Error('Layout v6 keeps the credentials in `runnerTemp`, which is not given.');
  await mkdir(runnerTemp, { recursive: true });
  const name = `git-credentials-${randomUUID()}.config`;
  const file = join(runnerTemp, name);
  await writeFile(file, '', { mode: 0o600 });
  await git('config', '--file', file, key, header);
  // The second pair is for steps in containers, which see both directories elsewhere.
  const gitDirectory = join(await realpath(options.workspace), '.git');
  const includes = [
    [gitDirectory, file],
    ['/github/workspace/.git', `/github/runner_temp/${name}`],
  ] as const;
  const keys = includes.flatMap(([directory, path]) => [
    [`includeIf.gitdir:${directory}.path`, path] as const,
    [`includeIf.gitdir:${directory}/worktrees/*.path`, path] as const,
  ]);
  for (const [include, path] of keys) await git('config', '--local', include, path);
  const remove = async () => {
    for (const [include] of keys) await git('config', '--local', '--unset-all', include);
    await rm(file, { force: true });
  };
  return { file, remove };
}

function gitIn(directory: string): Git {
  const env = {
    PATH: process.env.PATH,
    // Nothing of the machine's own Git configuration may decide how this goes.
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  return async (...args) => {
    const { stdout } = await promisify(execFile)('git', args, {
      cwd: directory,
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.trim();
  };
}
