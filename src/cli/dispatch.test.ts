import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startGitHub } from '../../testkit/github/main.ts';
import type { ProgressEvent } from '../words/progress.ts';
import { eventOf, success } from './dispatch.test-support.ts';

const github = await startGitHub();
afterAll(() => github.close());
const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: 'a\n' } });
const token = github.token({ login: 'octo-org' });

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** `forgehand dispatch …` as a process. */
function dispatch(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [resolve('src/cli/main.ts'), 'dispatch', ...args], {
    env: { PATH: process.env.PATH, GITHUB_TOKEN: token, GITHUB_API_URL: github.apiUrl, ...environment },
  });
  children.add(child);
  const said = { stdout: '', stderr: '' };
  const heard = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      for (const look of heard) look();
    });
  }
  return {
    said,
    interrupt: () => child.kill('SIGINT'),
    says: (words: string) =>
      new Promise<void>((done) => {
        const look = () => said.stdout.includes(words) && done();
        heard.add(look);
        look();
      }),
    ended: once(child, 'close').then(([code]) => ({ code: code as number, ...said })),
  };
}

/** A workflow that begins a run at each dispatch, and how far that gets at once. */
function workflow(status: string, conclusion: string | null) {
  const stop = github.onDispatch(({ clientPayload }) => {
    github.createWorkflowRun(repository, {
      name: 'Claude',
      displayTitle: `Claude: ${clientPayload.correlation_id}`,
      event: 'repository_dispatch',
      headBranch: 'main',
      headSha: repository.tip('main')!,
      status,
      conclusion,
    });
  });
  return { [Symbol.dispose]: stop };
}

const task = ['octo-org/hello', 'Say hello.'];

test('starts a task, and says how to see it', async () => {
  const { code, stdout, stderr } = await dispatch([...task, '--correlation-id', 'req-1']).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(`Started in octo-org/hello as req-1.
See how it goes: forgehand dispatch octo-org/hello --follow --correlation-id req-1
`);
  expect(github.dispatches.at(-1)?.clientPayload).toEqual({
    description: 'Say hello.',
    correlation_id: 'req-1',
  });
});

test('for a script: one line of JSON', async () => {
  const { code, stdout } = await dispatch([...task, '--json', '--correlation-id', 'req-2']).ended;
  expect(code).toBe(0);
  expect(stdout).toBe('{"repository":"octo-org/hello","correlation_id":"req-2"}\n');
});

test.each<[string, number]>([
  ['success', 0],
  ['failure', 1],
  ['cancelled', 4],
])('followed by its run: %s is exit code %d', async (conclusion, wanted) => {
  using _ = workflow('completed', conclusion);
  const { code, stdout } = await dispatch([...task, '--follow', '--json']).ended;
  expect(code).toBe(wanted);
  expect(JSON.parse(stdout)).toMatchObject({
    correlation_id: github.dispatches.at(-1)?.clientPayload.correlation_id,
    message: `The run ended with ${conclusion}.`,
  });
});

test('Ctrl-C leaves the task running, and the command that it names looks again', async () => {
  using _ = workflow('in_progress', null);
  const first = dispatch([...task, '--follow']);
  await first.says('in progress');
  first.interrupt();
  const { code, stderr } = await first.ended;
  expect(code).toBe(130);
  const again = /The task goes on\. See how: forgehand dispatch (.+)\n/.exec(stderr)![1]!;
  Object.assign(repository.record.runs.at(-1)!, { status: 'completed', conclusion: 'success' });
  const started = github.dispatches.length;
  expect(await dispatch(again.split(' ')).ended).toMatchObject({ code: 0 });
  expect(github.dispatches.length).toBe(started);
});

describe('through a server', () => {
  const done = eventOf({ sequence: 2, status: 'completed', message: 'Done.', result: success });

  /** Hands out the progress of every task, as a run would have reported it. */
  async function startServer(events: ProgressEvent[]) {
    const server = createServer((request, response) => {
      if (request.headers.authorization !== 'Bearer operator') return response.writeHead(401).end();
      const [, correlationId] = /^\/progress\/([^/]+)\/events$/.exec(request.url!)!;
      const own = events.map((event) => ({ ...event, correlation_id: correlationId! }));
      return response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(
          own.map((event, id) => `id: ${id}\nevent: progress\ndata: ${JSON.stringify(event)}\n\n`).join(''),
        );
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      [Symbol.dispose]: () => void server.close(),
    };
  }

  test.each<[string, ProgressEvent, number]>([
    ['completed', done, 0],
    ['failed', { ...done, status: 'failed' }, 1],
    ['cancelled', { ...done, status: 'cancelled' }, 4],
  ])('the run reports there, and is followed there: %s', async (_, end, wanted) => {
    using server = await startServer([eventOf(), end]);
    const args = [...task, '--follow', '--server', server.url, '--correlation-id', 'req-3'];
    const { code, stdout } = await dispatch(args, { OPERATOR_TOKEN: 'operator' }).ended;
    expect(code).toBe(wanted);
    expect(stdout).toContain('in progress: Implementing feature…');
    expect(stdout).toContain('$0.42, 12 turns');
    expect(github.dispatches.at(-1)?.clientPayload.progress_endpoint).toBe(`${server.url}/progress`);
  });

  test('another operator’s token is refused: exit code 3', async () => {
    using server = await startServer([done]);
    const args = ['octo-org/hello', '--follow', '--server', server.url, '--correlation-id', 'req-3'];
    const { code, stdout, stderr } = await dispatch(args, { OPERATOR_TOKEN: 'guessed' }).ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('OPERATOR_TOKEN');
    expect(stderr).not.toContain('guessed');
  });
});

test.each<[string, string[], Record<string, string>, number, string]>([
  ['no task', ['octo-org/hello'], {}, 2, 'Usage: forgehand dispatch'],
  ['a payload that cannot be', [...task, '--max-turns', '0'], {}, 2, 'max_turns` must be at least 1'],
  ['a token that GitHub does not take', task, { GITHUB_TOKEN: 'ghp_wrong' }, 3, 'GitHub answered 401'],
  ['a repository that is not there', ['octo-org/gone', 'Say hello.'], {}, 3, 'GitHub answered 404'],
])('refused: %s', async (_, args, environment, wanted, words) => {
  const { code, stdout, stderr } = await dispatch(args, environment).ended;
  expect({ code, stdout }).toEqual({ code: wanted, stdout: '' });
  expect(stderr).toContain(words);
  expect(stderr).not.toContain('ghp_wrong');
});

test('what GitHub says in its refusal does not steer the terminal', async () => {
  const body = { message: 'No \x1b[2J\x9b2J way' };
  const repair = github.faults.add({ path: /\/dispatches$/, status: 422, body });
  const { code, stderr } = await dispatch(task).ended;
  repair();
  expect(code).toBe(3);
  expect(stderr).toContain('No [2J2J way');
  expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});
