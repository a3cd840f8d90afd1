/** The scripted Claude against the real Claude Code binary, through the real Agent SDK. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSdkMcpServer,
  type Options,
  query,
  type SDKMessage,
  tool,
} from '@anthropic-ai/claude-agent-sdk';
import { afterAll, afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { claudeBinary, claudeEnvironment } from './environment.ts';
import { type ModelOptions, type ScriptedModel, startModel } from './model.ts';
import { mcp, write } from './tools.ts';

const root = mkdtempSync(join(tmpdir(), 'scripted-claude-'));
const started: ScriptedModel[] = [];
afterEach(async () => {
  for (const model of started.splice(0)) await model.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

async function start(options: ModelOptions): Promise<ScriptedModel> {
  const model = await startModel(options);
  started.push(model);
  return model;
}

interface Session {
  prompt?: string;
  key?: string;
  retries?: string;
  options?: Options;
  /** Sees every message as it comes. */
  onMessage?: (message: SDKMessage) => void;
}

/** Runs one session to its end; an error that the iterator throws after its result is part of the outcome. */
async function run(
  model: ScriptedModel,
  { prompt = 'Say hello', key, retries, options, onMessage }: Session = {},
) {
  const cwd = mkdtempSync(join(root, 'work-'));
  const messages: SDKMessage[] = [];
  let error: unknown;
  const session = query({
    prompt,
    options: {
      cwd,
      env: claudeEnvironment({ url: model.url, key: key ?? model.key }, join(root, 'home'), {
        ...(retries ? { CLAUDE_CODE_MAX_RETRIES: retries } : {}),
      }),
      pathToClaudeCodeExecutable: claudeBinary(),
      settingSources: [],
      permissionMode: 'bypassPermissions',
      allowDangerouslySkipPermissions: true,
      ...options,
    },
  });
  try {
    for await (const message of session) {
      messages.push(message);
      onMessage?.(message);
    }
  } catch (thrown) {
    error = thrown;
  }
  const result = messages.findLast((message) => message.type === 'result');
  const retried = messages.filter((message) => message.type === 'system' && message.subtype === 'api_retry');
  return { cwd, messages, result, retried, error };
}

test('a text turn costs something and is in the log', async () => {
  const model = await start({
    steps: [{ thinking: 'They want a greeting.', text: 'Hello — 👋 there', chunkDelayMs: 1 }],
  });
  const { result } = await run(model, { prompt: 'Greet me' });
  expect(result).toMatchObject({
    subtype: 'success',
    is_error: false,
    result: 'Hello — 👋 there',
    num_turns: 1,
  });
  expect(result?.total_cost_usd).toBeGreaterThan(0);
  expect(model.firstPrompt()).toMatchObject([{ type: 'text', text: 'Greet me' }]);
  expect(model.tools()).toContain('Bash');
  expect(model.systemPrompt()).toContain('Claude');
  expect(model.requests[0]?.session).toBe(result?.session_id);
  expect(model.firstRequestAt).toBe(model.requests[0]?.at);
});

test('a tool turn writes a file, and a computed step reads what the tool said', async () => {
  const model = await start({});
  const path = join(mkdtempSync(join(root, 'target-')), 'note.md');
  model.script([
    { text: 'Writing it.', tools: [write(path, '# Note\n"quoted" — ünïcode\n')] },
    (request) => ({ text: `The tool said: ${request.toolResults()[0]?.text}` }),
  ]);
  const { result } = await run(model);
  expect(readFileSync(path, 'utf8')).toBe('# Note\n"quoted" — ünïcode\n');
  expect(result).toMatchObject({
    subtype: 'success',
    result: expect.stringMatching(/^The tool said: .*note\.md/s),
  });
  expect(model.toolResults()).toMatchObject([{ tool: 'Write', isError: false }]);
});

test('an in-process MCP tool is called with the input of the script', async () => {
  const bodies: string[] = [];
  const model = await start({
    steps: [
      { tools: [mcp('github_comment', 'update_claude_comment', { body: '- [x] done' })] },
      { text: 'Updated.' },
    ],
  });
  const update = tool(
    'update_claude_comment',
    'Updates the comment',
    { body: z.string() },
    async ({ body }) => {
      bodies.push(body);
      return { content: [{ type: 'text', text: `comment has ${body.length} characters` }] };
    },
  );
  const server = createSdkMcpServer({
    name: 'github_comment',
    version: '1.0.0',
    tools: [update],
    alwaysLoad: true,
  });
  const { result } = await run(model, { options: { mcpServers: { github_comment: server } } });
  expect(result).toMatchObject({ subtype: 'success', result: 'Updated.' });
  expect(bodies).toEqual(['- [x] done']);
  expect(model.toolResults()[0]).toMatchObject({
    tool: 'mcp__github_comment__update_claude_comment',
    text: 'comment has 10 characters',
  });
});

