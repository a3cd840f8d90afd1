/** `forgehand dispatch --follow --server`: the built command, the built server, and a run that reports. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/words/progress.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

const operator = 'the-token-of-the-operator';
const run = { repository: 'octo-org/hello', runId: '4711' };

/** The command as a process; `lines` are the events that it has printed. */
function follow(stage: ServerStage) {
  const task = ['octo-org/hello', 'Say hello.', '--correlation-id', 'req-1'];
  const flags = ['--follow', '--json', '--server', stage.url];
  const child = spawn(process.execPath, [resolve('dist/forgehand.mjs'), 'dispatch', ...task, ...flags], {
    env: {
      PATH: process.env.PATH,
      GITHUB_TOKEN: stage.github.token({ login: 'octocat' }),
      GITHUB_API_URL: stage.github.apiUrl,
      OPERATOR_TOKEN: operator,
    },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return {
    lines: () => stdout.split('\n').slice(0, -1),
    remarks: () => stderr,
    code: once(child, 'close').then(([code]) => code as number),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

/** What the run says next, as the Action would. */
function reporter({ github, url }: ServerStage) {
  let sequence = 0;
  return async (changes: Partial<ProgressEvent>): Promise<ProgressEvent> => {
    sequence += 1;
    const event: ProgressEvent = {
      repository: run.repository,
      run_id: run.runId,
      correlation_id: 'req-1',
      status: 'in_progress',
      message: '',
      completed_tasks: [],
      current_task: '',
      timestamp: new Date().toISOString(),
      version: 1,
      run_attempt: 1,
      sequence,
      event_id: randomUUID(),
      result: null,
      ...changes,
    };
    const token = await github.oidc.sign(new URL(url.replace('127.0.0.1', 'localhost')).origin, run);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/progress`, { method: 'POST', headers, body: JSON.stringify(event) });
    expect([answer.status, await answer.json()]).toEqual([
      202,
      { status: 'accepted', event_id: event.event_id },
    ]);
    return event;
  };
}

test('followed live to its end, and past the death of the server', async () => {
  await using stage = await setServerStage({ start: false });
  const start = () =>
    stage.start({
      OPERATOR_TOKEN: operator,
      PROGRESS_REPOSITORIES_ALLOWED: 'octo-org/*',
      OIDC_ISSUER: stage.github.oidc.issuer,
    });
  await start();
  using command = follow(stage);
  await stage.until('the dispatch', () => stage.github.dispatches[0]);
  expect(stage.github.dispatches[0]!.clientPayload).toMatchObject({
    progress_endpoint: `${stage.url}/progress`,
    correlation_id: 'req-1',
  });
  const report = reporter(stage);
  const shown = (count: number) =>
    stage.until(`${count} events`, () => command.lines().length === count || null);

  const events = [await report({ status: 'queued', message: 'Accepted.' })];
  await shown(1);
  await stage.kill('SIGKILL');
  await stage.until('the command to notice', () => /Waiting for the server/.exec(command.remarks()));
  await start();
  events.push(await report({ message: 'Writing.', completed_tasks: ['Read the code'] }));
  await shown(2);
  events.push(await report({ status: 'cancelled', message: 'Somebody has stopped it.' }));

  expect(await command.code).toBe(4);
  expect(command.lines().map((line) => JSON.parse(line))).toEqual(events);
});
