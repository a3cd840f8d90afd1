/** Who may put Claude to work, and how a "no" looks: green and explained in the summary, silent in the thread. */
import { expect, test } from 'vitest';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectFailure, expectSkipped, expectSuccess, expectTidy } from './expectations.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

/** `login` calls Claude on a new issue. */
async function ask(stage: Stage, login: string, scene: Partial<Scene> & { text?: string } = {}) {
  const { github, repository } = stage;
  const { text = '@claude fix it', ...rest } = scene;
  const issue = github.createIssue(repository, { title: 'Misspelt', author: 'octocat' });
  const comment = github.comment(issue, { author: login, body: text });
  const run = await stage.run({
    event: await github.event.issueComment(comment),
    checkout: false,
    actor: login,
    ...rest,
  });
  return { run, issue, comment };
}

/** Nothing in the thread shows that somebody tried. */
function expectSilence(stage: Stage, { issue, comment }: Awaited<ReturnType<typeof ask>>): void {
  expect(issue.comments).toEqual([comment]);
  expect(stage.github.reactions(comment)).toEqual([]);
  expect(stage.model.requests).toEqual([]);
}

/** The job's page says who was refused, and why. */
function expectExplained(run: ActionRun, login: string, why: string): void {
  const notice = run.annotations.find(({ level }) => level === 'notice');
  expect(notice?.message).toContain(`\`${login}\` may not call Claude here: ${why}`);
  expect(run.summary).toContain(`| access of ${login} | \`${why.replaceAll('`', "'")}`);
}

const withCheckout = { checkout: {} };

test('a person without write access is refused: green, explained to the owner, silent in the thread', async () => {
  await using stage = await setStage();
  stage.repository.setPermission('mallory', 'triage');
  const told = await ask(stage, 'mallory');

  expectSkipped(told.run, 'not_permitted');
  expectSilence(stage, told);
  expectExplained(told.run, 'mallory', 'the permission is `read`');
  expect(stage.github.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /api/v3/repos/octo-org/hello/collaborators/mallory/permission',
  ]);
  expectTidy(told.run, stage);
});

test('the token that was minted to find out is revoked', async () => {
  await using stage = await setStage();
  const app = await stage.github.createApp({ slug: 'our-app' });
  stage.github.installApp(app, 'octo-org/hello');
  const told = await ask(stage, 'mallory', {
    inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
  });

  expectSkipped(told.run, 'not_permitted');
  expectSilence(stage, told);
  const minted = stage.github.tokens().filter(({ kind }) => kind === 'installation');
  expect(minted.map(({ revoked }) => revoked)).toEqual([true]);
});

test('with `on_denied: fail` the refusal is red', async () => {
  await using stage = await setStage();
  const told = await ask(stage, 'mallory', { inputs: { on_denied: 'fail' } });

  expectFailure(told.run, 'not_permitted', 'may not call Claude here');
  expect(told.run.outputs).toEqual({ conclusion: 'failure', reason: 'not_permitted' });
  expectSilence(stage, told);
});

test('`allowed_non_write_users` lets a person in with `github_token`, and not with an App', async () => {
  await using stage = await setStage();
  const app = await stage.github.createApp({ slug: 'our-app' });
  stage.github.installApp(app, 'octo-org/hello');
  const listed = { allowed_non_write_users: 'someone, mallory' };

  const withToken = await ask(stage, 'mallory', { ...withCheckout, inputs: listed });
  expectSuccess(withToken.run);
  expect(withToken.issue.comments).toHaveLength(2);

  const withApp = await ask(stage, 'mallory', {
    inputs: { ...listed, github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
  });
  expectSkipped(withApp.run, 'not_permitted');
  expect(withApp.run.summary).toContain('counts only together with');
});

test('a bot is let in by name only, whatever it may write', async () => {
  await using stage = await setStage();
  stage.repository.setPermission('renovate[bot]', 'write');

  const unlisted = await ask(stage, 'renovate[bot]');
  expectSkipped(unlisted.run, 'not_permitted');
  expectExplained(unlisted.run, 'renovate[bot]', 'a bot has to be listed in `allowed_bots`');

  const listed = await ask(stage, 'renovate[bot]', { ...withCheckout, inputs: { allowed_bots: 'renovate' } });
  expectSuccess(listed.run);
});

const marker = '<!-- forgehand {"workflow":"Claude","job":"claude","run":"1","attempt":"1"} -->';

test('its own words never start it, whatever the lists say', async () => {
  await using stage = await setStage();
  const everyone = { allowed_bots: '*', allowed_non_write_users: '*' };

  const byBot = await ask(stage, 'github-actions[bot]', { inputs: everyone });
  expectSkipped(byBot.run, 'own_activity');

  // A personal token acts as a person, who may well call Claude: only the marker tells the two apart.
  const personal = stage.github.token({ login: 'octocat' });
  const own = await ask(stage, 'octocat', {
    text: `@claude again\n${marker}`,
    inputs: { ...everyone, github_token: personal },
  });
  expectSkipped(own.run, 'own_activity');
  expect(stage.model.requests).toEqual([]);

  const asPerson = await ask(stage, 'octocat', { ...withCheckout, inputs: { github_token: personal } });
  expectSuccess(asPerson.run);
});

test('a copy of its marker in the words of somebody else proves nothing', async () => {
  await using stage = await setStage();
  stage.repository.setPermission('monalisa', 'write');
  const told = await ask(stage, 'monalisa', { ...withCheckout, text: `@claude fix it\n${marker}` });

  expectSuccess(told.run);
});

test('a workflow_run that a stranger caused upstream is refused, though a maintainer is its sender', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  const upstream = github.createWorkflowRun(repository, {
    name: 'CI',
    headBranch: 'main',
    headSha: repository.tip('main')!,
    actor: 'mallory',
    conclusion: 'failure',
  });
  const event = await github.event.workflowRun(repository.record, upstream, 'completed', {
    sender: 'octocat',
  });
  const run = await stage.run({ event, inputs: { prompt: 'Mend the build.' }, checkout: false });

  expectSkipped(run, 'not_permitted');
  expectExplained(run, 'mallory', 'the permission is `read`');
  expect(stage.model.requests).toEqual([]);
});

test('the one who puts the label on is asked for access, not the author of the issue', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  const issue = github.createIssue(repository, { title: 'Please', body: 'Do it.', author: 'mallory' });
  github.addLabel(issue, 'claude', { by: 'octocat' });
  const labeled = (sender: string) => github.event.issues(issue, 'labeled', { label: 'claude', sender });

  expectSkipped(await stage.run({ event: await labeled('mallory'), checkout: false }), 'not_permitted');
  expectSuccess(await stage.run({ event: await labeled('octocat') }));
});