test('scripts are told apart by the first words, also in sessions at once and without tools', async () => {
  const model = await start({ steps: [{ text: 'default' }] });
  model.when('first', [{ text: 'one' }]);
  model.when(/second/i, [{ text: 'two' }]);
  const prompts = ['the first', 'The SECOND', 'other'];
  const outcomes = await Promise.all(prompts.map((prompt) => run(model, { prompt, options: { tools: [] } })));
  expect(outcomes.map(({ result }) => result)).toMatchObject([
    { result: 'one' },
    { result: 'two' },
    { result: 'default' },
  ]);
});

test('an overloaded API is retried on the same step until it answers', async () => {
  const model = await start({ steps: [{ error: { status: 529, times: 2 }, text: 'Third time lucky.' }] });
  const { result, retried } = await run(model);
  expect(result).toMatchObject({ subtype: 'success', is_error: false, result: 'Third time lucky.' });
  expect(retried).toMatchObject([{ error_status: 529 }, { error_status: 529 }]);
  expect(await model.request(3)).toMatchObject({ turn: 0 });
});

test('a wrong key is refused', async () => {
  const model = await start({ expectedKey: 'sk-ant-api03-right' });
  const { result, retried } = await run(model, { key: 'sk-ant-api03-wrong', retries: '1' });
  expect(result).toMatchObject({ is_error: true, api_error_status: 401 });
  expect(retried).toMatchObject([{ error: 'authentication_failed' }]);
});

test('a stream that is cut is asked for again', async () => {
  const model = await start({
    steps: [{ text: 'A sentence that is long enough to be cut half way.', cut: true }],
  });
  const { result } = await run(model);
  expect(result).toMatchObject({
    is_error: false,
    result: 'A sentence that is long enough to be cut half way.',
  });
  expect(model.main).toHaveLength(2);
});

test('a model that hangs can be aborted', async () => {
  const model = await start({ steps: [{ hang: true }] });
  const abortController = new AbortController();
  const running = run(model, { options: { abortController } });
  await model.request(1);
  abortController.abort();
  const { result, error } = await running;
  expect(result).toBeUndefined();
  expect(String(error)).toMatch(/abort/i);
});

test('a request that does not come is named with what did', async () => {
  const model = await start({});
  await fetch(`${model.url}/v1/models`);
  await expect(model.request(1, { timeoutMs: 20 })).rejects.toThrow(
    'Request 1 to the model did not come within 20 ms. Received: side GET /v1/models turn 0.',
  );
});

test('the API answers without streaming, counts tokens and names script errors', async () => {
  const model = await start({
    steps: [
      () => {
        throw new Error('no idea');
      },
    ],
  });
  const ask = async (path: string, body: unknown) => {
    const response = await fetch(`${model.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  const messages = [{ role: 'user', content: 'hi' }];
  expect(await ask('/v1/messages/count_tokens', { messages })).toMatchObject({
    body: { input_tokens: expect.any(Number) },
  });
  expect(await ask('/v1/messages', { messages, tools: [{ name: 'Bash' }] })).toMatchObject({
    status: 400,
    body: { error: { type: 'invalid_request_error', message: 'script failed: Error: no idea' } },
  });
  model.script([{ text: 'plain' }]);
  expect(await ask('/v1/messages', { messages, tools: [{ name: 'Bash' }] })).toMatchObject({
    status: 200,
    body: { content: [{ type: 'text', text: 'plain' }], stop_reason: 'end_turn' },
  });
});

test('an OAuth token, a rate limit and a stream that never ends look as they do at Anthropic', async () => {
  const model = await start({
    expectedKey: 'sk-ant-oat01-right',
    steps: [{ error: { status: 429, times: 1, retryAfter: 2 }, text: 'Half an answer', hang: true }],
  });
  const ask = (key: string) =>
    fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
        tools: [{ name: 'Bash' }],
      }),
    });
  const refused = await ask('sk-ant-oat01-wrong');
  expect([refused.status, await refused.json()]).toMatchObject([
    401,
    { error: { message: 'Invalid bearer token' } },
  ]);
  const limited = await ask('sk-ant-oat01-right');
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2']);
  const stream = (await ask('sk-ant-oat01-right')).body!.pipeThrough(new TextDecoderStream()).getReader();
  let received = '';
  while (!received.includes('content_block_stop')) received += (await stream.read()).value;
  expect(
    await Promise.race([stream.read(), new Promise((done) => setTimeout(done, 100, 'nothing more'))]),
  ).toBe('nothing more');
});
