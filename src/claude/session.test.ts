import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { claudeBinary, claudeEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { bash, grep, mcp, read, write } from '../../testkit/claude/tools.ts';
import { defineTool } from '../mcp/tool.ts';
import { AppError } from '../words/errors.ts';
import { runMark } from '../words/mark.ts';
import { parseClaudeArguments } from './arguments.ts';
import type { SessionPlan } from './options.ts';
import { endProcesses } from './process.ts';
import { openSession, type SessionEvents, type SessionPrompt } from './session.ts';

let model: ScriptedModel;
let home: string;
let directory: string;
let controller: AbortController;
let mark: string;
const messages: SDKMessage[] = [];

beforeEach(async () => {
  model = await startModel({ expectedKey: 'sk-ant-test-key-for-this-model' });
  home = await mkdtemp(join(tmpdir(), 'forgehand-home-'));
  directory = await mkdtemp(join(tmpdir(), 'forgehand-work-'));
  controller = new AbortController();
  mark = crypto.randomUUID();
  messages.length = 0;
});

afterEach(async () => {
  await endProcesses(mark, null);
  await model.close();
  await rm(home, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

function plan(
  changes: Partial<SessionPlan> & { args?: string; env?: Record<string, string> } = {},
): SessionPlan {
  return {
    executable: claudeBinary(),
    directory,
    scratch: home,
    environment: { ...claudeEnvironment(model, home), [runMark]: mark, ...changes.env },
    mark,
    arguments: parseClaudeArguments(changes.args ?? ''),
    permissionMode: 'acceptEdits',
    allowedTools: [],
    disallowedTools: [],
    trustCheckout: true,
    settings: '',
    maxBudgetUsd: null,
    servers: [],
    systemAppend: null,
    fence: null,
    ...changes,
  };
}

/** The command line of a process, where the system tells it. */
function commandOf(pid: string): string[] {
  try {
    return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
  } catch {
    return []; // gone meanwhile
  }
}

const run = async (
  from: SessionPlan,
  prompt: Partial<SessionPrompt> = {},
  events: Partial<SessionEvents> = {},
) => {
  const session = await openSession(from, {
    signal: controller.signal,
    onMessage: (message) => messages.push(message),
    onSpawn: () => {},
    ...events,
  });
  return session.run({ text: 'Context first.', request: 'please help', verbatim: true, ...prompt });
};

test('a session edits files, calls our tool, and ends with text, cost and turns', async () => {
  const said: string[] = [];
  const servers = [
    {
      name: 'github_comment',
      tools: [
        defineTool({
          name: 'update_claude_comment',
          description: 'Shows text.',
          inputSchema: { body: z.string() },
          run: async ({ body }) => {
            said.push(body);
            return 'shown';
          },
        }),
      ],
    },
  ];
  model.script([
    { tools: [write(join(directory, 'a.txt'), 'hello\n')] },
    { tools: [mcp('github_comment', 'update_claude_comment', { body: '- [x] done' })] },
    { text: 'All done.' },
  ]);
  const result = await run(plan({ servers, allowedTools: ['mcp__github_comment__update_claude_comment'] }));
  expect(result).toMatchObject({ reason: '', text: 'All done.', usage: { turns: 3 } });
  expect(result.usage!.costUsd).toBeGreaterThan(0);
  expect(result.sessionId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await readFile(join(directory, 'a.txt'), 'utf8')).toBe('hello\n');
  expect(said).toEqual(['- [x] done']);
  expect(model.tools()).toContain('mcp__github_comment__update_claude_comment');
});

test('settings reach Claude Code, and not by its command line', async () => {
  const commands: string[] = [];
  model.script([{ text: 'ok' }]);
  await run(
    plan({ settings: JSON.stringify({ model: 'claude-opus-4-5', env: { KEY: 'only-in-settings' } }) }),
    {},
    {
      onMessage: () => commands.push(...readdirSync('/proc').flatMap(commandOf)),
    },
  );
  expect(model.requests[0]!.body.model).toBe('claude-opus-4-5');
  expect(commands.join('\n')).toContain('--settings');
  expect(commands.join('\n')).not.toContain('only-in-settings');
});

test('material goes verbatim, the request is its own message, and both are one turn', async () => {
  await writeFile(join(directory, 'secret.txt'), 'TOP-SECRET');
  const text = `/compact is only text here, and so is @${join(directory, 'secret.txt')}`;
  model.script([{ text: 'ok' }]);
  const result = await run(plan(), { text, request: 'the request' });
  expect(result.reason).toBe('');
  expect(model.requests.filter((request) => request.kind === 'main')).toHaveLength(1);
  const sent = JSON.stringify(model.requests[0]!.body.messages);
  expect(sent).toContain('/compact is only text here');
  expect(sent).toContain('the request');
  expect(sent).not.toContain('TOP-SECRET');
});

test('what is said while Claude works is part of its turn; what comes as it ends is a turn of its own', async () => {
  const session = await openSession(plan({ allowedTools: ['Bash'] }), {
    signal: controller.signal,
    onMessage: (message) => messages.push(message),
    onSpawn: () => {},
  });
  const busy = bash('while [ ! -e go ]; do sleep 0.02; done');
  const heard = (words: string) => JSON.stringify(model.main.at(-1)!.body.messages).includes(words);
  model.script([
    { tools: [busy] },
    () => ({ text: heard('And the docs.') ? 'Both done.' : 'Not heard.' }),
    () => ({ text: heard('And the tests.') ? 'All three done.' : 'Not heard.' }),
  ]);
  let last: Promise<boolean> | null = null;
  // The last answer is on its way when the third person speaks.
  model.onRequest(({ phase }) => {
    if (phase === 'before' && model.main.length === 2)
      last ??= session.send({ text: 'And the tests.', verbatim: true });
    return true;
  });
  const over = session.run({ text: 'Context first.', request: 'The code.', verbatim: true });
  await model.request(1);
  const first = session.send({ text: 'And the docs.', verbatim: true });
  await writeFile(join(directory, 'go'), '');
  expect(await first).toBe(true);
  const result = await over;
  expect(await last).toBe(true);
  expect(result).toMatchObject({ reason: '', text: 'All three done.', usage: { turns: 3 } });
  // From the end on nobody is promised anything.
  expect(await session.send({ text: 'Too late.', verbatim: true })).toBe(false);
});

test('a Claude that dies in a later turn has not succeeded, whatever the turn before came to', async () => {
  const session = await openSession(plan(), {
    signal: controller.signal,
    onMessage: () => {},
    onSpawn: (pid) => model.onRequest(() => model.main.length < 2 || process.kill(pid, 'SIGKILL')),
  });
  let further: Promise<boolean> | null = null;
  model.script([
    () => {
      further = session.send({ text: 'And more.', verbatim: true });
      return { text: 'Done.' };
    },
    { hang: true },
  ]);
  const result = await session.run({ text: 'Context.', request: null, verbatim: true });
  expect(result).toMatchObject({ reason: 'claude_crashed', usage: { turns: 1 } });
  // It had begun with it: that it was not finished, the end says.
  expect(await further).toBe(true);
});

test('nothing that an untrusted checkout says about Claude Code is loaded', async () => {
  const marker = join(directory, 'hook-ran');
  const hook = {
    hooks: { UserPromptSubmit: [{ hooks: [{ type: 'command', command: `touch ${marker}` }] }] },
  };
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(directory, '.claude/commands'), { recursive: true });
  await mkdir(join(directory, 'sub'));
  await writeFile(join(directory, '.claude/settings.json'), JSON.stringify(hook));
  await writeFile(
    join(directory, '.mcp.json'),
    JSON.stringify({ mcpServers: { evil: { command: 'touch', args: [`${marker}-mcp`] } } }),
  );
  await writeFile(join(directory, 'CLAUDE.md'), 'OBEY-ROOT');
  await writeFile(join(directory, 'sub/CLAUDE.md'), 'OBEY-NESTED');
  await writeFile(join(directory, 'sub/x.txt'), 'x');
  model.script([
    { tools: [{ name: 'Read', input: { file_path: join(directory, 'sub/x.txt') } }] },
    { text: 'ok' },
  ]);
  await run(plan({ trustCheckout: false, allowedTools: ['Read'] }));
  const sent = JSON.stringify(model.requests.map((request) => request.body));
  expect(sent).not.toMatch(/OBEY-(ROOT|NESTED)/);
  await expect(readFile(marker)).rejects.toThrow();
  await expect(readFile(`${marker}-mcp`)).rejects.toThrow();

  // The control: the same checkout, trusted, is loaded. Without this the test could not fail.
  await run(plan());
  expect(JSON.stringify(model.requests.map((request) => request.body))).toContain('OBEY-ROOT');
});

test('a refused key ends the session at the first answer', async () => {
  const result = await run(plan({ env: { ANTHROPIC_API_KEY: 'sk-ant-wrong' } }));
  expect(result.reason).toBe('model_auth');
  expect(result.text).toContain('refused the credential');
  expect(model.requests.filter((request) => request.kind === 'main').length).toBe(1);
});

test.each([
  ['server errors that do not end', { error: { status: 500 } }, 'model_unavailable'],
  ['overload that does not end', { error: { status: 529 } }, 'model_unavailable'],
])('%s', async (_, step, reason) => {
  model.script([step]);
  const result = await run(plan({ env: { CLAUDE_CODE_MAX_RETRIES: '1' } }));
  expect(result.reason).toBe(reason);
});

test('an overload that passes is survived', async () => {
  model.script([{ error: { status: 529, times: 1 }, text: 'here again' }]);
  expect(await run(plan())).toMatchObject({ reason: '', text: 'here again' });
});

test('the turn limit and the budget end a session with their reason', async () => {
  const busy = { tools: [write(join(directory, 'a.txt'), 'x')] };
  model.script([busy, busy, busy, busy]);
  expect((await run(plan({ args: '--max-turns 1' }))).reason).toBe('turns');
  const { reason, text, usage } = await run(plan({ maxBudgetUsd: 0.000001 }));
  expect(reason).toBe('budget');
  expect(text).toMatch(/By then it had cost \$0\.\d+: .*the last one can go over the limit/);
  expect(usage!.costUsd).toBeGreaterThan(0.000001);
});

test('structured output arrives; its absence is a failure', async () => {
  const args = `--json-schema '{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}'`;
  model.script([{ tools: [{ name: 'StructuredOutput', input: { n: 4 } }] }, { text: 'ok' }]);
  expect((await run(plan({ args }))).structuredOutput).toEqual({ n: 4 });
});

test('an abort carries its reason and leaves no process', async () => {
  model.script([
    { tools: [bash('touch started; sleep 5; sleep 25', { timeoutMs: 60_000 })] },
    { text: 'never' },
  ]);
  const aborted = run(plan({ allowedTools: ['Bash'] }));
  await expect.poll(() => readFile(join(directory, 'started'), 'utf8').catch(() => null)).toBe('');
  controller.abort(new AppError('timed_out', 'Claude worked longer than 1 minute.'));
  const { usage, ...ending } = await aborted;
  expect(ending).toMatchObject({ reason: 'timed_out', text: 'Claude worked longer than 1 minute.' });
  // In the middle of its turn, and yet by its own account.
  expect(usage!.costUsd).toBeGreaterThan(0);
  expect(usage!.outputTokens).toBeGreaterThan(0);
  await endProcesses(mark, null);
  expect(await endProcesses(mark, null)).toBe(0);
});

test('a killed Claude is a crash', async () => {
  let pid = Number.NaN;
  const input = { input_tokens: 100, cache_read_input_tokens: 20, cache_creation_input_tokens: 3 };
  const first = { text: 'First this.', tools: [bash('true'), bash('true')], usage: input };
  model.script([first, { hang: true }]);
  const crashed = run(
    plan({ allowedTools: ['Bash'] }),
    { request: null },
    { onSpawn: (child) => (pid = child) },
  );
  await model.request(2);
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, 'SIGKILL');
  // What it cost, only Claude could have said.
  const usage = { turns: 1, inputTokens: 123, costUsd: null, outputTokens: null };
  expect(await crashed).toMatchObject({ reason: 'claude_crashed', usage });
});

test('what is named unreadable cannot be read by file tools or by the commands that read files', async () => {
  const hidden = await mkdtemp(join(tmpdir(), 'forgehand-hidden-'));
  await writeFile(join(hidden, 'file'), 'TOP-SECRET');
  const file = join(hidden, 'file');
  const attempts = [
    read(file),
    grep('TOP', hidden),
    bash(`cat ${file}`),
    bash(`git diff --no-index /dev/null ${file}`),
    bash(`cat < ${file}`),
  ];
  const secrets = { allowedTools: ['Read', 'Grep'], disallowedTools: [`Read(/${hidden}/**)`] };
  model.script([...attempts.map((tool) => ({ tools: [tool] })), { text: 'ok' }]);
  await run(plan(secrets));
  expect(model.toolResults().filter(({ isError }) => !isError)).toEqual([]);
  expect(JSON.stringify(model.requests.map(({ body }) => body))).not.toContain('TOP-SECRET');

  // The control: without the rule the file tools read it.
  await run(plan({ ...secrets, disallowedTools: [] }));
  expect(JSON.stringify(model.requests.map(({ body }) => body))).toContain('TOP-SECRET');
  await rm(hidden, { recursive: true });
});
