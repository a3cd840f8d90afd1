/** A backend dispatches a task to the built Action and follows it to its end. */
import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/words/progress.ts';
import type { Step } from '../../testkit/claude/step.ts';
import { bash, mcp, structuredOutput } from '../../testkit/claude/tools.ts';
import { type Backend, claimsOf, once, startBackend } from './backend.ts';
import { newBranches, until } from './endings.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const says = (message: string, completed_tasks: string[], current_task: string): Step => ({
  tools: [mcp('github_progress', 'update_claude_progress', { message, completed_tasks, current_task })],
});
const commit = (file = 'page.md'): Step => ({
  tools: [bash(`echo 'A page.' > ${file} && git add ${file} && git commit -qm "Add a page"`)],
});
/** Until the story says so, or for ever. */
const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const push: Step = { tools: [mcp('github_file_ops', 'push_changes')] };

/** The run that GitHub starts for a dispatch, with an identity of its own. */
async function dispatch(
  stage: Stage,
  backend: Backend | null,
  { payload = {}, ...scene }: Partial<Scene> & { payload?: Record<string, unknown> } = {},
) {
  const runId = scene.runId ?? '4711';
  const event = await stage.github.event.repositoryDispatch('octo-org/hello', 'claude-task', {
    description: 'Add a page about greetings.',
    correlation_id: 'req-123-abc',
    ...(backend && { progress_endpoint: backend.endpoint }),
    ...payload,
  });
  return stage.run({
    event: { ...event, payload: { ...event.payload, sender: { login: 'octocat', id: 1, type: 'User' } } },
    oidc: stage.github.oidc.request({ repository: 'octo-org/hello', runId }),
    ...scene,
    runId,
    inputs: { ...(backend && { progress_endpoints_allowed: backend.origin }), ...scene.inputs },
  });
}

const last = ({ heard }: Backend): ProgressEvent => once(heard).at(-1)!;

test('progress from the first word to the branch: in order, signed, and with the result', async () => {
  await using backend = await startBackend();
  await using stage = await setStage([
    says('I start.', [], 'Reading'),
    commit(),
    push,
    says('The page is there.', ['Wrote page.md'], 'Summing up'),
    { text: 'There is a page now.' },
  ]);
  const run = await dispatch(stage, backend, { inputs: { create_pull_request: 'draft' } });

  expectSuccess(run);
  const events = once(backend.heard);
  expect(backend.heard).toEqual(events);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  for (const event of events)
    expect(event).toMatchObject({
      repository: 'octo-org/hello',
      run_id: '4711',
      run_attempt: 1,
      correlation_id: 'req-123-abc',
      version: 1,
    });
  expect(backend.requests[0]!.at).toBeLessThan(stage.model.main[0]!.at);
  expect(events).toContainEqual(
    expect.objectContaining({
      status: 'in_progress',
      message: 'The page is there.',
      completed_tasks: ['Wrote page.md'],
      current_task: 'Summing up',
    }),
  );
  expect(events.slice(0, -1).every(({ result }) => result === null)).toBe(true);
  const [branch] = newBranches(stage);
  const [pull] = stage.repository.pullRequests();
  expect(events.at(-1)).toMatchObject({
    status: 'completed',
    message: 'There is a page now.',
    completed_tasks: ['Wrote page.md'],
    result: {
      conclusion: 'success',
      reason: '',
      summary: 'There is a page now.',
      branch,
      pull_request_url: run.outputs.pull_request_url,
      commits: 1,
      num_turns: Number(run.outputs.num_turns),
      cost_usd: Number(run.outputs.cost_usd),
      session_id: run.outputs.session_id,
    },
  });
  expect(await stage.repository.file(branch!, 'page.md')).toBe('A page.\n');
  expect(pull).toMatchObject({ draft: true, title: 'Add a page about greetings.', head: { ref: branch } });

  for (const request of backend.requests) {
    const claims = await claimsOf(request, { github: stage.github, audience: backend.origin });
    expect(claims).toMatchObject({ repository: 'octo-org/hello', run_id: '4711' });
    expect(request).toMatchObject({ path: '/progress' });
    expect(request.headers['idempotency-key']).toBe((JSON.parse(request.body) as ProgressEvent).event_id);
    expect(run.log).not.toContain(request.headers.authorization!.slice('Bearer '.length));
  }
  expect(stage.model.firstText()).toMatch(/^## Task\nAdd a page about greetings\./);
  expect(stage.model.firstText()).toContain('mcp__github_progress__update_claude_progress');
  expect(run.summary).toContain(
    `**Progress** to \`${backend.origin}\`: ${events.length} acknowledged. It knows`,
  );
  expect(stage.github.requests.filter(({ path }) => /comments|reactions/.test(path))).toEqual([]);
  expectTidy(run, stage);
});

describe('a payload that cannot be used fails before Claude starts, and the backend hears why', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['no task', { description: undefined }, /`client_payload\.description`/],
    ['a number as text', { issue_number: '1' }, /`client_payload\.issue_number` must be a number/],
    [
      'an issue that is not there',
      { issue_number: 99 },
      /`client_payload\.issue_number`: there is no issue #99/,
    ],
    ['a session', { session_id: '1c1ae6ff-3a8c-4c65-9f6a-8b7f6a2f4a4e' }, /`client_payload\.session_id`/],
    [
      'the default branch',
      { branch: 'main' },
      /`client_payload\.branch`: `main` is what the work is to be merged/,
    ],
    ['a name that git refuses', { branch: 'a..b' }, /`client_payload\.branch`: .*contains/],
    ['a base that is not there', { base_branch: 'nowhere' }, /there is no branch `nowhere`/],
  ])('%s', async (_, payload, message) => {
    await using backend = await startBackend();
    await using stage = await setStage();
    const run = await dispatch(stage, backend, { payload });

    expectFailure(run, 'invalid_input', message);
    expect(last(backend)).toMatchObject({
      status: 'failed',
      correlation_id: 'req-123-abc',
      message: expect.stringMatching(message),
      result: { conclusion: 'failure', reason: 'invalid_input', branch: null, commits: 0 },
    });
    expect(stage.model.main).toEqual([]);
  });
});

