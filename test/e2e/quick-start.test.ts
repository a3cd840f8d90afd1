/** The quick start as people follow it, in a directory of their own: copy the example, fill it in, start, add the webhook, open an issue. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { bash, edit, read } from '../../testkit/claude/tools.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { Issue } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';

const program = resolve('dist/forgehand.mjs');

let directory: string;
let github: LocalGitHub;
let model: ScriptedModel;
let repository: RepositoryView;
let server: ChildProcess;
let said = '';
let issue: Issue;

/** All that the shell gives; the rest is in `.env`. */
const shell = () => ({ PATH: process.env.PATH ?? '', HOME: directory, TMUX_TMPDIR: directory });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fh-quick-'));
  chmodSync(directory, 0o711);
  github = await startGitHub();
  const file = join(directory, 'workspaces/octo-org/hello/issue-1/greet.txt');
  model = await startModel({
    steps: [
      { tools: [read(file)] },
      { tools: [edit(file, 'Helo', 'Hello')] },
      { tools: [bash('git add greet.txt && git commit -q -m "Spell the greeting right"')] },
      { text: 'The greeting is right now.' },
    ],
  });
  repository = await github.createRepository({
    owner: 'octo-org',
    name: 'hello',
    files: { 'greet.txt': 'Helo\n' },
  });
  repository.setPermission('octocat', 'write');
  repository.setPermission('forgehand-bot', 'write');
});

afterAll(async () => {
  server?.kill();
  spawnSync(process.execPath, [program, 'stop'], { cwd: directory, env: shell() });
  await Promise.all([github.close(), model.close()]);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

test('1. configure: a copy of .env.example, the two credentials, and where this GitHub is', () => {
  const file = join(directory, '.env');
  copyFileSync('.env.example', file);
  fillIn(file, {
    ANTHROPIC_API_KEY: model.key,
    GITHUB_TOKEN: github.token({ login: 'forgehand-bot' }),
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_GRAPHQL_URL: github.graphqlUrl,
    // A test's own places, port and model; everything else stays as it comes.
    DATA_DIR: join(directory, 'data'),
    WORKSPACES_ROOT: join(directory, 'workspaces'),
    WEBHOOK_PORT: '0',
    SANDBOX: 'auto',
  });
  const { ANTHROPIC_API_KEY: _, ...theModel } = modelEnvironment(model);
  const more = Object.entries(theModel).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, more.join(''), { flag: 'a' });
});

test('2. start the server: it says where webhooks go and where their secret is', async () => {
  server = spawn(process.execPath, [program, 'serve'], {
    cwd: directory,
    env: shell(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout!, server.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  await expect
    .poll(() => (server.exitCode === null ? said : `ended: ${said}`), { timeout: 60_000 })
    .toMatch(/"Forgehand .* is up\."|^ended/);
  expect(printed('webhook URL')).toMatch(/^http:\/\/localhost:\d+\/webhook$/);
});

test('3. configure the webhook with that address and that secret: GitHub’s ping is answered', async () => {
  const ping = { name: 'ping', payload: { zen: 'Keep it logically awesome.', hook_id: 1 } };
  expect(await deliver(ping)).toMatchObject({
    statusCode: 200,
    response: { payload: expect.stringContaining('ignored') },
  });
});

test('4. create an issue: a branch, a draft pull request linked to it, Claude, and pushed commits', async () => {
  issue = github.createIssue(repository, { title: 'Spelling', body: 'It says Helo.', author: 'octocat' });
  expect(await deliver(await github.event.issues(issue))).toMatchObject({ statusCode: 202 });
  await expect
    .poll(() => issue.comments.at(-1)?.body ?? said, { timeout: 90_000 })
    .toContain('The greeting is right now.');
  const [pull] = repository.pullRequests();
  expect(pull).toMatchObject({ draft: true, state: 'open', head: { ref: `issue-${issue.number}` } });
  expect(pull?.body).toContain(`Closes #${issue.number}`);
  expect(await repository.file(`issue-${issue.number}`, 'greet.txt')).toBe('Hello\n');
});

test('the health check tells of it in the documented shape', async () => {
  const health = await (await fetch(printed('health'))).json();
  expect(health).toMatchObject({
    status: 'ok',
    active_sessions: {
      [`octo-org/hello#${issue.number}`]: {
        session_name: `claude-octo-org-hello-${issue.number}`,
        branch: `issue-${issue.number}`,
        pr_url: `${github.serverUrl}/octo-org/hello/pull/${repository.pullRequests()[0]?.number}`,
        tmux_active: spawnSync('tmux', ['-V']).status === 0,
      },
    },
    total_sessions: 1,
  });
});

test('Ctrl-C ends the server, `forgehand stop` the rest', async () => {
  const ended = once(server, 'exit');
  server.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  const stopped = spawnSync(process.execPath, [program, 'stop'], {
    cwd: directory,
    env: shell(),
    encoding: 'utf8',
  });
  expect(stopped.stdout).toContain('1 session has ended; the next start goes on with them.');
  expect(stopped.stdout).toContain('The embedded PostgreSQL has ended.');
  expect(stopped.status).toBe(0);
});

/** As a person does: the line that shows the variable, uncommented or not, gets the value. */
function fillIn(file: string, values: Record<string, string>): void {
  let text = readFileSync(file, 'utf8');
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^(?:# )?${name}=.*$`, 'm');
    expect(text, `${name} is in .env.example`).toMatch(line);
    text = text.replace(line, () => `${name}=${value}`);
  }
  writeFileSync(file, text);
}

function printed(what: string): string {
  return new RegExp(`^  ${what} +(\\S+)$`, 'm').exec(said)?.[1] ?? '';
}

function deliver(event: Parameters<LocalGitHub['deliver']>[2]) {
  const secret = readFileSync(printed('webhook secret'), 'utf8').trim();
  return github.deliver(printed('webhook URL'), secret, event);
}
