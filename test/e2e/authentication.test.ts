/** How a run gets its GitHub credential, how long that lives, and what it says when there is none. */
import { expect, test } from 'vitest';
import { bash, mcp, write } from '../../testkit/claude/tools.ts';
import type { Token } from '../../testkit/github/tokens.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

/** Inputs and installation of an App that is on the whole account, which has a second repository. */
async function withApp(stage: Stage) {
  await stage.github.createRepository({ owner: 'octo-org', name: 'secrets' });
  const app = await stage.github.createApp({ slug: 'our-app' });
  const installation = stage.github.installApp(app, 'octo-org');
  return {
    app,
    installation,
    inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
  };
}

/** A job with `id-token: write` and no other credential. */
function withOidc({ github }: Stage): Pick<Scene, 'inputs' | 'oidc'> {
  return {
    inputs: { github_token: '', token_exchange_url: github.exchangeUrl },
    oidc: github.oidc.request({ repository: 'octo-org/hello' }),
  };
}

/** Installation tokens that were given out in this story. */
function minted({ github }: Stage): Token[] {
  return github.tokens().filter(({ kind }) => kind === 'installation');
}

/** Masked before anything could print it, so that no line of the log shows it. */
function expectMasked(run: ActionRun, values: string[]): void {
  expect(run.masks).toEqual(expect.arrayContaining(values));
  const said = run.rawLog.split('\n').filter((line) => !line.startsWith('::add-mask::'));
  for (const value of values) expect(said.join('\n')).not.toContain(value);
}

test('a given token is used and masked, and stays valid: it is the caller’s', async () => {
  await using stage = await setStage();
  const run = await stage.mention('@claude hello');

  expectSuccess(run);
  expect(run.outputs.github_token).toBe(stage.token);
  expect(stage.github.tokens().find(({ value }) => value === stage.token)?.revoked).toBe(false);
  expectMasked(run, [stage.token, stage.model.key]);
  expect(stage.github.requests.every(({ kind }) => kind !== 'kit')).toBe(true);
});

test('an App’s token is narrowed to this repository and these permissions, and revoked at the end', async () => {
  await using stage = await setStage();
  const { inputs } = await withApp(stage);
  const run = await stage.mention('@claude hello', {
    inputs: { ...inputs, additional_permissions: 'actions: read' },
  });

  expectSuccess(run);
  const [token, ...more] = minted(stage);
  expect(more).toEqual([]);
  expect([...token!.repositories!].map(({ name }) => name)).toEqual(['hello']);
  expect(token!.permissions).toEqual({
    metadata: 'read',
    contents: 'write',
    issues: 'write',
    pull_requests: 'write',
    actions: 'read',
  });
  expect(token!.revoked).toBe(true);
  expectMasked(run, [token!.value]);
  expect(stage.repository.issue(1).comments[1]!.author?.login).toBe('our-app[bot]');
  expectTidy(run, stage);
});

test('a job’s OIDC token is exchanged for an App token, which is revoked at the end', async () => {
  await using stage = await setStage();
  const oidc = withOidc(stage);
  const run = await stage.mention('@claude hello', {
    ...oidc,
    inputs: { ...oidc.inputs, additional_permissions: 'checks: read' },
  });

  expectSuccess(run);
  const [asked, exchanged] = stage.github.requests.filter(({ kind }) => kind === 'kit');
  expect(asked!.path).toContain('audience=claude-code-github-action');
  expect(exchanged!.body).toEqual({
    permissions: { contents: 'write', issues: 'write', pull_requests: 'write', checks: 'read' },
  });
  const [token] = minted(stage);
  expect(token!.revoked).toBe(true);
  expectMasked(run, [token!.value]);
});

test.each(['workflow_not_found_on_default_branch', 'workflow_validation_failed'] as const)(
  'a workflow that the exchange does not know yet (%s) ends green with a notice',
  async (refusal) => {
    await using stage = await setStage();
    stage.github.exchange.fail(refusal);
    const run = await stage.mention('@claude hello', { ...withOidc(stage), checkout: false });

    expect(run.status).toBe('success');
    expect(run.outputs).toEqual({
      ...{ conclusion: 'skipped', reason: 'switched_off' },
      skipped_due_to_workflow_validation_mismatch: 'true',
    });
    const notice = run.annotations.find(({ level }) => level === 'notice');
    expect(notice?.message).toContain('The token exchange does not accept this workflow yet');
    expect(stage.repository.issue(1).comments).toHaveLength(1);
    expect(stage.model.requests).toEqual([]);
  },
);

test('a refused exchange names what to do', async () => {
  await using stage = await setStage();
  stage.github.exchange.fail(403);
  const run = await stage.mention('@claude hello', { ...withOidc(stage), checkout: false });

  expectFailure(run, 'github_auth', 'The token exchange refused: Refused');
  expect(run.summary).toContain('Install the GitHub App on the repository, or give `github_token`');
  expect(run.outputs.github_token).toBeUndefined();
});

test('without any credential the missing permission is named', async () => {
  await using stage = await setStage();
  const run = await stage.mention('@claude hello', { inputs: { github_token: '' }, checkout: false });

  expectFailure(run, 'github_auth', /no OIDC token and no `github_token`/);
  expect(run.annotations.at(-1)?.message).toContain('`id-token: write`');
});

test('an App that is not installed here is named', async () => {
  await using stage = await setStage();
  const app = await stage.github.createApp({ slug: 'our-app' });
  const run = await stage.mention('@claude hello', {
    inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
    checkout: false,
  });

  expectFailure(run, 'github_auth', `GitHub App ${app.id} is not installed on octo-org/hello.`);
});

test('a key that is none says so without showing it', async () => {
  await using stage = await setStage();
  const key = '-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----';
  const run = await stage.mention('@claude hello', {
    inputs: { github_token: '', app_id: '7', app_private_key: key },
    checkout: false,
  });

  expectFailure(run, 'github_auth', 'No token for GitHub App 7');
  expect(run.log).not.toContain('bm90IGEga2V5');
});

test('a token that runs out while Claude works is replaced, and all of them are revoked', async () => {
  await using stage = await setStage();
  const { inputs, installation } = await withApp(stage);
  installation.tokenLifeMs = 60_000;
  stage.model.script([
    () => ({ tools: [write(stage.path('NEW.md'), 'New.\n')] }),
    { tools: [bash('git add -A && git commit -m "Add a file"')] },
    () => {
      installation.tokenLifeMs = 3_600_000;
      for (const token of minted(stage)) token.expiresAt = Date.now() - 1000;
      return { tools: [mcp('github_file_ops', 'push_changes')] };
    },
  ]);
  const run = await stage.mention('@claude add a file', { inputs });

  expectSuccess(run);
  expect(await stage.repository.file(run.outputs.branch_name!, 'NEW.md')).toBe('New.\n');
  const late = minted(stage).filter(({ expiresAt }) => expiresAt! > Date.now() + 600_000);
  expect(late.map(({ revoked }) => revoked)).toEqual([true]);
  expectMasked(
    run,
    minted(stage).map(({ value }) => value),
  );
});