describe('an endpoint that may not be used fails before Claude starts, and nothing is sent', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['not a text', 7, '', /must be a text/],
    ['no URL', 'progress', '', /`client_payload\.progress_endpoint`/],
    ['plain http', 'http://api.example.com/progress', '', /https/],
    ['a private address', 'https://10.0.0.7/progress', '', /`client_payload\.progress_endpoint`/],
    ['the metadata service', 'https://169.254.169.254/latest', '', /`client_payload\.progress_endpoint`/],
    ['this machine', 'https://localhost/progress', '', /`client_payload\.progress_endpoint`/],
    [
      'one that is not listed',
      'https://api.example.com/progress',
      'https://other.example',
      /progress_endpoints_allowed/,
    ],
  ])('%s', async (_, endpoint, allowed, message) => {
    await using stage = await setStage();
    const run = await dispatch(stage, null, {
      payload: { progress_endpoint: endpoint },
      inputs: { progress_endpoints_allowed: allowed },
    });

    expectFailure(run, 'invalid_input', message);
    expect(stage.model.main).toEqual([]);
  });

  test('a job without an identity says what it needs', async () => {
    await using backend = await startBackend();
    await using stage = await setStage();
    const run = await dispatch(stage, backend, { oidc: undefined });

    expectFailure(run, 'github_auth', /id-token: write/);
    expect(backend.requests).toEqual([]);
  });
});

test('an issue is read whole, commented on, and worked on as if somebody had asked there', async () => {
  await using backend = await startBackend();
  await using stage = await setStage([
    says('Half done.', ['Read it'], 'Fixing'),
    commit(),
    { text: 'Done.' },
  ]);
  const issue = stage.github.createIssue(stage.repository, {
    title: 'No page',
    body: 'ISSUE-TEXT',
    author: 'octocat',
  });
  const run = await dispatch(stage, backend, { payload: { issue_number: issue.number } });

  expectSuccess(run);
  const prompt = stage.model.firstText();
  expect(prompt).toContain("The caller's instructions:\n\nAdd a page about greetings.");
  expect(prompt).toMatch(/<untrusted-[\s\S]*ISSUE-TEXT/);
  const [comment] = issue.comments;
  expect(comment!.body).toMatch(/^✅/);
  // What is meant for the program does not replace what people read.
  expect(comment!.history.some(({ body }) => body.includes('Half done.'))).toBe(false);
  expect(last(backend)).toMatchObject({ status: 'completed', result: { branch: newBranches(stage)[0] } });
  expect(newBranches(stage)[0]).toMatch(/^claude\/issue-1-/);
});

