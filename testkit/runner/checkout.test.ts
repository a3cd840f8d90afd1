/** The imitated checkout against Git's own HTTP server, behind a password. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CheckoutOptions, checkout } from './checkout.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'checkout-test-')));
const token = 'ghs_checkout';
const basic = `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
const server = createServer(serveGit);
let serverUrl = '';
const commits: string[] = [];

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Mona', '-c', 'user.email=mona@example.com', ...args], { cwd })
    .toString()
    .trim();

/** Asks the server, which lives in this process: a synchronous call would wait for itself. */
const lsRemote = (cwd: string, ref: string) =>
  promisify(execFile)('git', ['ls-remote', 'origin', ref], { cwd }).then(({ stdout }) => stdout);

/** The least of a CGI server that Git needs. */
function serveGit(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== basic) {
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    return;
  }
  const [path, query = ''] = (request.url ?? '').split('?');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk) => chunks.push(chunk));
  backend.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString().split('\r\n');
    const type = headers.find((header) => /^content-type/i.test(header))?.split(': ')[1];
    response.writeHead(200, { 'content-type': type ?? '' }).end(output.subarray(end + 4));
  });
}

beforeAll(async () => {
  const seed = join(root, 'seed');
  git(root, 'init', '-q', '-b', 'trunk', seed);
  for (const message of ['one', 'two', 'three']) {
    git(seed, 'commit', '-q', '--allow-empty', '-m', message);
    commits.push(git(seed, 'rev-parse', 'HEAD'));
  }
  git(seed, 'branch', 'feature', 'HEAD~1');
  git(seed, 'update-ref', 'refs/pull/7/merge', 'feature');
  git(root, 'clone', '-q', '--mirror', seed, join(root, 'octo', 'hello'));
  // The commits of an event are fetched by name, as GitHub allows.
  git(join(root, 'octo', 'hello'), 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

async function check(options: Partial<CheckoutOptions>) {
  const workspace = mkdtempSync(join(root, 'workspace-'));
  const result = await checkout({ serverUrl, repository: 'octo/hello', workspace, token, ...options });
  const depth = Number(git(workspace, 'rev-list', '--count', 'HEAD'));
  return { workspace, result, depth, config: readFileSync(join(workspace, '.git', 'config'), 'utf8') };
}

test('the default branch, one commit deep, with the credentials in .git/config', async () => {
  const { workspace, result, depth, config } = await check({});
  expect(result).toEqual({
    sha: commits[2],
    ref: 'refs/heads/trunk',
    branch: 'trunk',
    credentialsFile: null,
  });
  expect(depth).toBe(1);
  expect(git(workspace, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('trunk');
  expect(config).toContain(`[http "${serverUrl}/"]`);
  expect(config).toContain(`extraheader = AUTHORIZATION: ${basic}`);
  expect(await lsRemote(workspace, 'refs/heads/feature')).toContain(commits[1]);
});

test('layout v6 keeps the credentials in a file that works only in this checkout', async () => {
  const runnerTemp = join(root, 'runner-temp');
  const { workspace, result, config } = await check({ layout: 'v6', runnerTemp, ref: 'feature' });
  expect(result).toMatchObject({ sha: commits[1], branch: 'feature' });
  expect(config).not.toContain('extraheader');
  expect(config).toContain(`[includeIf "gitdir:${workspace}/.git"]`);
  expect(result.credentialsFile).toMatch(/runner-temp\/git-credentials-[0-9a-f-]{36}\.config$/);
  expect(readFileSync(result.credentialsFile!, 'utf8')).toContain(basic);
  expect(await lsRemote(workspace, 'refs/heads/trunk')).toContain(commits[2]);
});

test.each([
  ['a pull request is its merge ref, detached', 'refs/pull/7/merge', 'refs/pull/7/merge', null],
  ['a pull request without one is its branch', 'refs/pull/8/merge', 'refs/heads/feature', 'feature'],
])('%s', async (_, ref, checkedOut, branch) => {
  const { result } = await check({ ref, fallbackRef: 'feature' });
  expect(result).toMatchObject({ sha: commits[1], ref: checkedOut, branch });
});

test.each([0, 1])(
  "the event's commit is checked out when the branch has gone on (depth %i)",
  async (fetchDepth) => {
    const { result, depth } = await check({ ref: 'refs/heads/trunk', sha: commits[1], fetchDepth });
    expect(result).toMatchObject({ sha: commits[1], branch: 'trunk' });
    expect(depth).toBe(fetchDepth === 0 ? 2 : 1);
  },
);

test('credentials need not stay', async () => {
  const { config } = await check({ persistCredentials: false });
  expect(config).not.toContain('extraheader');
});

test("a wrong token ends in Git's own words", async () => {
  await expect(check({ token: 'ghs_wrong' })).rejects.toThrow(
    /Authentication failed|could not read Username/,
  );
});
