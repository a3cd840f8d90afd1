/** The stage of a server story: a local GitHub, a scripted Claude, and the built server as a process with its own data. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyCluster } from '../../src/server/store/cluster.test-support.ts';
import { type Database, openDatabase } from '../../src/server/store/database.ts';
import { startEmbedded } from '../../src/server/store/embedded.ts';
import { createLog } from '../../src/words/log.ts';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import type { Script } from '../../testkit/claude/step.ts';
import type { Delivery, WebhookEvent } from '../../testkit/github/deliveries.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { Comment, Issue, PullRequest, Subject } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { projectFiles } from './stage.ts';

const program = resolve('dist/forgehand.mjs');
export const webhookSecret = 'the-webhook-secret-of-this-story';

export interface ServerScene {
  script?: Script;
  /** Variables besides the credentials; they win. */
  env?: Record<string, string>;
  /** False: the story starts the server itself. */
  start?: boolean;
  /** `serve --role …`. */
  role?: 'all' | 'web' | 'worker';
  /** False: GitHub's answers are not checked against its description, which costs time that benchmarks count. */
  validate?: boolean;
}

export interface ServerStage extends AsyncDisposable {
  github: LocalGitHub;
  model: ScriptedModel;
  repository: RepositoryView;
  /** Everything of this stage is below it. */
  root: string;
  dataDir: string;
  url: string;
  /** The server's standard output and error so far, of all its lives. */
  output(): string;
  /** Starts the server, and waits until it takes webhooks. @param build of another `dist/forgehand.mjs` */
  start(env?: Record<string, string>, build?: string): Promise<void>;
  /** Sends the server a signal and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Runs another `forgehand` command on the same data. */
  forgehand(...args: string[]): Promise<{ code: number | null; output: string }>;
  deliver(event: WebhookEvent, guid?: string): Promise<Delivery>;
  /** octocat opens an issue, and GitHub tells the server. */
  openIssue(issue?: {
    title?: string;
    body?: string;
    author?: string;
    repository?: RepositoryView;
  }): Promise<Issue>;
  /** A comment on the issue or pull request, and its delivery. */
  comment(subject: Subject, body: string, author?: string): Promise<Comment>;
  /** A path in the workspace of an issue, as Claude's tools name it. */
  path(issue: Issue, relative: string): string;
  /** The server's database, for what cannot be seen from outside. */
  database(): Promise<Database>;
  thread(issue: Issue): Promise<Record<string, unknown>>;
  health(): Promise<Health>;
  /** Waits until `check` gives something; fails with `what`, the server's output and the sessions' logs. */
  until<T>(what: string, check: () => T | Promise<T>, timeoutMs?: number): Promise<NonNullable<T>>;
  /** The answers that Forgehand has posted on the issue or pull request. */
  answers(subject: Subject): string[];
  /** Waits until one of them ends with these words. */
  answered(subject: Subject, words: string): Promise<string>;
  /** The pull requests of the project, and the one that belongs to an issue. */
  pulls(): PullRequest[];
  pullOf(issue: Subject): PullRequest | undefined;
  /** How often these words stand in what Claude was last sent in the conversation that begins with the issue. */
  timesHeard(words: string): number;
  hasTmux: boolean;
}

/** Whether the machine has tmux: without it sessions run detached. */
const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export interface Health {
  status: string;
  active_sessions: Record<
    string,
    { session_name: string; branch: string; pr_url: string; tmux_active: boolean }
  >;
  total_sessions: number;
}

