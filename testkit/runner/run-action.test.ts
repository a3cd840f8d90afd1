/** The mini runner with small throw-away actions. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { ActionOptions } from './action-run.ts';
import { listProcesses } from './processes.ts';
import { runAction } from './run-action.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'mini-runner-test-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const actionYaml = `
name: Throw-away
inputs:
  who: { default: world }
  shout: { default: false }
  no default: {}
  token: { default: '\${{ github.token }}' }
  old: { deprecationMessage: use who }
outputs:
  greeting: { description: words }
runs: { using: node24, main: main.mjs, post: post.mjs }
`;

const prelude = `
import { appendFileSync, existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
const env = process.env;
const put = (file, text) => appendFileSync(env[file], text);
`;

interface Files {
  yaml?: string;
  main?: string;
  post?: string;
}

/** Writes an action whose scripts have `env` and `put(fileVariable, text)`, and runs it. */
function runScripts(
  { yaml = actionYaml, main = '', post = '' }: Files,
  options: Partial<ActionOptions> = {},
) {
  const action = mkdtempSync(join(root, 'action-'));
  const workspace = join(action, 'workspace');
  mkdirSync(workspace);
  writeFileSync(join(action, 'action.yml'), yaml);
  writeFileSync(join(action, 'main.mjs'), prelude + main);
  writeFileSync(join(action, 'post.mjs'), prelude + post);
  return runAction({
    action,
    workspace,
    event: {
      name: 'issues',
      payload: { action: 'opened', sender: { login: 'mona' }, repository: { default_branch: 'trunk' } },
    },
    repository: 'octo/hello',
    github: {
      serverUrl: 'http://localhost:1',
      apiUrl: 'http://localhost:1/api',
      graphqlUrl: 'http://localhost:1/graphql',
    },
    timeoutMs: 60_000,
    ...options,
  });
}

const print = (expression: string) => `console.log(JSON.stringify(${expression}));`;

test('main writes outputs, state and a summary; post reads the state', async () => {
  const run = await runScripts({
    main: `
      put('GITHUB_OUTPUT', 'greeting<<END_1\\nhello\\n=a<<b\\nEND_1\\nextra=1\\n');
      put('GITHUB_STATE', 'comment=42\\n');
      put('GITHUB_STEP_SUMMARY', '# Main\\n');
      put('GITHUB_ENV', 'LATER=yes\\nGITHUB_RUN_ID=no\\n');
      put('GITHUB_PATH', '/opt/first\\n');`,
    post: `put('GITHUB_STEP_SUMMARY', '# Post\\n'); console.log(env.STATE_comment, env.LATER, env.GITHUB_RUN_ID, env.PATH);`,
  });
  expect(run).toMatchObject({
    status: 'success',
    main: { exitCode: 0, signal: null, timedOut: false, signals: [] },
    post: { exitCode: 0 },
    outputs: { greeting: 'hello\n=a<<b' },
    undeclaredOutputs: { extra: '1' },
    state: { comment: '42' },
    summary: '# Main\n\n# Post\n',
    leftovers: [],
    peakMemory: null,
  });
  expect(run.log).toMatch(/^42 yes 1 \/opt\/first:/);
  expect(run.environment.path).toEqual(['/opt/first']);
  expect(existsSync(run.directory)).toBe(false);
});

test('the environment is made from scratch, with inputs and defaults as GitHub gives them', async () => {
  process.env.LEAKING = 'from this process';
  const run = await runScripts(
    { main: print('env') },
    {
      inputs: { WHO: 'you', unknown: 'x', old: 'y' },
      env: { MINE: '1', GITHUB_ACTOR: 'me' },
      token: 'ghs_job',
    },
  );
  delete process.env.LEAKING;
  const env = JSON.parse(run.rawLog);
  expect(env).toMatchObject({
    INPUT_WHO: 'you',
    INPUT_SHOUT: 'false',
    INPUT_NO_DEFAULT: '',
    INPUT_TOKEN: 'ghs_job',
    INPUT_UNKNOWN: 'x',
    MINE: '1',
    GITHUB_ACTOR: 'mona',
    GITHUB_REF: 'refs/heads/trunk',
    GITHUB_REPOSITORY_OWNER: 'octo',
    RUNNER_TRACKING_ID: expect.stringMatching(/^github_/),
  });
  expect(env.LEAKING).toBeUndefined();
  expect(env.GITHUB_TOKEN).toBeUndefined();
  expect(run.annotations.map(({ message }) => message)).toEqual([
    "Input 'old' has been deprecated with message: use who",
    "Unexpected input(s) 'unknown', valid inputs are ['who', 'shout', 'no default', 'token', 'old']",
  ]);
});