test('limits of the payload only lower those of the workflow; model and form of the answer are its own', async () => {
  await using backend = await startBackend();
  await using stage = await setStage([{ tools: [structuredOutput({ files: 3 })] }, { text: 'Three.' }]);
  const json_schema = { type: 'object', properties: { files: { type: 'number' } }, required: ['files'] };
  const run = await dispatch(stage, backend, {
    payload: { json_schema, model: 'claude-sonnet-4-5', max_turns: 90 },
    inputs: { claude_args: '--max-turns 8' },
  });

  expectSuccess(run);
  expect(stage.model.main[0]!.body.model).toBe('claude-sonnet-4-5');
  expect(last(backend).result).toMatchObject({ structured_output: { files: 3 }, branch: null, commits: 0 });

  stage.model.script(Array.from({ length: 5 }, (_, n) => ({ tools: [bash(`git log -${n + 1}`)] })));
  const short = await dispatch(stage, backend, {
    payload: { max_turns: 2 },
    inputs: { claude_args: '--max-turns 8' },
    runId: '4712',
  });
  expectFailure(short, 'turns', /turns/);
  expect(backend.heard.at(-1)).toMatchObject({
    run_id: '4712',
    status: 'failed',
    result: { reason: 'turns' },
  });
});

describe('a branch of the payload', () => {
  test('is made, and gone on with by the next task; nobody else’s is touched', async () => {
    await using stage = await setStage([commit('one.md'), { text: 'One.' }]);
    const payload = { branch: 'pages/greetings' };
    expectSuccess(await dispatch(stage, null, { payload }));
    stage.model.script([commit('two.md'), { text: 'Two.' }]);
    expectSuccess(
      await dispatch(stage, null, { payload: { ...payload, create_pull_request: 'draft' }, runId: '4712' }),
    );
    expect(await stage.repository.files('pages/greetings')).toEqual(
      expect.arrayContaining(['one.md', 'two.md']),
    );
    expect(newBranches(stage)).toEqual(['pages/greetings']);
    expect(stage.repository.pullRequests()).toHaveLength(1);
    for (const { author } of await stage.repository.log('main..pages/greetings'))
      expect(author.name).toBe('github-actions[bot]');

    await stage.repository.addCommit({
      branch: 'pages/greetings',
      message: 'Mine',
      files: { 'mine.md': 'x' },
    });
    const refused = await dispatch(stage, null, { payload, runId: '4713' });
    expectFailure(
      refused,
      'invalid_input',
      /`pages\/greetings` is there already and holds work that is not ours/,
    );
  });

  test('is gone on with when GitHub made the commits; the default branch is never written to', async () => {
    const inputs = { use_commit_signing: 'true' };
    const payload = { branch: 'pages/greetings' };
    await using stage = await setStage();
    const main = stage.repository.tip('main');
    const page = (file: string): Step[] => [
      { tools: [bash(`echo 'A page.' > ${file}`)] },
      { tools: [mcp('github_file_ops', 'commit_files', { files: [file], message: 'Add a page' })] },
    ];
    for (const [index, file] of ['one.md', 'two.md'].entries()) {
      stage.model.script(page(file));
      const runId = String(4712 + index);
      const allowed = { ...inputs, claude_args: '--allowedTools Bash' };
      expectSuccess(await dispatch(stage, null, { payload, runId, inputs: allowed }));
    }
    const commits = await stage.repository.log('main..pages/greetings');
    expect(commits.map(({ sha }) => stage.repository.verified(sha))).toEqual([true, true]);
    expect(newBranches(stage)).toEqual(['pages/greetings']);
    expect(stage.repository.tip('main')).toBe(main);
  });

  test('that is protected is refused', async () => {
    await using stage = await setStage();
    await stage.repository.addCommit({ branch: 'release', message: 'Mine', files: { 'mine.md': 'x' } });
    stage.repository.protect('release');
    const run = await dispatch(stage, null, { payload: { branch: 'release' } });
    expectFailure(run, 'invalid_input', /`release` is protected/);
  });
});

test('with a `prompt` that is the task, and Claude is told how to report', async () => {
  await using backend = await startBackend();
  await using stage = await setStage([says('On it.', [], 'Counting'), { text: 'Three.' }]);
  const run = await dispatch(stage, backend, { inputs: { prompt: 'Count the files.' } });

  expectSuccess(run);
  expect(stage.model.firstText()).toMatch(
    /^Count the files\.\n\n.*mcp__github_progress__update_claude_progress/s,
  );
  expect(stage.model.firstText()).not.toContain('Add a page');
  expect(backend.heard).toContainEqual(expect.objectContaining({ message: 'On it.' }));
  expect(last(backend)).toMatchObject({ status: 'completed', message: 'Three.' });
});