export async function setServerStage(scene: ServerScene = {}): Promise<ServerStage> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-server-'));
  // As root the database runs as another user, who must get to its files.
  await chmod(root, 0o711);
  const dataDir = join(root, 'data');
  const workspaces = join(root, 'workspaces');
  await mkdir(join(root, 'home'));
  await mkdir(join(root, 'tmux'));
  if (!scene.env?.DATABASE_URL) await copyCluster(dataDir);
  const github = await startGitHub({ validate: scene.validate });
  const model = await startModel({
    steps: scene.script ?? [],
    expectedKey: 'sk-ant-api03-the-key-of-this-story',
  });
  const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: projectFiles });
  repository.setPermission('octocat', 'write');
  repository.setPermission('forgehand-bot', 'write');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let output = '';
  let server: ChildProcess | null = null;
  let database: Database | null = null;

  const environment = (more: Record<string, string> = {}) => ({
    PATH: process.env.PATH ?? '',
    HOME: join(root, 'home'),
    TMUX_TMPDIR: join(root, 'tmux'),
    DATA_DIR: dataDir,
    WORKSPACES_ROOT: workspaces,
    WEBHOOK_PORT: String(port),
    GITHUB_WEBHOOK_SECRET: webhookSecret,
    GITHUB_TOKEN: github.token({ login: 'forgehand-bot' }),
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_GRAPHQL_URL: github.graphqlUrl,
    PATH_TO_CLAUDE_CODE_EXECUTABLE: claudeBinary(),
    ...modelEnvironment(model),
    ANTHROPIC_API_KEY: model.key,
    ...scene.env,
    ...more,
  });

  const stage: ServerStage = {
    github,
    model,
    repository,
    root,
    dataDir,
    url,
    output: () => output,
    start: async (env, build = program) => {
      server = spawn(process.execPath, [build, 'serve', '--role', scene.role ?? 'all'], {
        env: environment(env),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const take = (chunk: Buffer) => {
        output += chunk.toString();
      };
      server.stdout!.on('data', take);
      server.stderr!.on('data', take);
      await stage.until('the server is ready', async () => {
        if (server?.exitCode !== null)
          throw new Error(`The server ended with ${server?.exitCode}.\n${output}`);
        return (await fetch(`${url}/ready`).catch(() => null))?.ok;
      });
    },
    kill: async (signal = 'SIGKILL') => {
      const dying = server;
      if (!dying || dying.exitCode !== null || dying.signalCode !== null) return;
      const gone = new Promise((done) => dying.once('exit', done));
      dying.kill(signal);
      await gone;
    },
    forgehand: (...args) =>
      new Promise((done, failed) => {
        const child = spawn(process.execPath, [program, ...args], { env: environment() });
        let said = '';
        child.stdout.on('data', (chunk) => (said += chunk));
        child.stderr.on('data', (chunk) => (said += chunk));
        child.on('error', failed);
        child.on('close', (code) => done({ code, output: said }));
      }),
    deliver: (event, guid) => github.deliver(`${url}/webhook`, webhookSecret, event, { guid }),
    openIssue: async (given = {}) => {
      const { title = 'The greeting is misspelt', body = 'It says Helo.', author = 'octocat' } = given;
      const issue = github.createIssue(given.repository ?? repository, { title, body, author });
      await stage.deliver(await github.event.issues(issue));
      return issue;
    },
    comment: async (issue, body, author = 'octocat') => {
      const comment = github.comment(issue, { author, body });
      await stage.deliver(await github.event.issueComment(comment));
      return comment;
    },
    path: ({ repository: { owner, name }, number }, relative) =>
      join(workspaces, owner.login, name, `issue-${number}`, relative),
    database: async () => {
      database ??= await openDatabase(await databaseUrl(dataDir, scene.env));
      return database;
    },
    thread: async (issue) => {
      const rows = await (await stage.database()).query(
        `select t.*, (select json_agg(m order by m.seq) from messages m where m.thread_key = t.key) as messages
         from threads t where key = $1`,
        [`${issue.repository.owner.login}/${issue.repository.name}#${issue.number}`],
      );
      return rows[0] ?? {};
    },
    health: async () => (await (await fetch(`${url}/health`)).json()) as Health,
    until: async (what, check, timeoutMs = 120_000) => {
      const end = Date.now() + timeoutMs;
      let last: unknown;
      while (Date.now() < end) {
        const found = await check();
        if (found) return found as NonNullable<typeof found>;
        last = found;
        await sleep(40);
      }
      throw new Error(
        `Waited in vain: ${what} (last: ${JSON.stringify(last)})\n${output}\n${sessionLogs(dataDir)}`,
      );
    },
    answers: (subject) =>
      subject.comments.filter(({ author }) => author?.login === 'forgehand-bot').map(({ body }) => body),
    answered: (subject, words) =>
      stage.until(`an answer with “${words}”`, () =>
        stage.answers(subject).find((body) => body.includes(words)),
      ),
    pulls: () => repository.pullRequests(),
    pullOf: ({ number }) =>
      repository.pullRequests().find(({ head }) => head.ref.startsWith(`issue-${number}`)),
    timesHeard: (words) => {
      const text = JSON.stringify(model.main.at(-1)?.body.messages ?? []);
      return text.split(JSON.stringify(words).slice(1, -1)).length - 1;
    },
    hasTmux,
    [Symbol.asyncDispose]: async () => {
      await database?.close();
      await stage.kill('SIGKILL');
      await stage.forgehand('stop');
      await Promise.all([github.close(), model.close()]);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  if (scene.start !== false) await stage.start();
  return stage;
}

function sessionLogs(dataDir: string): string {
  const logs = join(dataDir, 'logs');
  if (!existsSync(logs)) return '';
  return readdirSync(logs)
    .map((name) => `--- ${name}\n${readFileSync(join(logs, name), 'utf8')}`)
    .join('\n');
}

/** That of the server's own PostgreSQL is where it has put its socket. */
async function databaseUrl(dataDir: string, env: Record<string, string> = {}): Promise<string> {
  if (env.DATABASE_URL) return env.DATABASE_URL;
  const embedded = await startEmbedded({ dataDir, log: createLog(() => {}) });
  await embedded.close();
  return embedded.url;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
