/** The base-action, run by the mini runner as a job would: a prompt, Claude at work in the workspace, and nothing of GitHub. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { bash, read, structuredOutput, write } from '../../testkit/claude/tools.ts';
import type { ActionOptions, ActionRun } from '../../testkit/runner/action-run.ts';
import { runAction } from '../../testkit/runner/run-action.ts';

interface Job extends AsyncDisposable {
  model: ScriptedModel;
  workspace: string;
  run(inputs: Record<string, string>, more?: Partial<ActionOptions>): Promise<ActionRun>;
}

/** Where nobody listens: whatever asked GitHub for something would fail. */
const nowhere = 'http://127.0.0.1:9';

async function startJob(): Promise<Job> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-base-'));
  const workspace = join(root, 'workspace');
  await mkdir(workspace);
  const model = await startModel({ expectedKey: 'sk-ant-api03-the-key-of-this-job' });
  const { ANTHROPIC_API_KEY: _, ...env } = modelEnvironment(model);
  return {
    model,
    workspace,
    run: (inputs, more = {}) =>
      runAction({
        action: resolve('base-action'),
        repository: 'octo-org/hello',
        event: { name: 'push', payload: {} },
        github: { serverUrl: nowhere, apiUrl: nowhere, graphqlUrl: nowhere },
        ...{ workspace, workflow: 'Notes', job: 'notes', runId: '1', actor: 'octocat', keep: true },
        timeoutMs: 150_000,
        ...more,
        inputs: {
          anthropic_api_key: model.key,
          path_to_claude_code_executable: claudeBinary(),
          ...inputs,
        },
        env: { ...env, ...more.env },
      }),
    [Symbol.asyncDispose]: async () => {
      await model.close();
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** No process and no file of ours is left, and nobody else's warning was needed. */
async function expectLeftInOrder(run: ActionRun): Promise<void> {
  expect(run.leftovers, run.log).toEqual([]);
  const ours = (await readdir(join(run.directory, 'work/_temp'))).filter((name) =>
    name.startsWith('forgehand-'),
  );
  expect(ours).toEqual([]);
  expect(run.post?.exitCode, run.log).toBe(0);
  await rm(run.directory, { recursive: true, force: true, maxRetries: 3 });
}

describe.concurrent('the base-action', () => {
  test('works on a prompt where the job says, and what it did and said is there for the next step', async () => {
    await using job = await startJob();
    const place = join(job.workspace, 'packages', 'one');
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'CLAUDE.md'), 'Speak of RABBITS only.\n');
    await writeFile(join(place, 'prompt.md'), 'Write the notes.\n');
    job.model.script([
      { tools: [write(join(place, 'NOTES.md'), 'Rabbits.\n')] },
      { tools: [bash('touch by-hand')] },
      { tools: [structuredOutput({ files: 1 })] },
      { text: 'The notes are written.' },
    ]);
    const schema = '{"type":"object","properties":{"files":{"type":"number"}},"required":["files"]}';
    const run = await job.run(
      {
        prompt_file: 'prompt.md',
        claude_args: `--allowedTools Write --json-schema '${schema}'`,
        use_node_cache: 'true',
        display_report: 'true',
        max_turns: '3',
      },
      { env: { CLAUDE_WORKING_DIR: 'packages/one' } },
    );
    expect(run.main.exitCode, run.log).toBe(0);
    expect(await readFile(join(place, 'NOTES.md'), 'utf8')).toBe('Rabbits.\n');
    // Nobody has allowed it commands.
    expect(await readdir(place)).not.toContain('by-hand');
    const asked = JSON.stringify(job.model.requests[0]!.body);
    for (const words of ['Write the notes.', 'RABBITS']) expect(asked).toContain(words);
    const { execution_file: file, ...outputs } = run.outputs;
    expect(outputs).toEqual({
      conclusion: 'success',
      reason: '',
      structured_output: '{"files":1}',
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...Object.fromEntries(
        ['cost_usd', 'num_turns', 'duration_ms', 'input_tokens', 'output_tokens'].map((name) => [
          name,
          expect.stringMatching(/^[\d.]*[1-9]/),
        ]),
      ),
    });
    expect(run.undeclaredOutputs).toEqual({});
    const messages = JSON.parse(await readFile(file!, 'utf8')) as { type: string }[];
    expect(messages.at(-1)).toMatchObject({ type: 'result' });
    expect(run.summary).toContain('🔧 **Write**');
    const warnings = run.annotations.filter(({ level, source }) => level === 'warning' && source === 'main');
    expect(warnings.map(({ message }) => message)).toEqual([
      'Input `max_turns` has no effect any more: use `claude_args: --max-turns`.',
    ]);
    expect(run.masks).toContain(job.model.key);
    await expectLeftInOrder(run);
  });

  test('with inputs that cannot be used it ends red, says which, and asks no model', async () => {
    await using job = await startJob();
    const run = await job.run({ prompt: 'a', prompt_file: 'b', max_budget_usd: 'much' });
    expect(run.main.exitCode).toBe(1);
    expect(run.outputs).toEqual({ conclusion: 'failure', reason: 'invalid_input' });
    const error = run.annotations.find(({ level }) => level === 'error');
    for (const place of [error?.message, run.summary]) {
      expect(place).toContain('Input `max_budget_usd`: must be an amount in US dollars');
      expect(place).toContain('Correct the named input and run again.');
    }
    expect(job.model.requests).toEqual([]);
    await expectLeftInOrder(run);
  });

  test('comes to its limit in the middle of a command, with what it wrote and what it cost', async () => {
    await using job = await startJob();
    job.model.script([
      { tools: [write(join(job.workspace, 'NOTES.md'), 'Half.\n')] },
      { tools: [bash('while [ ! -e go ]; do sleep 0.05; done', { timeoutMs: 600_000 })] },
    ]);
    const run = await job.run({
      prompt: 'Write notes.',
      claude_args: '--allowedTools Write,Bash',
      timeout_minutes: '0.15',
    });
    expect(run.main.exitCode).toBe(1);
    expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'timed_out' });
    expect(Number(run.outputs.cost_usd)).toBeGreaterThan(0);
    expect(await readFile(join(job.workspace, 'NOTES.md'), 'utf8')).toBe('Half.\n');
    await expectLeftInOrder(run);
  });

  test('killed, it leaves no process, no file and the workspace to the job', async () => {
    await using job = await startJob();
    const file = join(job.workspace, 'README.md');
    await writeFile(file, 'Hello.\n');
    job.model.script([{ tools: [read(file)] }, { hang: true }]);
    const run = await job.run({ prompt: 'Read.' }, { killMain: job.model.request(2) });
    expect(run.main.signal, run.log).toBe('SIGKILL');
    expect(run.outputs).toEqual({ conclusion: 'failure', reason: 'internal' });
    expect(run.summary).toMatch(/its process was killed or ran out of memory/);
    // The fence may have given it to a user of its own.
    expect((await stat(file)).uid).toBe(process.getuid?.());
    await expectLeftInOrder(run);
  });

  test('cancelled, it says so', async () => {
    await using job = await startJob();
    job.model.script([{ hang: true }]);
    const run = await job.run({ prompt: 'Read.' }, { cancelAfter: job.model.request(1) });
    expect(run.outputs).toMatchObject({ conclusion: 'cancelled', reason: 'cancelled' });
    expect(run.summary).toContain('The job was cancelled.');
    await expectLeftInOrder(run);
  });
});
