import { describe, expect, test } from 'vitest';
import { readConfig } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import { chooseCredential } from './credential.ts';

/** Chooses from inputs as a workflow writes them, and the job's environment. */
const choose = (inputs: Record<string, string>, job: Record<string, string> = {}) =>
  chooseCredential(readConfig((name) => inputs[name]).config, job);

const key = 'sk-ant-key-of-the-input';
const oauth = 'sk-ant-oat-of-the-input';

describe('one credential is chosen, and no other reaches Claude', () => {
  test.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
    ['API key by input', { anthropic_api_key: key }, {}, { ANTHROPIC_API_KEY: key }],
    ['API key by environment', {}, { ANTHROPIC_API_KEY: key }, { ANTHROPIC_API_KEY: key }],
    ['OAuth token by input', { claude_code_oauth_token: oauth }, {}, { CLAUDE_CODE_OAUTH_TOKEN: oauth }],
    [
      'OAuth token by environment',
      {},
      { CLAUDE_CODE_OAUTH_TOKEN: oauth },
      { CLAUDE_CODE_OAUTH_TOKEN: oauth },
    ],
    [
      'the input wins over the environment',
      { anthropic_api_key: key },
      { ANTHROPIC_API_KEY: 'other' },
      { ANTHROPIC_API_KEY: key },
    ],
    [
      'a line break after a pasted key goes',
      {},
      { ANTHROPIC_API_KEY: `${key}\n` },
      { ANTHROPIC_API_KEY: key },
    ],
    ['Bedrock by input', { use_bedrock: 'true' }, {}, { CLAUDE_CODE_USE_BEDROCK: '1' }],
    ['Vertex by input', { use_vertex: 'true' }, {}, { CLAUDE_CODE_USE_VERTEX: '1' }],
    ['Foundry by input', { use_foundry: 'true' }, {}, { CLAUDE_CODE_USE_FOUNDRY: '1' }],
    ['a provider by environment', {}, { CLAUDE_CODE_USE_VERTEX: '1' }, { CLAUDE_CODE_USE_VERTEX: '1' }],
    [
      'the same as workflows write it',
      {},
      { CLAUDE_CODE_USE_BEDROCK: 'true' },
      { CLAUDE_CODE_USE_BEDROCK: '1' },
    ],
    [
      'a provider wins over a key that is there as well',
      { use_bedrock: 'true', anthropic_api_key: key },
      {},
      { CLAUDE_CODE_USE_BEDROCK: '1' },
    ],
    [
      'a provider said twice',
      { use_bedrock: 'true' },
      { CLAUDE_CODE_USE_BEDROCK: '1' },
      { CLAUDE_CODE_USE_BEDROCK: '1' },
    ],
    [
      'a provider that is switched off',
      { anthropic_api_key: key },
      { CLAUDE_CODE_USE_BEDROCK: '0' },
      { ANTHROPIC_API_KEY: key },
    ],
    [
      "a gateway's own token stays where it is",
      {},
      { ANTHROPIC_BASE_URL: 'http://gateway', ANTHROPIC_AUTH_TOKEN: 't' },
      {},
    ],
    [
      "a workload's own identity, which it renews itself",
      { anthropic_federation_rule_id: 'fdrl_1', anthropic_organization_id: 'o' },
      { ANTHROPIC_IDENTITY_TOKEN_FILE: '/var/run/token' },
      { ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_1', ANTHROPIC_ORGANIZATION_ID: 'o' },
    ],
  ])('%s', (_, inputs, job, set) => {
    const credential = choose(inputs, job);
    expect(credential.set).toEqual(set);
    expect(credential.warnings).toEqual([]);
    expect(credential.identity).toBeNull();
    const others = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'].filter((name) => !(name in set));
    expect(credential.unset).toEqual(others);
  });
});

describe('workload identity federation', () => {
  const rule = { anthropic_federation_rule_id: 'fdrl_1', anthropic_organization_id: 'org-1' };
  const runner = { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://issuer', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'r' };

  test('is used when there is nothing else: what to exchange for, and whom the token is for', () => {
    const credential = choose(
      { ...rule, anthropic_service_account_id: 'svac_1', anthropic_workspace_id: 'wrkspc_1' },
      runner,
    );
    expect(credential).toMatchObject({
      set: {
        ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_1',
        ANTHROPIC_ORGANIZATION_ID: 'org-1',
        ANTHROPIC_SERVICE_ACCOUNT_ID: 'svac_1',
        ANTHROPIC_WORKSPACE_ID: 'wrkspc_1',
      },
      unset: ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'],
      identity: { audience: 'https://api.anthropic.com' },
      warnings: [],
    });
  });

  test('counts by environment too, and its audience may be another', () => {
    const job = { ...runner, ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_2', ANTHROPIC_ORGANIZATION_ID: 'org-2' };
    expect(choose({ anthropic_oidc_audience: 'https://gateway' }, job)).toMatchObject({
      set: { ANTHROPIC_FEDERATION_RULE_ID: 'fdrl_2', ANTHROPIC_ORGANIZATION_ID: 'org-2' },
      identity: { audience: 'https://gateway' },
    });
  });

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['a key', { anthropic_api_key: key }, {}],
    ['an OAuth token', { claude_code_oauth_token: oauth }, {}],
    ["a gateway's token", {}, { ANTHROPIC_AUTH_TOKEN: 't' }],
  ])('gives way to %s, with a warning', (_, inputs, job) => {
    const credential = choose({ ...rule, ...inputs }, { ...runner, ...job });
    expect(credential.identity).toBeNull();
    expect(credential.set).not.toHaveProperty('ANTHROPIC_FEDERATION_RULE_ID');
    expect(credential.warnings).toEqual([expect.stringMatching(/^Several model credentials were given; /)]);
  });
});

