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
      'federation gives way to a key',
      { anthropic_api_key: key, anthropic_federation_rule_id: 'fdrl_1', anthropic_organization_id: 'o' },
      {},
      { ANTHROPIC_API_KEY: key },
    ],
  ])('%s', (_, inputs, job, set) => {
    const credential = choose(inputs, job);
    expect(credential.set).toEqual(set);
    expect(credential.warnings).toEqual([]);
    const others = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'].filter((name) => !(name in set));
    expect(credential.unset).toEqual(others);
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
      'federation alone, which is not there yet',
      { anthropic_federation_rule_id: 'fdrl_1' },
      {},
      { reason: 'model_auth', message: /federation is not available/ },
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