describe('the task is neither slowed nor failed by its endpoint, and the end arrives', () => {
  test.each<[string, (n: number) => number]>([
    ['half of the requests fail', (n) => (n % 2 === 0 ? 503 : 202)],
    ['connections break', (n) => (n % 2 === 0 ? 0 : 202)],
    ['the first answers are refusals', (n) => (n < 2 ? 429 : 202)],
  ])('%s', async (_, answer) => {
    await using backend = await startBackend(answer);
    await using stage = await setStage([says('I start.', [], 'Reading'), commit(), { text: 'Done.' }]);
    const run = await dispatch(stage, backend);

    expectSuccess(run);
    const events = once(backend.heard);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ status: 'completed', result: { branch: newBranches(stage)[0] } });
  });

  test('down until the work is done', async () => {
    let isUp = false;
    await using backend = await startBackend(() => (isUp ? 202 : 503));
    await using stage = await setStage([commit(), { text: 'Done.' }]);
    const published = until('the work is pushed', () =>
      stage.github.requests.some(
        ({ path, method }) => method === 'POST' && path.includes('git-receive-pack'),
      ),
    ).then(() => {
      isUp = true;
    });
    const run = await dispatch(stage, backend);
    await published;

    expectSuccess(run);
    expect(once(backend.heard)[0]!.sequence).toBe(1);
    expect(last(backend)).toMatchObject({ status: 'completed', result: { commits: 1 } });
  });
});

describe('an end that is no success is told too', () => {
  const work: Step[] = [says('I start.', [], 'Reading'), busy];

  test('the job is cancelled', async () => {
    await using backend = await startBackend();
    await using stage = await setStage(work);
    const run = await dispatch(stage, backend, { cancelAfter: stage.model.request(2) });

    expect(run.outputs).toMatchObject({ conclusion: 'cancelled', reason: 'cancelled' });
    expect(once(backend.heard).filter(({ result }) => result)).toEqual([last(backend)]);
    expect(last(backend)).toMatchObject({ status: 'cancelled', result: { reason: 'cancelled' } });
  });

  test('Claude takes too long', async () => {
    await using backend = await startBackend();
    await using stage = await setStage(work);
    const run = await dispatch(stage, backend, { inputs: { timeout_minutes: '0.05' } });

    expectFailure(run, 'timed_out', /timeout_minutes/);
    expect(last(backend)).toMatchObject({ status: 'failed', result: { reason: 'timed_out' } });
  });

  test('GitHub takes no token', async () => {
    await using backend = await startBackend();
    await using stage = await setStage();
    const run = await dispatch(stage, backend, { inputs: { github_token: 'ghs_nobodys' } });

    expectFailure(run, 'github_auth', /./);
    expect(last(backend)).toMatchObject({ status: 'failed', result: { reason: 'github_auth' } });
  });
});

test('main is killed: the post step tells the end, after what was not acknowledged', async () => {
  await using backend = await startBackend();
  await using stage = await setStage([says('Half of it.', ['Wrote one.md'], 'The rest'), commit(), busy]);
  const run = await dispatch(stage, backend, {
    killMain: until('Claude sleeps', () => stage.model.main.length > 2),
  });

  expect(run.main.signal, run.log).toBe('SIGKILL');
  const events = once(backend.heard);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)).toMatchObject({
    status: 'failed',
    completed_tasks: ['Wrote one.md'],
    message: expect.stringMatching(/killed or ran out of memory/),
    result: { conclusion: 'failure', reason: 'internal' },
  });
  expect(events.filter(({ status }) => status === 'failed')).toHaveLength(1);
});

test('main is killed while it tells the end: the post step tells the same one', async () => {
  let isUp = false;
  const told = () => backend.requests.filter(({ body }) => body.includes('"status":"completed"')).length;
  await using backend = await startBackend(() => (isUp || told() === 0 ? 202 : 503));
  await using stage = await setStage([commit(), { text: 'Done.' }]);
  const run = await dispatch(stage, backend, {
    killMain: until('the end was not taken', () => told() > 0).then(() => {
      isUp = true;
    }),
  });

  expect(run.main.signal, run.log).toBe('SIGKILL');
  expect(last(backend)).toMatchObject({
    status: 'completed',
    result: { conclusion: 'success', branch: newBranches(stage)[0], commits: 1 },
  });
  expect(once(backend.heard).filter(({ result }) => result)).toHaveLength(1);
  expect(run.summary).toContain('Forgehand: success');
  expect(run.summary).toContain('It knows that the task ended.');
  expectTidy(run, stage);
});