test('workflow commands become annotations and masks, and are not carried out while they are stopped', async () => {
  const seen: string[] = [];
  const run = await runScripts(
    {
      main: `
        console.log('before s3cret-value');
        console.log('::add-mask::s3cret-value');
        console.log('::group::Work');
        console.log('after s3cret-value ' + Buffer.from('x-access-token:s3cret-value').toString('base64'));
        console.log('::error title=Oh%3A no,file=a.ts,line=3::first%0Asecond s3cret-value');
        console.log('::debug::hidden');
        console.log('::stop-commands::token1');
        console.log('::error::not one');
        console.log('::token1::');
        console.log('::warning::one');
        put('GITHUB_STEP_SUMMARY', 'has s3cret-value');
        process.exitCode = 3;`,
    },
    { secrets: ['other-secret'], onOutput: (line) => seen.push(line) },
  );
  expect(run).toMatchObject({
    status: 'failure',
    main: { exitCode: 3 },
    post: { exitCode: 0 },
    masks: ['s3cret-value'],
  });
  expect(run.annotations).toContainEqual({
    level: 'error',
    title: 'Oh: no',
    message: 'first\nsecond ***',
    file: 'a.ts',
    line: 3,
    source: 'main',
  });
  expect(run.annotations).toHaveLength(2);
  expect(run.summary).toBe('has ***');
  expect(run.log).toMatch(
    /before s3cret-value\n::add-mask::\*\*\*\n##\[group\]Work\nafter \*\*\* \S*\*\*\*\S*\n/,
  );
  expect(run.log).toContain('::error::not one');
  expect(run.log).not.toContain('hidden');
  expect(run.rawLog).toContain('::add-mask::s3cret-value');
  expect(seen).toEqual(run.log.split('\n'));
});

test('a malformed output fails the step, and a summary above 1 MiB is dropped', async () => {
  const run = await runScripts({
    main: `put('GITHUB_OUTPUT', 'nonsense\\n'); put('GITHUB_STEP_SUMMARY', 'x'.repeat(1024 * 1024 + 1));`,
  });
  expect(run).toMatchObject({ status: 'failure', summary: '', outputs: {} });
  expect(run.annotations.map(({ message }) => message)).toEqual([
    "Unable to process file command 'output' successfully.",
    "Invalid format 'nonsense'",
    expect.stringMatching(/1024k, got 1025k/),
  ]);
});

test.each([
  ['always() is the default', '', 1, true],
  ['success() after a failure', 'success()', 1, false],
  ['!cancelled() && failure()', '"!cancelled() && failure()"', 1, true],
  ['success() || failure()', 'success() || failure()', 0, true],
])('post-if: %s', async (_, condition, exitCode, runs) => {
  const runsLine = `runs: { using: node24, main: main.mjs, post: post.mjs${condition && `, post-if: ${condition}`} }`;
  const run = await runScripts({ yaml: `name: x\n${runsLine}`, main: `process.exit(${exitCode})` });
  expect(run.post !== null).toBe(runs);
});

/** A promise of the step's word that it is ready: on a busy machine Node takes its time to start. */
function readiness() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ready: promise, onOutput: (line: string) => void (line === 'ready' && resolve()) };
}

