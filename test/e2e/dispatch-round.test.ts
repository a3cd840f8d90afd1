/** The whole round: a backend starts a task with one call to GitHub, and hears of it through the server until its end. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dispatchTask } from '../../src/client/dispatch-task.ts';
import { verifyProgress } from '../../src/client/verify-progress.ts';
import type { ProgressEvent } from '../../src/words/progress.ts';
import type { Step } from '../../testkit/claude/step.ts';
import { bash, mcp } from '../../testkit/claude/tools.ts';
import { type Backend, once, startBackend } from './backend.ts';
import { newBranches, until } from './endings.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const secret = 'the secret that both sides have';
const operator = 'the-token-of-the-operator';

/** GitHub with its runners, the backend, and the server between them. */
interface Round extends AsyncDisposable {
  stage: Stage;
  backend: Backend;
  server: ServerStage;
  /** The run that the backend's call starts. */
  run(correlationId: string, scene?: Partial<Scene>): ReturnType<Stage['run']>;
}

async function setRound(answer?: (n: number) => number | Promise<number>): Promise<Round> {
  const stage = await setStage();
  const backend = await startBackend(answer);
  const server = await setServerStage({
    env: {
      OIDC_ISSUER: stage.github.oidc.issuer,
      PROGRESS_REPOSITORIES_ALLOWED: 'octo-org/*',
      PROGRESS_FORWARD_URL: `${backend.origin}/forwarded`,
      PROGRESS_FORWARD_SECRET: secret,
      OPERATOR_TOKEN: operator,
    },
  });
  let runs = 0;
  return {
    stage,
    backend,
    server,
    run: async (correlationId, scene = {}) => {
      runs += 1;
      const runId = String(9000 + runs);
      await dispatchTask({
        repository: 'octo-org/hello',
        task: 'Add a page about greetings.',
        token: stage.github.token({ login: 'octocat' }),
        correlationId,
        progressEndpoint: `${server.url.replace('127.0.0.1', 'localhost')}/progress`,
        apiUrl: stage.github.apiUrl,
      });
      const { eventType, clientPayload } = stage.github.dispatches.at(-1)!;
      const event = await stage.github.event.repositoryDispatch('octo-org/hello', eventType, clientPayload);
      return stage.run({
        event: { ...event, payload: { ...event.payload, sender: { login: 'octocat', id: 1, type: 'User' } } },
        oidc: stage.github.oidc.request({ repository: 'octo-org/hello', runId }),
        runId,
        ...scene,
        inputs: { progress_endpoints_allowed: server.url.replace('127.0.0.1', 'localhost') },
      });
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await Promise.all([backend[Symbol.asyncDispose](), stage[Symbol.asyncDispose]()]);
    },
  };
}

const says = (message: string, completed_tasks: string[]): Step => ({
  tools: [mcp('github_progress', 'update_claude_progress', { message, completed_tasks })],
});
/** Until the story says so, or for ever. */
const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const work: Step[] = [
  says('I start.', []),
  { tools: [bash('echo hello > page.md && git add page.md && git commit -qm "Add a page"')] },
  says('The page is there.', ['Wrote page.md']),
  { text: 'There is a page now.' },
];

/** What the backend may believe: each event with the server's signature, in order, the terminal one last. */
async function expectTold({ backend, server }: Round, correlationId: string): Promise<ProgressEvent[]> {
  await backend.hears(({ correlation_id, result }) => correlation_id === correlationId && result !== null);
  for (const request of backend.requests) await verifyProgress(request, { secret });
  const heard = backend.heard.filter((event) => event.correlation_id === correlationId);
  const events = once(heard);
  // What came twice came in a row: an answer was lost, no order.
  expect(heard.filter((event, index) => event.event_id !== heard[index - 1]?.event_id)).toEqual(events);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter(({ result }) => result !== null)).toEqual([events.at(-1)]);
  const kept = await fetch(`${server.url}/progress/${correlationId}`, {
    headers: { authorization: `Bearer ${operator}` },
  });
  expect(await kept.json()).toMatchObject({ status: events.at(-1)!.status, events });
  return events;
}

describe('the backend hears all of it', () => {
  const cases: [string, ((n: number) => number | Promise<number>) | undefined][] = [
    ['at once', undefined],
    ['when it fails half of the requests', (n) => (n % 2 === 0 ? 503 : 202)],
    ['when it is slow', () => new Promise((done) => setTimeout(done, 700, 202))],
  ];
  test.each(cases)('%s', async (_, answer) => {
    await using round = await setRound(answer);
    const { stage } = round;
    stage.model.script(work);
    const run = await round.run('req-123-abc');

    expect(run.outputs, run.log).toMatchObject({ conclusion: 'success' });
    const events = await expectTold(round, 'req-123-abc');
    expect(events).toContainEqual(expect.objectContaining({ message: 'The page is there.' }));
    const [branch] = newBranches(stage);
    expect(events.at(-1)).toMatchObject({ status: 'completed', result: { branch, commits: 1 } });
    expect(await stage.repository.file(branch!, 'page.md')).toBe('hello\n');
  });

  test('when it was down until after the end', async () => {
    let isUp = false;
    await using round = await setRound(() => (isUp ? 202 : 0));
    round.stage.model.script(work);
    const run = await round.run('req-down');
    expect(run.outputs, run.log).toMatchObject({ conclusion: 'success' });
    expect(round.backend.heard).toEqual([]);
    isUp = true;
    expect((await expectTold(round, 'req-down')).at(-1)).toMatchObject({ status: 'completed' });
  });
});

describe('the server is killed', () => {
  let round: Round;
  beforeAll(async () => {
    round = await setRound();
  });
  afterAll(() => round?.[Symbol.asyncDispose]());

  test('in the middle: nothing that it had acknowledged is lost, nothing comes twice out of order', async () => {
    round.stage.model.script([says('I start.', []), busy, ...work.slice(1)]);
    const running = round.run('req-killed');
    await round.backend.hears(({ message }) => message === 'I start.');
    await round.server.kill('SIGKILL');
    await round.server.start();
    await writeFile(round.stage.path('.git/go'), '');
    expect((await running).outputs).toMatchObject({ conclusion: 'success' });
    const events = await expectTold(round, 'req-killed');
    expect(events.at(-1)).toMatchObject({ status: 'completed', completed_tasks: ['Wrote page.md'] });
  });

  test('main is killed: the backend hears that the task failed, once', async () => {
    round.stage.model.script([says('Half of it.', ['One']), busy]);
    const before = round.stage.model.main.length;
    const run = await round.run('req-main', {
      killMain: until('Claude sleeps', () => round.stage.model.main.length > before + 1),
    });
    expect(run.main.signal, run.log).toBe('SIGKILL');
    const events = await expectTold(round, 'req-main');
    expect(events.at(-1)).toMatchObject({ status: 'failed', result: { reason: 'internal', branch: null } });
  });
});
