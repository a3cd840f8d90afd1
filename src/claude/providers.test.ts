/** Cloud providers as the real Claude Code asks them, from inputs and the job's variables to the request. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { readConfig } from '../words/config.ts';
import { runMark } from '../words/mark.ts';
import { parseClaudeArguments } from './arguments.ts';
import { chooseCredential } from './credential.ts';
import { allowedEnvironment, fixedEnvironment } from './environment.ts';
import { endProcesses } from './process.ts';
import { openSession } from './session.ts';

let root: string;
let provider: Server;
let url: string;
const mark = crypto.randomUUID();
const asked: { path: string; headers: IncomingMessage['headers'] }[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'forgehand-provider-'));
  asked.length = 0;
  provider = createServer((request, response) => {
    asked.push({ path: decodeURIComponent(request.url ?? ''), headers: request.headers });
    request.resume();
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        message: 'Not for you.',
        error: { type: 'permission_error', message: 'Not for you.' },
      }),
    );
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await endProcesses(mark, null);
  provider.closeAllConnections();
  provider.close();
  await rm(root, { recursive: true, force: true });
});

/** Asks once as a job would; the answer is always no. */
async function ask(inputs: Record<string, string>, job: Record<string, string>) {
  const { config } = readConfig((name) => inputs[name]);
  const credential = chooseCredential(config, job);
  const given = allowedEnvironment({ PATH: process.env.PATH!, HOME: root, ...job });
  for (const name of credential.unset) delete given[name];
  const session = await openSession(
    {
      executable: claudeBinary(),
      directory: root,
      scratch: root,
      environment: { ...given, ...fixedEnvironment, ...credential.set, [runMark]: mark },
      mark,
      arguments: parseClaudeArguments('--model claude-sonnet-4-5'),
      permissionMode: 'default',
      allowedTools: [],
      disallowedTools: [],
      trustCheckout: true,
      settings: '',
      maxBudgetUsd: null,
      servers: [],
      systemAppend: null,
      fence: null,
    },
    { signal: new AbortController().signal, onMessage: () => {}, onSpawn: () => {} },
  );
  return session.run({ text: 'Hello.', request: null, verbatim: true });
}

const stream = /^\/model\/.*claude-sonnet-4-5.*\/invoke-with-response-stream/;
const keys = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };

test.each<[string, string, () => Record<string, string>, RegExp, Record<string, RegExp>]>([
  [
    'Bedrock with static keys',
    'use_bedrock',
    () => ({ ...keys, AWS_SESSION_TOKEN: '', AWS_PROFILE: '', ANTHROPIC_BEDROCK_BASE_URL: url }),
    stream,
    { authorization: /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d+\/eu-west-1\/bedrock\// },
  ],
  [
    'Bedrock with a session',
    'use_bedrock',
    () => ({ ...keys, AWS_SESSION_TOKEN: 'of-the-role', ANTHROPIC_BEDROCK_BASE_URL: url }),
    stream,
    { authorization: /^AWS4-HMAC-SHA256/, 'x-amz-security-token': /^of-the-role$/ },
  ],
  [
    'Bedrock with a bearer token',
    'use_bedrock',
    () => ({
      ...{ AWS_REGION: 'eu-west-1', AWS_BEARER_TOKEN_BEDROCK: 'of-bedrock' },
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', ANTHROPIC_BEDROCK_BASE_URL: url },
    }),
    stream,
    { authorization: /^Bearer of-bedrock$/ },
  ],
  [
    'Vertex',
    'use_vertex',
    () => ({
      ...{
        ANTHROPIC_VERTEX_PROJECT_ID: 'octo',
        CLOUD_ML_REGION: 'europe-west1',
        GOOGLE_APPLICATION_CREDENTIALS: '',
      },
      ...{ CLAUDE_CODE_SKIP_VERTEX_AUTH: '1', ANTHROPIC_VERTEX_BASE_URL: url },
    }),
    /^\/projects\/octo\/locations\/europe-west1\/publishers\/anthropic\/models\/claude-sonnet-4-5.*:streamRawPredict/,
    {},
  ],
  [
    'Foundry',
    'use_foundry',
    () => ({
      ...{ ANTHROPIC_FOUNDRY_API_KEY: 'of-foundry', ANTHROPIC_FOUNDRY_BASE_URL: url },
      ...{ ANTHROPIC_FOUNDRY_RESOURCE: '', ANTHROPIC_FOUNDRY_AUTH_TOKEN: '' },
    }),
    /^\/v1\/messages/,
    { 'x-api-key': /^of-foundry$/ },
  ],
])('%s is asked with what the job has; its no ends the run at once', async (_, input, job, path, headers) => {
  // A key that is there as well goes nowhere.
  const result = await ask({ [input]: 'true' }, { ...job(), ANTHROPIC_API_KEY: 'sk-ant-other' });
  expect(result).toMatchObject({ reason: 'model_auth' });
  // Claude Code also tries out which models Bedrock has for the account.
  const main = asked.filter((request) => path.test(request.path));
  expect(main, JSON.stringify(asked.map((request) => request.path))).toHaveLength(1);
  for (const [name, value] of Object.entries(headers)) expect(main[0]!.headers[name]).toMatch(value);
  expect(JSON.stringify(asked)).not.toContain('sk-ant-other');
});