test('a cancel is SIGINT, then SIGTERM, then SIGKILL, and post still runs', async () => {
  const { ready, onOutput } = readiness();
  const run = await runScripts(
    {
      main: `
        for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => console.log('got', name));
        put('GITHUB_STATE', 'phase=working\\n');
        console.log('ready');
        setInterval(() => {}, 1000);`,
      post: `console.log('post after', env.STATE_phase);`,
    },
    { cancelAfter: ready, onOutput, cancelScale: 0.04 },
  );
  expect(run).toMatchObject({
    status: 'cancelled',
    main: {
      exitCode: null,
      signal: 'SIGKILL',
      signals: [{ signal: 'SIGINT' }, { signal: 'SIGTERM' }, { signal: 'SIGKILL' }],
    },
    post: { exitCode: 0 },
    log: 'ready\ngot SIGINT\ngot SIGTERM\npost after working',
  });
  const [first, second, third] = run.main.signals.map(({ atMs }) => atMs);
  expect(second! - first!).toBeGreaterThan(280);
  expect(third! - second!).toBeGreaterThan(80);
});

test('a main that obeys the first signal is not sent another', async () => {
  const { ready, onOutput } = readiness();
  const run = await runScripts(
    {
      main: `process.on('SIGINT', () => process.exit(1)); console.log('ready'); setInterval(() => {}, 1000);`,
    },
    { cancelAfter: ready, onOutput, cancelScale: 0.2 },
  );
  expect(run).toMatchObject({ status: 'cancelled', main: { exitCode: 1, signals: [{ signal: 'SIGINT' }] } });
});

test('after a cancel post has a window of its own', async () => {
  const run = await runScripts(
    {
      main: `process.on('SIGINT', () => process.exit(1)); setInterval(() => {}, 1000);`,
      post: `process.on('SIGINT', () => {}); setInterval(() => {}, 1000);`,
    },
    // Long enough for Node to start on a busy machine, before each of the signals.
    { cancelAfter: 1500, cancelScale: 0.005 },
  );
  expect(run).toMatchObject({ status: 'cancelled', post: { signal: 'SIGTERM', timedOut: false } });
  expect(run.post?.signals[0]?.atMs).toBeGreaterThan(1000);
});

test('a killed main is a failure with its state kept; post has a time limit of its own', async () => {
  const ready = join(mkdtempSync(join(root, 'ready-')), 'now');
  const run = await runScripts(
    {
      main: `put('GITHUB_STATE', 'a=1\\n'); spawn('touch', ['${ready}']); setInterval(() => {}, 1000);`,
      post: `setInterval(() => {}, 1000);`,
    },
    { killMain: vi.waitUntil(() => existsSync(ready), 60_000), timeoutMs: 5_000, cancelScale: 0.01 },
  );
  expect(run).toMatchObject({
    status: 'failure',
    main: { signal: 'SIGKILL', timedOut: false },
    state: { a: '1' },
  });
  expect(run.post).toMatchObject({ signal: 'SIGINT', timedOut: true });
});

test.runIf(process.platform === 'linux')('what is left behind is found, named and ended', async () => {
  const run = await runScripts({
    main: `
      spawn('sleep', ['61.25'], { detached: true, stdio: 'inherit' }).unref();
      spawn('setsid', ['sleep', '62.25'], { env: { PATH: env.PATH }, stdio: 'ignore' }).unref();
      setTimeout(() => process.exit(), 400);`,
  });
  const found = run.leftovers.map(({ command, marked }) => ({ command, marked }));
  expect(found.sort((a, b) => a.command.localeCompare(b.command))).toEqual([
    { command: 'sleep 61.25', marked: true },
    { command: 'sleep 62.25', marked: false },
  ]);
  expect(run.survivors).toHaveLength(2);
  const alive = listProcesses().map(({ pid }) => pid);
  expect(run.leftovers.filter(({ pid }) => alive.includes(pid))).toEqual([]);
});

test.runIf(process.platform === 'linux')('peak memory is measured over the whole tree', async () => {
  const filled = `const full = Buffer.alloc(80 * 1024 * 1024, 1); setTimeout(() => full.length, 500);`;
  const run = await runScripts(
    { main: `spawn(process.execPath, ['-e', ${JSON.stringify(filled)}]); setTimeout(() => {}, 500);` },
    { measure: true },
  );
  expect(run.peakMemory?.bytes).toBeGreaterThan(100 * 1024 * 1024);
  expect(run.peakMemory?.processes).toHaveLength(2);
});

test('an action that is not a Node action is refused', async () => {
  await expect(runScripts({ yaml: 'runs: { using: composite, steps: [] }' })).rejects.toThrow(
    'is not an action',
  );
});
