/** The job's variables that reach Claude Code: a list kept here, as workflows count on each of them. */
import { expect, test } from 'vitest';
import { claudeSettings } from '../../src/engine/claude.ts';
import type { Door } from '../../src/engine/door.ts';
import { readConfig } from '../../src/words/config.ts';
import type { Task } from '../../src/words/task.ts';

const variables = `
  ANTHROPIC_API_KEY CLAUDE_CODE_OAUTH_TOKEN ANTHROPIC_BASE_URL ANTHROPIC_CUSTOM_HEADERS ANTHROPIC_MODEL
  AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK
  ANTHROPIC_BEDROCK_BASE_URL
  ANTHROPIC_VERTEX_PROJECT_ID CLOUD_ML_REGION GOOGLE_APPLICATION_CREDENTIALS ANTHROPIC_VERTEX_BASE_URL
  VERTEX_REGION_CLAUDE_3_5_HAIKU VERTEX_REGION_CLAUDE_3_5_SONNET VERTEX_REGION_CLAUDE_3_7_SONNET
  ANTHROPIC_FOUNDRY_RESOURCE ANTHROPIC_FOUNDRY_BASE_URL
  ANTHROPIC_DEFAULT_SONNET_MODEL ANTHROPIC_DEFAULT_HAIKU_MODEL ANTHROPIC_DEFAULT_OPUS_MODEL
  MCP_TIMEOUT MCP_TOOL_TIMEOUT MAX_MCP_OUTPUT_TOKENS NODE_VERSION
  CLAUDE_CODE_ENABLE_TELEMETRY OTEL_METRICS_EXPORTER OTEL_LOGS_EXPORTER OTEL_EXPORTER_OTLP_PROTOCOL
  OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_HEADERS OTEL_METRIC_EXPORT_INTERVAL OTEL_LOGS_EXPORT_INTERVAL
  OTEL_RESOURCE_ATTRIBUTES
  CLAUDE_CODE_SUBPROCESS_ENV_SCRUB CLAUDE_CODE_SCRIPT_CAPS`
  .trim()
  .split(/\s+/);

/** Claude's environment in a job with these variables; a gateway's token is the credential unless one is among them. */
function environmentOf(job: Record<string, string>): Record<string, string> {
  const door = {
    config: readConfig(() => undefined).config,
    job: { ANTHROPIC_AUTH_TOKEN: 'of-a-gateway', ...job },
    ...{ scratch: '/runner/_temp/scratch', temp: '/runner/_temp', mark: 'mark', addSecret: () => {} },
  } as unknown as Door;
  const task = { mode: 'agent', subject: null, trigger: { kind: 'prompt' } } as unknown as Task;
  return claudeSettings({ door, task, github: null }).environment;
}

test.each(variables)('%s reaches Claude Code as it is, and is nothing where it is unset or empty', (name) => {
  expect(environmentOf({ [name]: 'of the job' })).toHaveProperty(name, 'of the job');
  expect(environmentOf({ [name]: '' })).not.toHaveProperty(name);
  expect(environmentOf({})).not.toHaveProperty(name);
});

test('nothing is ever empty', () => {
  const job = Object.fromEntries(variables.map((name) => [name, '']));
  expect(Object.values(environmentOf(job))).not.toContain('');
});

test('Claude Code is told who calls it', () => {
  expect(environmentOf({})).toMatchObject({ CLAUDE_CODE_ACTION: '1', CLAUDE_CODE_ENTRYPOINT: 'forgehand' });
});
