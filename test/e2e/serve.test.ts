/** `forgehand serve` and `stop` as people run them: the built command, its words, its files, its ends. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';

const forgehand = resolve('dist/forgehand.mjs');

let root: string;
let github: LocalGitHub;
let environment: Record<string, string>;
const children: ChildProcess[] = [];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'fh-serve-'));
  // PostgreSQL's account has to get through, when we are root.
  chmodSync(root, 0o711);
  github = await startGitHub();
  environment = {
    PATH: process.env.PATH ?? '',
    HOME: root,
    DATA_DIR: join(root, 'data'),
    WORKSPACES_ROOT: join(root, 'work'),
    WEBHOOK_PORT: '0',
    SANDBOX: 'auto',
    GITHUB_TOKEN: 'ghp_0123456789abcdef0123456789abcdef0123',
    ANTHROPIC_API_KEY: 'sk-ant-api03-of-nobody-0123456789',
    GITHUB_API_URL: github.apiUrl,
    GITHUB_GRAPHQL_URL: github.graphqlUrl,
    GITHUB_SERVER_URL: github.serverUrl,
  };
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  run(['stop']);
  await github.close();
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

function run(args: string[], more: Record<string, string> = {}) {
  return spawnSync(process.execPath, [forgehand, ...args], {
    cwd: root,
    env: { ...environment, ...more },
    encoding: 'utf8',
    timeout: 60_000,
  });
}

/** Starts a server and waits until it is up. */
async function serve(more: Record<string, string> = {}, args: string[] = []) {
  const child = spawn(process.execPath, [forgehand, 'serve', ...args], {
    cwd: root,
    env: { ...environment, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const server = { child, said: '', ended: once(child, 'exit') as Promise<[number | null, string | null]> };
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      server.said += text;
    });
  }
  await expect
    .poll(() => (child.exitCode === null ? server.said : `exit ${child.exitCode}: ${server.said}`), {
      timeout: 30_000,
    })
    .toMatch(/"Forgehand .* is up\."|^exit/);
  return { ...server, said: () => server.said, url: /http:\/\/localhost:\d+/.exec(server.said)?.[0] ?? '' };
}

test('with two credentials it is up, and says where everything is', async () => {
  const { url, said } = await serve();
  const secret = join(root, 'data/webhook-secret');
  expect(said()).toContain(`${url}/webhook`);
  expect(said()).toContain(secret);
  expect(said()).toMatch(/operator +http\S+token=[0-9a-f]{64}/);
  expect(statSync(secret).mode & 0o777).toBe(0o600);
  const health = (await (await fetch(`${url}/health`)).json()) as object;
  expect(health).toMatchObject({ status: 'ok', active_sessions: {}, total_sessions: 0 });
  expect((await fetch(`${url}/webhook`, { method: 'POST', body: '{}' })).status).toBe(401);
  const link = /http\S+token=\S+/.exec(said())![0];
  const exchanged = await fetch(link, { redirect: 'manual' });
  expect(exchanged.headers.get('set-cookie')).toMatch(/HttpOnly.*SameSite=Strict/i);
});

test('asked to end it ends in order, leaving PostgreSQL for the sessions; the next start finds everything', async () => {
  const first = await serve();
  const secret = readFileSync(join(root, 'data/webhook-secret'), 'utf8');
  first.child.kill('SIGTERM');
  expect(await first.ended).toEqual([0, null]);
  expect(first.said()).toContain('Sessions go on');
  expect(existsSync(join(root, 'data/serve.json'))).toBe(false);
  const postmaster = readFileSync(join(root, 'data/postgres/data/postmaster.pid'), 'utf8');
  const second = await serve();
  expect(readFileSync(join(root, 'data/postgres/data/postmaster.pid'), 'utf8')).toBe(postmaster);
  expect(readFileSync(join(root, 'data/webhook-secret'), 'utf8')).toBe(secret);
  second.child.kill('SIGKILL');
  await second.ended;
  expect((await serve()).url).toMatch(/^http/);
});

test('every line after the first is one JSON object', async () => {
  const { child, ended, said } = await serve();
  child.kill('SIGINT');
  await ended;
  const lines = said().split('\n\n').at(-1)!.trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
});

test('a database that is killed comes back by itself', async () => {
  const { url } = await serve();
  const file = join(root, 'data/postgres/data/postmaster.pid');
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(async () => Number((existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n')[0]), {
      timeout: 20_000,
    })
    .not.toBe(pid);
  await expect.poll(async () => (await fetch(`${url}/ready`)).status, { timeout: 20_000 }).toBe(200);
});

test('a second one on the same directory is refused; a second stop has nothing to do', async () => {
  const { child, ended } = await serve();
  const refused = run(['serve']);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain(`process ${child.pid}`);
  const stopped = run(['stop']);
  expect(stopped.stdout).toContain('The server');
  expect(stopped.stdout).toContain('PostgreSQL has ended');
  expect(stopped.status).toBe(0);
  await ended;
  expect(existsSync(join(root, 'data/postgres/data/postmaster.pid'))).toBe(false);
  expect(run(['stop']).stdout).toMatch(/^Nothing of .* was running/);
});

describe('what is wrong is said in words, without secrets, and ends the start', () => {
  const refused = (more: Record<string, string>, args: string[] = []) => {
    const { status, stderr } = run(['serve', ...args], more);
    expect(status).toBe(2);
    expect(stderr).not.toMatch(/\n +at /);
    expect(stderr).not.toContain(environment.ANTHROPIC_API_KEY);
    return stderr;
  };

  test('no credentials', () => {
    expect(refused({ GITHUB_TOKEN: '', ANTHROPIC_API_KEY: '' })).toMatch(
      /GITHUB_TOKEN[\s\S]*ANTHROPIC_API_KEY/,
    );
  });

  test('several wrong values', () => {
    expect(refused({ MAX_SESSIONS: 'many', TRIGGER: 'never' })).toMatch(/TRIGGER[\s\S]*MAX_SESSIONS/);
  });

  test('a .env with a wrong value', () => {
    writeFileSync(join(root, '.env'), 'RETENTION_DAYS=forever\n');
    expect(refused({})).toContain('RETENTION_DAYS must be');
  });

  test('a shared database without the secret that all must have', () => {
    expect(refused({ DATABASE_URL: 'postgres://u:hidden-word@127.0.0.1:1/f' })).toContain(
      'GITHUB_WEBHOOK_SECRET',
    );
  });

  test('a role that there is none of', () => {
    expect(refused({}, ['--role', 'boss'])).toContain('all|web|worker');
  });

  test('a port that another program has', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    expect(refused({ WEBHOOK_PORT: String(port) })).toContain(`Port ${port} (WEBHOOK_PORT) is taken`);
    other.close();
  });
});

test('a database that does not answer is an answer in words, without its password', () => {
  const { status, stderr } = run(['serve'], {
    DATABASE_URL: 'postgres://u:hidden-word@127.0.0.1:1/f',
    GITHUB_WEBHOOK_SECRET: 'a secret for all of them',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('database does not answer');
  expect(stderr).not.toContain('hidden-word');
});

test('a door and a worker share one directory of no database: refused; a door alone takes webhooks', async () => {
  const { url, said } = await serve({}, ['--role', 'web']);
  expect(said()).toContain('as web');
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect(run(['serve', '--role', 'worker']).status).toBe(2);
});

test('unsigned webhooks are warned of, loudly', async () => {
  const { said } = await serve({ ALLOW_UNSIGNED_WEBHOOKS: 'true' });
  expect(said()).toContain('WEBHOOKS ARE NOT VERIFIED');
});
