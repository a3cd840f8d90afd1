/** Ways to the model other than a key: the job's own identity, a gateway, and a cloud provider. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { whyNoFence } from '../../src/claude/fence.test-support.ts';
import { tokenEndpoint } from '../../testkit/claude/token-endpoint.ts';
import { bash } from '../../testkit/claude/tools.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const rule = { id: 'fdrl_forgehand', organization: 'org-octo', serviceAccount: 'svac_robot' };

/** A job with `id-token: write`, trusted by a rule of the model's organization, and no other credential. */
function withFederation(stage: Stage, inputs: Record<string, string> = {}) {
  const issuer = stage.github.oidc;
  const endpoint = tokenEndpoint({ ...rule, audience: 'https://api.anthropic.com', issuer });
  stage.model.federate(endpoint);
  const scene: Partial<Scene> = {
    inputs: {
      anthropic_api_key: '',
      anthropic_federation_rule_id: rule.id,
      anthropic_organization_id: rule.organization,
      anthropic_service_account_id: rule.serviceAccount,
      // The fence never lets anything through to loopback, where this token endpoint is.
      sandbox: 'off',
      ...inputs,
    },
    oidc: issuer.request({ repository: 'octo-org/hello' }),
  };
  return { endpoint, scene };
}

test('the job’s identity is exchanged for the model’s credential, and nothing of it stays', async () => {
  await using stage = await setStage([{ tools: [bash('git log -1 --format=%s')] }, { text: 'Done.' }]);
  const { endpoint, scene } = withFederation(stage, { anthropic_workspace_id: 'wrkspc_1' });
  const run = await stage.mention('@claude hello', scene);

  expectSuccess(run);
  expect(endpoint.asked).toMatchObject([
    {
      federation_rule_id: rule.id,
      organization_id: rule.organization,
      service_account_id: rule.serviceAccount,
      workspace_id: 'wrkspc_1',
    },
  ]);
  expect(stage.model.main[0]!.headers.authorization).toBe(`Bearer ${endpoint.granted[0]}`);
  const assertion = String(endpoint.asked[0]!.assertion);
  expect(run.masks).toContain(assertion);
  expect(run.log).not.toContain(assertion);
  expect(existsSync(`${process.env.HOME}/.config/anthropic/credentials/federation`)).toBe(false);
  expectTidy(run, stage);
});

test('the base-action works with the same identity, and asks GitHub for nothing else', async () => {
  await using stage = await setStage([{ text: 'Done.' }]);
  const { endpoint, scene } = withFederation(stage);
  const inputs = { ...scene.inputs, prompt: 'Say hello.' };
  const run = await stage.mention('', { ...scene, inputs, action: resolve('base-action'), checkout: false });

  expect(run.outputs, run.log).toMatchObject({ conclusion: 'success', reason: '' });
  expect(stage.model.main[0]!.headers.authorization).toBe(`Bearer ${endpoint.granted[0]}`);
  expect(run.masks).toContain(String(endpoint.asked[0]!.assertion));
  expect(run.leftovers).toEqual([]);
  // The token is the runner's to give.
  expect(stage.github.requests.filter(({ kind }) => kind !== 'kit')).toEqual([]);
});

test('an identity that the model does not trust ends the run with the model’s own reason', async () => {
  await using stage = await setStage();
  const { scene } = withFederation(stage, { anthropic_federation_rule_id: 'fdrl_other' });
  const run = await stage.mention('@claude hello', scene);

  expectFailure(run, 'model_auth', /Token exchange failed with status 401.*no such federation rule/s);
});

test.skipIf(whyNoFence)(
  'a gateway gets its own token and headers, and neither is seen where Claude works',
  async () => {
    await using stage = await setStage([{ tools: [bash('printenv')] }, { text: 'Done.' }]);
    const run = await stage.run({
      event: await stage.github.event.workflowDispatch(stage.repository.record),
      inputs: { anthropic_api_key: '', prompt: 'Look.', claude_args: '--allowedTools Bash(printenv:*)' },
      env: {
        ANTHROPIC_AUTH_TOKEN: stage.model.key,
        ANTHROPIC_CUSTOM_HEADERS: 'X-Tenant: octo-org\nX-Route: ci',
      },
    });

    expectSuccess(run);
    expect(stage.model.main[0]!.headers).toMatchObject({
      authorization: `Bearer ${stage.model.key}`,
      'x-tenant': 'octo-org',
      'x-route': 'ci',
    });
    const [seen] = stage.model.toolResults();
    expect(seen!.text).toContain('ANTHROPIC_AUTH_TOKEN=placeholder');
    expect(seen!.text).not.toContain('X-Tenant');
    expect(run.masks).toContain(stage.model.key);
    expectTidy(run, stage);
  },
);

test('a job that may not have an identity token is told which permission is missing', async () => {
  await using stage = await setStage();
  const { scene } = withFederation(stage);
  const run = await stage.mention('@claude hello', { ...scene, oidc: undefined, checkout: false });

  expectFailure(run, 'model_auth', /needs the OIDC token of the job/);
  expect(run.annotations.at(-1)?.message).toContain('`id-token: write`');
});
