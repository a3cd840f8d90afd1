import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fencedEnvironment, modelPlace } from './fence-environment.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fence-environment-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const inside = (environment: Record<string, string>) =>
  fencedEnvironment(environment, modelPlace(environment), { home: '/fence/home', temp: '/fence/tmp' });

test.each([
  ['ANTHROPIC_API_KEY', { apiKey: 'the-secret', bearer: null }],
  ['CLAUDE_CODE_OAUTH_TOKEN', { apiKey: null, bearer: 'the-secret' }],
  ['ANTHROPIC_AUTH_TOKEN', { apiKey: null, bearer: 'the-secret' }],
])('%s stays outside, and a placeholder says which kind there is', (name, access) => {
  const environment = {
    [name]: 'the-secret',
    ANTHROPIC_BASE_URL: 'https://gateway.example/anthropic',
    ANTHROPIC_CUSTOM_HEADERS: 'X-Tenant: the-secret-tenant\nX-Other: 2',
    HTTPS_PROXY: 'http://user:the-secret@proxy.example:8080',
  };
  expect(modelPlace(environment).access).toEqual({
    ...access,
    baseUrl: 'https://gateway.example/anthropic',
    headers: { 'x-tenant': 'the-secret-tenant', 'x-other': '2' },
  });
  const seen = inside(environment);
  expect(JSON.stringify(seen)).not.toContain('the-secret');
  expect(seen).toMatchObject({
    [name]: 'placeholder-the-host-adds-the-credential',
    ANTHROPIC_UNIX_SOCKET: '/run/forgehand/model.sock',
    HTTPS_PROXY: 'http://127.0.0.1:3128',
    HOME: '/fence/home',
    CLAUDE_CONFIG_DIR: '/fence/home/.claude',
  });
});

test.each([
  [
    { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'eu-west-1', AWS_SECRET_ACCESS_KEY: 's' },
    'bedrock-runtime.eu-west-1.amazonaws.com:443',
  ],
  [{ CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'cn-north-1' }, 'sts.cn-north-1.amazonaws.com.cn:443'],
  [
    { CLAUDE_CODE_USE_BEDROCK: '1', ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION: 'us-west-2' },
    'bedrock-runtime.us-west-2.amazonaws.com:443',
  ],
  [{ CLAUDE_CODE_USE_VERTEX: '1', CLOUD_ML_REGION: 'us-east5' }, 'us-east5-aiplatform.googleapis.com:443'],
  [{ CLAUDE_CODE_USE_FOUNDRY: '1', ANTHROPIC_FOUNDRY_RESOURCE: 'ours' }, 'ours.services.ai.azure.com:443'],
  [
    { CLAUDE_CODE_USE_BEDROCK: 'true', ANTHROPIC_BEDROCK_BASE_URL: 'https://bedrock.example:8443/x' },
    'bedrock.example:8443',
  ],
  [{ ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_1' }, 'api.anthropic.com:443'],
  [
    { ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_1', ANTHROPIC_BASE_URL: 'https://gateway.example/x' },
    'gateway.example:443',
  ],
] as const)(
  '%j: the documented exception; credentials stay inside and the provider’s hosts are listed',
  (environment, host) => {
    const place = modelPlace(environment);
    expect(place.access).toBeNull();
    expect(place.egress).toContain(host);
    expect(inside(environment)).toMatchObject(environment);
    expect(inside(environment)).not.toHaveProperty('ANTHROPIC_UNIX_SOCKET');
  },
);

test('files of the provider’s credentials are named, where they are', () => {
  mkdirSync(join(home, '.aws'));
  writeFileSync(join(home, '.aws/credentials'), '');
  const environment = { CLAUDE_CODE_USE_BEDROCK: '1', HOME: home, AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere' };
  expect(modelPlace(environment).files).toEqual({
    AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws/credentials'),
  });
});

test('Google’s workload identity asks where its file says', () => {
  const file = join(home, 'gha-creds.json');
  const source = { url: 'https://run-actions-1.actions.githubusercontent.com/1//idtoken/2?x=3', headers: {} };
  const egressWith = (text: string) => {
    writeFileSync(file, text);
    return modelPlace({ CLAUDE_CODE_USE_VERTEX: '1', GOOGLE_APPLICATION_CREDENTIALS: file }).egress;
  };
  const usual = egressWith('no JSON');
  const asked = egressWith(JSON.stringify({ type: 'external_account', credential_source: source }));
  expect(asked).toEqual([...usual, 'run-actions-1.actions.githubusercontent.com:443']);
  // A key names hosts as well, which serve all of Google's customers.
  expect(egressWith(JSON.stringify({ auth_uri: 'https://accounts.google.com/o/oauth2/auth' }))).toEqual(
    usual,
  );
});

test('what federation gives is kept in the fence’s own home; a key beside it is what counts', () => {
  const federated = { ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_1', ANTHROPIC_CONFIG_DIR: '/runner/scratch' };
  expect(inside(federated).ANTHROPIC_CONFIG_DIR).toMatch(/\/\.config\/anthropic$/);
  expect(inside(federated).ANTHROPIC_CONFIG_DIR).not.toContain('/runner');
  expect(modelPlace({ ...federated, ANTHROPIC_API_KEY: 'k' }).access).toMatchObject({ apiKey: 'k' });
});
