/** For the tests of this folder: real repositories in temporary directories, and a Git server over HTTP that asks for a token. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { Secret } from '../words/secret.ts';
import type { Remote } from './remote.ts';

/** A directory that is removed when the test ends. */
export function temporary(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'forgehand-test-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

/** Git as a person at a shell has it (obeying the repository's configuration): how Claude and earlier steps work. */
export function shellGit(cwd: string, ...args: string[]): string {
  const ran = spawnSync('git', args, { cwd, env: personEnvironment, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`);
  return ran.stdout.trim();
}

/** The same without waiting in place, for a server that answers from this process. Resolves to the exit code. */
export function shellGitBeside(cwd: string, ...args: string[]): Promise<number | null> {
  const child = spawn('git', args, { cwd, env: personEnvironment, stdio: 'ignore' });
  return new Promise((resolve) => child.on('close', resolve));
}

const personEnvironment = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Person',
  GIT_AUTHOR_EMAIL: 'person@example.com',
  GIT_COMMITTER_NAME: 'Person',
  GIT_COMMITTER_EMAIL: 'person@example.com',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
  GIT_CONFIG_KEY_1: 'init.defaultBranch',
  GIT_CONFIG_VALUE_1: 'main',
};

/** Writes files (path → content) and commits them; the new commit's id. */
export function commit(repository: string, files: Record<string, string>, message = 'Change'): string {
  for (const [path, content] of Object.entries(files)) write(repository, path, content);
  shellGit(repository, 'add', '-A');
  shellGit(repository, 'commit', '-q', '--allow-empty', '-m', message);
  return shellGit(repository, 'rev-parse', 'HEAD');
}

export function write(root: string, path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

export interface Project {
  /** Everything of the test is below here. */
  root: string;
  /** Where people work: an ordinary clone whose pushes make the remote's history. */
  source: string;
  /** The bare repository `owner/repo.git` below `root/server`. */
  bare: string;
  fileRemote: Remote;
}

/** A project on a server, with a first commit on `main`. */
export function makeProject(
  files: Record<string, string> = { 'a.txt': 'one\n', 'lib/b.txt': 'two\n' },
): Project {
  const root = temporary();
  const key = JSON.stringify(files);
  const made = projects.get(key) ?? makeFirst(files);
  projects.set(key, made);
  cpSync(made, root, { recursive: true });
  const bare = join(root, 'server/owner/repo.git');
  const source = join(root, 'source');
  const config = join(source, '.git/config');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(made, root));
  // The copies are other files than those that the index has seen.
  shellGit(source, 'update-index', '-q', '--refresh');
  return { root, source, bare, fileRemote: { url: `file://${bare}`, token: null } };
}

/** By their files: made once a test file, as it takes a dozen processes, and copied. */
const projects = new Map<string, string>();
afterAll(() => {
  for (const made of projects.values()) rmSync(made, { recursive: true, force: true });
});

function makeFirst(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'forgehand-test-')));
  const bare = join(root, 'server/owner/repo.git');
  mkdirSync(bare, { recursive: true });
  shellGit(bare, 'init', '-q', '--bare');
  const source = join(root, 'source');
  mkdirSync(source);
  shellGit(source, 'init', '-q');
  shellGit(source, 'remote', 'add', 'origin', bare);
  commit(source, files, 'First');
  shellGit(source, 'push', '-q', 'origin', 'main');
  return root;
}

/** What actions/checkout leaves: a clone of `depth` commits (all of them: 0), HEAD on `ref`. */
export function checkout(
  project: Project,
  { ref = 'main', depth = 1 }: { ref?: string; depth?: number } = {},
): string {
  const directory = join(project.root, 'checkout');
  const args = depth ? [`--depth=${depth}`] : [];
  shellGit(
    project.root,
    'clone',
    '-q',
    '--no-tags',
    ...args,
    '--branch',
    ref,
    `file://${project.bare}`,
    directory,
  );
  return directory;
}

export interface GitServer {
  origin: string;
  /** For `owner/repo`, with the token that the server asks for. */
  remote: Remote;
  /** Every Authorization header that arrived, and every path. */
  authorizations: string[];
  paths: string[];
  /** Answers the next requests with these status codes instead of serving them. */
  failures: number[];
}

export const testToken = `ghs_${'t'.repeat(36)}`;

/** Serves the repositories below `root` as GitHub does: 401 without the token, smart HTTP with it. */
export async function serveGit(root: string): Promise<GitServer> {
  const authorizations: string[] = [];
  const paths: string[] = [];
  const failures: number[] = [];
  const expected = `Basic ${Buffer.from(`x-access-token:${testToken}`).toString('base64')}`;
  const origin = await listen(
    createServer((request, response) => {
      paths.push(request.url ?? '');
      const given = request.headers.authorization;
      if (given) authorizations.push(given);
      const failure = failures.shift();
      if (failure) return response.writeHead(failure).end();
      if (given !== expected)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
      return backend(root, request, response);
    }),
  );
  const remote = { url: `${origin}/owner/repo.git`, token: new Secret(testToken) };
  return { origin, remote, authorizations, paths, failures };
}

/** An attacker's server: serves nothing, remembers every request and its credential. */
export async function serveEvil(): Promise<{
  origin: string;
  seen: { url: string; authorization?: string }[];
}> {
  const seen: { url: string; authorization?: string }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization });
    response.writeHead(404).end();
  });
  server.on('connect', (request, socket) => {
    seen.push({ url: request.url ?? '', authorization: request.headers['proxy-authorization'] });
    socket.end();
  });
  return { origin: await listen(server), seen };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...personEnvironment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'x-access-token',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf('\r\n\r\n');
    let status = 200;
    for (const line of answer.subarray(0, Math.max(end, 0)).toString().split('\r\n')) {
      const [name, value] = line.split(': ') as [string, string];
      if (name === 'Status') status = Number.parseInt(value, 10);
      else if (name) response.setHeader(name, value);
    }
    response.writeHead(status).end(answer.subarray(end + 4));
  });
}
