/** Git over HTTP: hands clone, fetch and push to `git http-backend` on the bare repositories. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { atLeast, canSee, grants, type Identity, reaches, roleOf } from '../access.ts';
import type { Repository } from '../model.ts';
import { followBranches } from '../state/pulls.ts';
import { fullName, type Store } from '../store.ts';
import { gitEnvironment } from './command.ts';

export interface GitRequest {
  repository: string;
  /** `info/refs`, `git-upload-pack` or `git-receive-pack`. */
  service: string;
  query: string;
}

/** Splits `/owner/name[.git]/info/refs` and its kin; null for other paths. */
export function parseGitPath(url: string): GitRequest | null {
  const match =
    /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)(?:\?(.*))?$/.exec(url);
  return match ? { repository: `${match[1]}/${match[2]}`, service: match[3]!, query: match[4] ?? '' } : null;
}

/** A refusal as git shows it to its user: plain text. */
interface Refusal {
  status: number;
  text: string;
}

export interface GitExchange {
  identity: Identity | 'bad';
  request: IncomingMessage;
  response: ServerResponse;
  /** Everything was done; the answer ends when it is over. */
  done(): Promise<void>;
}

/** Serves one request; ends when the answer is sent. */
export async function serveGit(store: Store, git: GitRequest, exchange: GitExchange): Promise<void> {
  const { identity, request, response } = exchange;
  const repository = store.findRepository(git.repository);
  const moved = store.movedRepository(git.repository);
  if (moved) {
    request.resume();
    const { pathname, search } = new URL(request.url!, store.site.serverUrl);
    const path = pathname.replace(git.repository, fullName(moved));
    response.writeHead(301, { location: `${store.site.serverUrl}${path}${search}` }).end();
    return;
  }
  const pushes = git.service === 'git-receive-pack' || git.query.includes('service=git-receive-pack');
  const refusal = refuse(repository, identity, pushes);
  if (refusal || !repository || identity === 'bad') {
    const { status, text } = refusal ?? { status: 401, text: 'Repository not found.' };
    request.resume();
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
    });
    response.end(text);
    return;
  }
  await followBranches(store, repository);
  // Who has pushed sees the new head of the pull request as soon as there is an answer.
  const done = async () => {
    if (git.service === 'git-receive-pack') await followBranches(store, repository);
    await exchange.done();
  };
  await runBackend(git, repository, pushRules(repository, identity), { ...exchange, done });
}

function refuse(
  repository: Repository | undefined,
  identity: Identity | 'bad',
  pushes: boolean,
): Refusal | null {
  if (identity === 'bad') return { status: 401, text: 'Invalid username or token.' };
  const missing = { status: identity.kind === 'anonymous' ? 401 : 404, text: 'Repository not found.' };
  if (!repository || !canSee(identity, repository)) return missing;
  if (identity.kind !== 'token') return pushes ? { status: 401, text: 'Authentication required.' } : null;
  const { token } = identity;
  const denied = {
    status: 403,
    text: `Permission to ${fullName(repository)}.git denied to ${token.user.login}.`,
  };
  if (!pushes) return !repository.private || grants(token, ['contents:read']) ? null : denied;
  if (!grants(token, ['contents:write'])) return denied;
  if (token.kind !== 'pat') return reaches(token, repository) ? null : denied;
  const writes = atLeast(roleOf(repository, token.user), 'write');
  return writes || maintainedBranches(repository, identity).length > 0 ? null : denied;
}

/** Branches of a fork that a writer of the base may push to, because their pull request allows it. */
function maintainedBranches(fork: Repository, identity: Identity): string[] {
  if (!fork.parent || identity.kind !== 'token') return [];
  if (!atLeast(roleOf(fork.parent, identity.token.user), 'write')) return [];
  return [...fork.parent.subjects.values()].flatMap((subject) =>
    subject.kind === 'pull' &&
    subject.state === 'open' &&
    subject.maintainerCanModify &&
    subject.head.repository === fork
      ? [subject.head.ref]
      : [],
  );
}

/** What the pre-receive hook (`hook.ts`) enforces for this push. */
function pushRules(repository: Repository, identity: Identity): Record<string, string> {
  if (identity.kind !== 'token') return {};
  const { token } = identity;
  const owns = token.kind !== 'pat' || atLeast(roleOf(repository, token.user), 'write');
  return {
    KIT_PROTECTED: [...repository.protectedBranches].join(' '),
    KIT_ONLY: owns ? '' : maintainedBranches(repository, identity).join(' '),
    // an App needs a permission of its own to touch workflows
    KIT_NO_WORKFLOWS: token.permissions && token.permissions.workflows !== 'write' ? '1' : '',
  };
}

async function runBackend(
  git: GitRequest,
  repository: Repository,
  rules: Record<string, string>,
  { request, response, done }: GitExchange,
): Promise<void> {
  const header = (name: string) => String(request.headers[name] ?? '');
  const environment: Record<string, string> = {
    ...gitEnvironment,
    ...rules,
    GIT_PROJECT_ROOT: repository.directory.slice(0, -basename(repository.directory).length),
    GIT_HTTP_EXPORT_ALL: '1',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: `/${basename(repository.directory)}/${git.service}`,
    QUERY_STRING: git.query,
    CONTENT_TYPE: header('content-type'),
    REMOTE_USER: 'kit',
    REMOTE_ADDR: '127.0.0.1',
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
  };
  if (header('content-length')) environment.CONTENT_LENGTH = header('content-length');
  const backend = spawn('git', ['http-backend'], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => {}); // it may refuse before it has read everything
  response.on('close', () => backend.exitCode ?? backend.kill());
  const ended = new Promise<void>((resolve, reject) => {
    backend.on('error', reject);
    backend.on('close', () => resolve());
  });
  await Promise.all([ended, relayCgi(backend.stdout, response, done)]);
}

/** CGI output is header lines, an empty line, and the body. Resolves when the answer has ended. */
async function relayCgi(
  output: NodeJS.ReadableStream,
  response: ServerResponse,
  done: () => Promise<void>,
): Promise<void> {
  let head = Buffer.alloc(0);
  output.on('data', (chunk: Buffer) => {
    if (response.headersSent) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(/:\s*(.*)/s) as [string, string]);
    const status = Number(headers.find(([name]) => name.toLowerCase() === 'status')?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(
      status,
      Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== 'status')),
    );
    response.write(head.subarray(end + 4));
  });
  await once(output, 'end');
  try {
    await done();
  } finally {
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}
