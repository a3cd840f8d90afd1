/** Several servers on one database, each with its own machine's worth of directories; any of them can die or be replaced. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Database, openDatabase } from '../../src/server/store/database.ts';
import { startEmbedded, stopEmbedded } from '../../src/server/store/embedded.ts';
import { createLog } from '../../src/words/log.ts';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import type { WebhookEvent } from '../../testkit/github/deliveries.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { isAlive, sessionProcesses } from './chaos-victims.ts';
import { projectFiles } from './stage.ts';

const webhookSecret = 'the-webhook-secret-of-this-fleet';

export interface Host {
  name: string;
  dataDir: string;
  /** Null for one that only works. */
  url: string | null;
  start(program?: string): Promise<void>;
  /** Sends the server a signal and waits for its end; its sessions go on. */
  end(signal?: NodeJS.Signals): Promise<void>;
  /** The machine is gone: the server and everything that it has started. Answers how many sessions died. */
  die(): Promise<number>;
  output(): string;
}

export interface Fleet extends AsyncDisposable {
  github: LocalGitHub;
  model: ScriptedModel;
  repositories: RepositoryView[];
  database: Database;
  host(name: string, role: 'web' | 'worker' | 'all'): Promise<Host>;
  hosts: Host[];
  /** Through any web that answers, as behind a load balancer that tries the next one; until it is taken. */
  deliver(event: WebhookEvent): Promise<void>;
  until<T>(what: string, check: () => T | Promise<T>, timeoutMs?: number): Promise<NonNullable<T>>;
}

export interface FleetScene {
  repositories: number;
  env?: Record<string, string>;
}

export async function setFleet({ repositories: count, env = {} }: FleetScene): Promise<Fleet> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-fleet-'));
  // As root the database runs as another user, who must get to its files.
  await chmod(root, 0o711);
  const databaseDir = join(root, 'database');
  const embedded = await startEmbedded({
    dataDir: databaseDir,
    log: createLog(() => {}),
    settings: { fsync: 'off' },
  });
  const github = await startGitHub();
  const model = await startModel({ expectedKey: 'sk-ant-api03-the-key-of-this-fleet' });
  const names = Array.from({ length: count }, (_, index) => `project-${index + 1}`);
  const repositories = await Promise.all(
    names.map((name) => github.createRepository({ owner: 'octo-org', name, files: projectFiles })),
  );
  for (const repository of repositories) {
    repository.setPermission('octocat', 'write');
    repository.setPermission('forgehand-bot', 'write');
  }
  const hosts: Host[] = [];
  const common = {
    DATABASE_URL: embedded.url,
    OPERATOR_TOKEN: 'the-operator-token-of-this-fleet',
    GITHUB_WEBHOOK_SECRET: webhookSecret,
    GITHUB_TOKEN: github.token({ login: 'forgehand-bot' }),
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_GRAPHQL_URL: github.graphqlUrl,
    PATH_TO_CLAUDE_CODE_EXECUTABLE: claudeBinary(),
    ...modelEnvironment(model),
    ANTHROPIC_API_KEY: model.key,
    ...env,
  };
  const database = await openDatabase(embedded.url);

  const fleet: Fleet = {
    github,
    model,
    repositories,
    database,
    hosts,
    host: async (name, role) => {
      const host = await makeHost(join(root, name), { name, role, common });
      hosts.push(host);
      await host.start();
      return host;
    },
    deliver: async (event) => {
      const guid = crypto.randomUUID();
      for (;;) {
        for (const { url } of hosts) {
          if (url === null) continue;
          const { statusCode } = await github.deliver(`${url}/webhook`, webhookSecret, event, { guid });
          if (statusCode === 202) return;
        }
        await sleep(100);
      }
    },
    until: async (what, check, timeoutMs = 120_000) => {
      const end = Date.now() + timeoutMs;
      let last: unknown;
      while (Date.now() < end) {
        const found = await check();
        if (found) return found as NonNullable<typeof found>;
        last = found;
        await sleep(100);
      }
      const said = hosts.map(
        ({ name, output }) => `--- ${name}\n${output().split('\n').slice(-40).join('\n')}`,
      );
      throw new Error(`Waited in vain: ${what} (last: ${JSON.stringify(last)})\n${said.join('\n')}`);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(hosts.map((host) => host.die()));
      await database.close();
      await embedded.close();
      await stopEmbedded(databaseDir);
      await Promise.all([github.close(), model.close()]);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return fleet;
}

async function makeHost(
  root: string,
  { name, role, common }: { name: string; role: string; common: Record<string, string> },
): Promise<Host> {
  for (const directory of ['home', 'tmux']) await mkdir(join(root, directory), { recursive: true });
  const dataDir = join(root, 'data');
  const port = await freePort();
  const url = role === 'worker' ? null : `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: join(root, 'home'),
    TMUX_TMPDIR: join(root, 'tmux'),
    DATA_DIR: dataDir,
    WORKSPACES_ROOT: join(root, 'workspaces'),
    WEBHOOK_PORT: String(port),
    ...common,
  };
  let output = '';
  let server: ChildProcess | null = null;
  const end = async (signal: NodeJS.Signals = 'SIGKILL') => {
    const dying = server;
    if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((done) => dying.once('exit', done));
    dying.kill(signal);
    await gone;
  };
  return {
    name,
    dataDir,
    url,
    output: () => output,
    start: async (program = resolve('dist/forgehand.mjs')) => {
      const began = output.length;
      const child = spawn(process.execPath, [program, 'serve', '--role', role], { env });
      server = child;
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          output += chunk;
        });
      for (const late = Date.now() + 30_000; !/"Forgehand [^"]* is up\."/.test(output.slice(began)); ) {
        if (child.exitCode !== null || Date.now() > late)
          throw new Error(`${name} did not start:\n${output}`);
        await sleep(20);
      }
    },
    end,
    die: async () => {
      await end();
      const dead = sessionProcesses(dataDir).map(({ pid }) => pid);
      for (const pid of dead) kill(pid);
      // Claude goes with its session's process by itself; tmux would stay.
      await promisify(execFile)('tmux', ['kill-server'], { env }).catch(() => {});
      while (dead.some(isAlive)) await sleep(10);
      return dead.length;
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