test('of several direct ones the first counts, with a warning that shows none of them', () => {
  const credential = choose({ anthropic_api_key: key, claude_code_oauth_token: oauth });
  expect(credential).toMatchObject({ set: { ANTHROPIC_API_KEY: key }, unset: ['CLAUDE_CODE_OAUTH_TOKEN'] });
  expect(credential.warnings).toEqual(['Several model credentials were given; ANTHROPIC_API_KEY is used.']);
});

describe('what cannot work is an error that names what is missing', () => {
  test.each<[string, Record<string, string>, Record<string, string>, { reason: string; message: RegExp }]>([
    ['nothing', {}, {}, { reason: 'model_auth', message: /no credential for the model/ }],
    [
      'empty values',
      { anthropic_api_key: '  ' },
      { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: ' ' },
      { reason: 'model_auth', message: /no credential/ },
    ],
    [
      'a gateway without a token',
      {},
      { ANTHROPIC_BASE_URL: 'http://gateway' },
      { reason: 'model_auth', message: /no credential/ },
    ],
    [
      'federation without its organization',
      { anthropic_federation_rule_id: 'fdrl_1' },
      {},
      { reason: 'model_auth', message: /federation needs `anthropic_organization_id` as well/ },
    ],
    [
      'federation without its rule',
      { anthropic_organization_id: 'o' },
      {},
      { reason: 'model_auth', message: /federation needs `anthropic_federation_rule_id` as well/ },
    ],
    [
      'federation in a job without an identity',
      { anthropic_federation_rule_id: 'fdrl_1', anthropic_organization_id: 'o' },
      {},
      { reason: 'model_auth', message: /federation needs the OIDC token of the job/ },
    ],
    [
      'two providers',
      { use_bedrock: 'true', use_vertex: 'true' },
      {},
      { reason: 'invalid_input', message: /`use_bedrock` and `use_vertex` exclude each other/ },
    ],
    [
      'two providers, one of them by environment',
      { use_foundry: 'true' },
      { CLAUDE_CODE_USE_VERTEX: '1' },
      { reason: 'invalid_input', message: /`use_vertex` and `use_foundry`/ },
    ],
  ])('%s', (_, inputs, job, { reason, message }) => {
    const failed = () => choose(inputs, job);
    expect(failed).toThrow(AppError);
    expect(failed).toThrow(
      expect.objectContaining({
        reason,
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(/./),
      }),
    );
  });
});

test('every secret that reaches Claude by environment is known, so that it can be masked', () => {
  const job = {
    ANTHROPIC_AUTH_TOKEN: 'gateway-token',
    AWS_SECRET_ACCESS_KEY: 'aws-secret',
    AWS_SESSION_TOKEN: 'aws-session',
    AWS_BEARER_TOKEN_BEDROCK: 'bedrock-bearer',
    ANTHROPIC_AWS_API_KEY: 'aws-api-key',
    ANTHROPIC_FOUNDRY_API_KEY: 'foundry-key',
    ANTHROPIC_FOUNDRY_AUTH_TOKEN: 'foundry-token',
    AZURE_CLIENT_SECRET: 'azure-secret',
    AWS_REGION: 'eu-central-1',
    AWS_PROFILE: '',
  };
  const { secrets } = choose(
    { anthropic_api_key: key, claude_code_oauth_token: oauth, use_bedrock: 'true' },
    job,
  );
  expect(secrets.toSorted()).toEqual(
    [key, oauth, ...Object.values(job)].filter((value) => value && value !== 'eu-central-1').toSorted(),
  );
});

test('cloud credential chains are left alone: no static key is asked for, none is removed', () => {
  const { set, unset } = choose({ use_bedrock: 'true' }, { AWS_ROLE_ARN: 'arn:aws:iam::1:role/x' });
  expect([Object.keys(set), unset.filter((name) => name.startsWith('AWS'))]).toEqual([
    ['CLAUDE_CODE_USE_BEDROCK'],
    [],
  ]);
});
