/** The example backend as a process: it starts a task at the local GitHub, and a run's signed events come to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/words/progress.ts';
import { startGitHub } from '../../testkit/github/main.ts';

const github = await startGitHub();
afterAll(() => github.close());
await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: 'a\n' } });

const run = { repository: 'octo-org/hello', runId: '4711' };

async function startBackend() {
  const dispatched = new Promise<Record<string, string>>((heard) => {
    const stop = github.onDispatch(({ clientPayload }) => {
      stop();
      heard(clientPayload as Record<string, string>);
    });
  });
  const child = spawn(
    process.execPath,
    [resolve('examples/backend/server.mjs'), run.repository, 'Say hello.'],
    {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        GITHUB_TOKEN: github.token({ login: 'octo-org' }),
        GITHUB_API_URL: github.apiUrl,
        OIDC_ISSUER: github.oidc.issuer,
      },
    },
  );
  const said = { stdout: '', stderr: '' };
  const { promise: started, resolve: says } = Promise.withResolvers<void>();
  child.stdout.on('data', (text) => {
    said.stdout += text;
    if (said.stdout.includes('Started')) says();
  });
  child.stderr.on('data', (text) => {
    said.stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...said }));
  const payload = await Promise.race([
    started.then(() => dispatched),
    ended.then(({ stderr }) => Promise.reject(new Error(`It ended: ${stderr}`))),
  ]);
  return {
    payload,
    ended,
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

test('the whole round: started, heard from, ended', async () => {
  using backend = await startBackend();
  const { description, correlation_id, progress_endpoint } = backend.payload;
  expect(description).toBe('Say hello.');
  const { origin } = new URL(progress_endpoint!);

  const eventOf = (sequence: number, changes: Partial<ProgressEvent> = {}): ProgressEvent => ({
    repository: run.repository,
    run_id: run.runId,
    correlation_id: correlation_id!,
    status: 'in_progress',
    message: 'Writing.',
    completed_tasks: [],
    current_task: '',
    timestamp: '2026-01-17T12:00:00Z',
    version: 1,
    run_attempt: 1,
    sequence,
    event_id: `0d9f5bd4-1f6b-4c39-9f5e-${String(sequence).padStart(12, '0')}`,
    result: null,
    ...changes,
  });
  const post = async (event: ProgressEvent, { audience = origin, claims = {} } = {}) => {
    const token = await github.oidc.sign(audience, { ...run, ...claims });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(progress_endpoint!, { method: 'POST', headers, body: JSON.stringify(event) });
    return { status: answer.status, said: ((await answer.json()) as { status?: string }).status };
  };

  expect(await post(eventOf(1, { status: 'queued', message: 'Accepted.' }))).toEqual({
    status: 202,
    said: 'accepted',
  });
  const second = eventOf(2, { completed_tasks: ['Read the code'] });
  expect(await post(second)).toEqual({ status: 202, said: 'accepted' });
  expect(await post(second)).toEqual({ status: 202, said: 'duplicate' });
  expect((await post(eventOf(3), { audience: 'https://other.example' })).status).toBe(401);
  expect((await post(eventOf(3), { claims: { repository: 'octo-org/other' } })).status).toBe(403);
  expect((await post(eventOf(3, { correlation_id: 'another' }))).status).toBe(409);
  expect((await post(eventOf(3, { status: 'done' as 'failed' }))).status).toBe(422);
  const result = {
    conclusion: 'success' as const,
    reason: '',
    summary: 'Hello.',
    branch: null,
    pull_request_url: null,
    commits: 0,
    cost_usd: 0.1,
    num_turns: 2,
    duration_ms: 1_000,
    session_id: null,
  };
  expect((await post(eventOf(3, { status: 'completed', message: 'Hello.', result }))).status).toBe(202);

  const { code, stdout, stderr } = await backend.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    `Started ${correlation_id} in octo-org/hello.`,
    'queued: "Accepted." (tasks done: 0)',
    'in_progress: "Writing." (tasks done: 1)',
    'completed: "Hello." (tasks done: 0)',
  ]);
  expect(stdout).toContain('"conclusion": "success"');
  expect(github.violations).toEqual([]);
});
