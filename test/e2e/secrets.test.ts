/** No GitHub credential is anywhere that Claude's commands can see, and no secret is in anything that is published. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bash, mcp, read } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectNoSecret, expectSuccess, expectTidy } from './expectations.ts';
import { type Stage, setStage } from './stage.ts';

/** Where a credential is usually found. The parent is Claude Code itself. */
const searches = (runnerTemp: string) => [
  `grep -r . ${runnerTemp}`,
  'env',
  'cat .git/config',
  'git remote -v',
  'git config --list --show-origin --includes',
  'cat /proc/self/environ | tr "\\0" "\\n"',
  'cat /proc/$PPID/environ | tr "\\0" "\\n"',
  'grep -rIs . .git --include=config --include="*.config" --include=FETCH_HEAD; grep -rEIs "ghs_|ghp_|basic " . | head -50',
  'cat ~/.gitconfig ~/.git-credentials ~/.netrc ~/.config/gh/hosts.yml',
  'git credential fill < /dev/null; git fetch origin',
];

/** Everything that a run leaves where others can read it. */
async function publishedBy(run: ActionRun, stage: Stage): Promise<Record<string, string>> {
  const said = run.rawLog.split('\n').filter((line) => !line.startsWith('::add-mask::'));
  const subjects = stage.repository.subjects();
  return {
    'the log': said.join('\n'),
    'the annotations': JSON.stringify(run.annotations),
    'the summary': run.summary,
    'the comments': JSON.stringify(
      subjects.flatMap(({ comments }) => comments.map(({ history }) => history)),
    ),
    'the execution file': await readFile(run.outputs.execution_file!, 'utf8'),
  };
}

const everythingShown = { show_full_output: 'true', display_report: 'true' };

test.each(['v4', 'v6'] as const)(
  'with the layout of actions/checkout %s no command of Claude finds a GitHub credential',
  async (layout) => {
    await using stage = await setStage();
    stage.repository.record.private = true;
    const app = await stage.github.createApp({ slug: 'our-app' });
    stage.github.installApp(app, 'octo-org/hello');
    const runnerTemp = join(stage.github.root, 'runner-temp');
    stage.model.script([
      { tools: searches(runnerTemp).map((command) => bash(`${command} 2>&1; true`)) },
      () => ({ tools: [read(stage.path('.git/config'))] }),
    ]);
    const run = await stage.mention('@claude look around', {
      keep: true,
      checkout: { layout, runnerTemp },
      env: { MY_OWN_SECRET: 'of-another-step-of-the-job' },
      inputs: {
        ...everythingShown,
        claude_args: '--allowedTools Bash',
        // With v4 Claude works for the job's own token, with v6 for an App.
        ...(layout === 'v6' && {
          github_token: '',
          app_id: String(app.id),
          app_private_key: app.privateKey,
        }),
      },
    });

    expectSuccess(run);
    const results = stage.model.toolResults();
    expect(results).toHaveLength(searches(runnerTemp).length + 1);
    const found = results.map(({ text }) => text).join('\n');
    // The commands did run, and saw what there is to see.
    expect(found).toContain('GITHUB_REPOSITORY=octo-org/hello');
    expect(found).toContain(`url = "${stage.github.serverUrl}/octo-org/hello"`);
    const tokens = stage.github.tokens().map(({ value }) => value);
    expectNoSecret({ 'what the commands found': found }, [...tokens, app.privateKey, 'of-another-step']);
    const sent = { 'what the model was sent': JSON.stringify(stage.model.main.map(({ body }) => body)) };
    expectNoSecret({ ...sent, ...(await publishedBy(run, stage)) }, [...tokens, app.privateKey]);

    // A later step of the job finds its credential again.
    expect(await readFile(stage.path('.git/config'), 'utf8')).toBe(stage.givenConfig);
    const later = await promisify(execFile)('git', ['fetch', 'origin', 'main'], {
      cwd: stage.workspace,
      env: { PATH: process.env.PATH, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_GLOBAL: '/dev/null' },
    });
    expect(later.stderr).toContain('FETCH_HEAD');
    expectTidy(run, stage);
  },
);

test('what Claude says of a key arrives as ***, wherever it says it', async () => {
  await using stage = await setStage();
  const { key } = stage.model;
  const github = `ghp_${'A1b2C3'.repeat(6)}`;
  const text = `The key is ${key}, a token is ${github}, mine is ${stage.token}.`;
  stage.model.script([
    { text, tools: [mcp('github_comment', 'update_claude_comment', { body: text })] },
    { tools: [bash(`echo '${text}'`)] },
    { text: `Done. ${text}` },
  ]);
  const run = await stage.mention('@claude tell me', {
    keep: true,
    inputs: { ...everythingShown, claude_args: '--allowedTools Bash' },
  });

  expectSuccess(run);
  expect(stage.repository.issue(1).comments[1]!.body).toContain(
    'The key is ***, a token is ***, mine is ***.',
  );
  expectNoSecret(await publishedBy(run, stage), [key, github, stage.token]);
  expect(run.masks).toContain(key);
});

test('a token that Claude has from elsewhere does not leave in a commit', async () => {
  await using stage = await setStage();
  stage.model.script([
    {
      tools: [
        bash(`echo 'TOKEN=${stage.token}' > .env.sample && git add -A && git commit -m "Add a sample"`),
      ],
    },
    { tools: [mcp('github_file_ops', 'push_changes')] },
    {
      tools: [
        bash('git reset -q --hard HEAD~ && echo "Fine." > NOTES.md && git add -A && git commit -m Notes'),
      ],
    },
    { tools: [mcp('github_file_ops', 'push_changes')] },
  ]);
  const run = await stage.mention('@claude add a sample', {
    inputs: { claude_args: '--allowedTools Bash' },
  });

  const [, refusal, , published] = stage.model.toolResults();
  expect(refusal).toMatchObject({ isError: true, text: expect.stringContaining('.env.sample') });
  expect(published).toMatchObject({ isError: false });
  expectSuccess(run);
  const branch = run.outputs.branch_name!;
  expect(await stage.repository.file(branch, 'NOTES.md')).toBe('Fine.\n');
  expect(await stage.repository.file(branch, '.env.sample')).toBeNull();
});
