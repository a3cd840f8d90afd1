import { describe, expect, test } from 'vitest';
import { allowedEnvironment, fixedEnvironment } from './environment.ts';

/** The names of those variables that reach Claude when every one is set. */
const reaching = (names: string, platform: NodeJS.Platform = 'linux') =>
  Object.keys(
    allowedEnvironment(
      Object.fromEntries(
        names
          .trim()
          .split(/\s+/)
          .map((name) => [name, 'x']),
      ),
      platform,
    ),
  );

describe('what Claude must never see', () => {
  test.each<[string, string]>([
    [
      'GitHub tokens',
      'GITHUB_TOKEN GH_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITHUB_PAT GITHUB_APP_PRIVATE_KEY',
    ],
    [
      'the way to an OIDC token, to caches and artefacts',
      'ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_RUNTIME_TOKEN ACTIONS_RUNTIME_URL ACTIONS_CACHE_URL ACTIONS_RESULTS_URL',
    ],
    [
      "the action's own inputs, secrets among them",
      'INPUT_GITHUB_TOKEN INPUT_ANTHROPIC_API_KEY INPUT_APP_PRIVATE_KEY INPUT_PROMPT',
    ],
    [
      "the runner's command files, by which a step changes the next",
      'GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE GITHUB_STEP_SUMMARY',
    ],
    ['what main keeps for post', 'STATE_token STATE_comment'],
    ["the runner's own places", 'RUNNER_TEMP RUNNER_TOOL_CACHE GITHUB_EVENT_PATH RUNNER_WORKSPACE'],
    [
      'secrets of other tools',
      'NPM_TOKEN NODE_AUTH_TOKEN npm_config__authToken DOCKER_PASSWORD SSH_AUTH_SOCK GIT_ASKPASS GIT_CONFIG_GLOBAL DATABASE_URL',
    ],
    ['what changes how programs load code', 'NODE_OPTIONS LD_PRELOAD BASH_ENV ENV'],
    [
      'traces of a session that the job itself runs in',
      'CLAUDE_CODE_SSE_PORT CLAUDE_CODE_SESSION_ID CLAUDE_CODE_ENTRYPOINT',
    ],
    [
      'names that only begin like an allowed one',
      'PATH_TO_SECRET HOMEPAGE_TOKEN CI_JOB_TOKEN GITHUB_REPOSITORY_TOKEN',
    ],
  ])('%s', (_, names) => {
    expect(reaching(names)).toEqual([]);
  });
});

describe('what reaches Claude', () => {
  test.each<[string, string]>([
    ['the machine', 'PATH HOME USER SHELL TERM TZ TMPDIR LANG LC_ALL'],
    [
      'facts of the job',
      'CI GITHUB_ACTIONS GITHUB_REPOSITORY GITHUB_SHA GITHUB_REF_NAME GITHUB_RUN_ID GITHUB_SERVER_URL RUNNER_OS',
    ],
    [
      'tool chains that set-up actions announce',
      'JAVA_HOME JAVA_HOME_21_X64 GOROOT pythonLocation DOTNET_ROOT CARGO_HOME NODE_VERSION',
    ],
    ['the way out', 'HTTPS_PROXY https_proxy NO_PROXY NODE_EXTRA_CA_CERTS SSL_CERT_FILE'],
    [
      'the model',
      'ANTHROPIC_API_KEY ANTHROPIC_BASE_URL ANTHROPIC_CUSTOM_HEADERS ANTHROPIC_MODEL ANTHROPIC_DEFAULT_OPUS_MODEL CLAUDE_CODE_OAUTH_TOKEN',
    ],
    [
      'Bedrock',
      'CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_SKIP_BEDROCK_AUTH ANTHROPIC_BEDROCK_BASE_URL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    ],
    [
      'Vertex',
      'CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_SKIP_VERTEX_AUTH ANTHROPIC_VERTEX_PROJECT_ID ANTHROPIC_VERTEX_BASE_URL CLOUD_ML_REGION VERTEX_REGION_CLAUDE_4_5_SONNET GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT',
    ],
    [
      'Foundry',
      'CLAUDE_CODE_USE_FOUNDRY ANTHROPIC_FOUNDRY_RESOURCE ANTHROPIC_FOUNDRY_BASE_URL ANTHROPIC_FOUNDRY_API_KEY ANTHROPIC_FOUNDRY_AUTH_TOKEN AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_FEDERATED_TOKEN_FILE',
    ],
    [
      'other providers',
      'CLAUDE_CODE_USE_ANTHROPIC_AWS CLAUDE_CODE_USE_MANTLE CLAUDE_CODE_USE_GATEWAY ANTHROPIC_AWS_API_KEY ANTHROPIC_AWS_WORKSPACE_ID',
    ],
    [
      'limits and telemetry',
      'API_TIMEOUT_MS BASH_DEFAULT_TIMEOUT_MS MCP_TIMEOUT MCP_TOOL_TIMEOUT MAX_MCP_OUTPUT_TOKENS CLAUDE_CODE_MAX_OUTPUT_TOKENS CLAUDE_CODE_ENABLE_TELEMETRY OTEL_METRICS_EXPORTER OTEL_EXPORTER_OTLP_HEADERS',
    ],
  ])('%s', (_, names) => {
    expect(reaching(names)).toEqual(names.split(' '));
  });
});

test('values pass as they are; unset and empty ones stay unset, as some credential chains break on an empty one', () => {
  const job = {
    PATH: '/usr/bin',
    AWS_REGION: '',
    AWS_PROFILE: undefined,
    ANTHROPIC_CUSTOM_HEADERS: 'a: 1\nb: 2',
  };
  expect(allowedEnvironment(job)).toEqual({ PATH: '/usr/bin', ANTHROPIC_CUSTOM_HEADERS: 'a: 1\nb: 2' });
});

test('Windows spells names as it likes', () => {
  expect(reaching('Path SystemRoot ComSpec ProgramFiles', 'win32')).toEqual([
    'Path',
    'SystemRoot',
    'ComSpec',
    'ProgramFiles',
  ]);
  expect(reaching('Github_Token Actions_Runtime_Token claude_code_sse_port', 'win32')).toEqual([]);
  expect(reaching('Path', 'linux')).toEqual([]);
});

test('what Forgehand sets itself is no credential, and names the caller', () => {
  expect(fixedEnvironment).toMatchObject({ CLAUDE_CODE_ENTRYPOINT: 'forgehand', DISABLE_AUTOUPDATER: '1' });
  expect(Object.keys(fixedEnvironment).filter((name) => /TOKEN|KEY|SECRET/.test(name))).toEqual([]);
});
