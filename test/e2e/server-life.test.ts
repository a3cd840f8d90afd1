/** From the opening of an issue to its end: templates, isolation, close and reopen, what is left of a workspace. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { bash, read, write } from '../../testkit/claude/tools.ts';
import { type ServerScene, type ServerStage, setServerStage } from './server-stage.ts';
import { withoutTmux } from './without-tmux.ts';

let stage: ServerStage;
afterEach(() => stage?.[Symbol.asyncDispose]());
const set = async (scene: ServerScene = {}) => {
  stage = await setServerStage(scene);
  return stage;
};
const commit = (file: string) => ({
  tools: [bash(`echo x > ${file} && git add -A && git commit -qm "Add ${file}"`)],
});

test('the repository’s template is kept, and the pull request is linked all the same', async () => {
  await set({ script: [commit('a.txt'), { text: 'Added.' }] });
  await stage.repository.addCommit({
    branch: 'main',
    message: 'Add a template',
    files: { '.github/pull_request_template.md': '## Why\n\n## Risks\n' },
  });
  const issue = await stage.openIssue();
  await stage.answered(issue, 'Added.');
  const pull = stage.pullOf(issue)!;
  expect(pull.body).toContain('## Risks');
  expect(pull.body.match(new RegExp(`Closes #${issue.number}\\b`, 'g'))).toHaveLength(1);
});

test('several issues of several repositories at once, none of which sees another', async () => {
  await set({ env: { MAX_SESSIONS: '4' } });
  const other = await stage.github.createRepository({
    owner: 'octo-org',
    name: 'other',
    files: { 'README.md': '# Other\n' },
  });
  for (const login of ['octocat', 'forgehand-bot']) other.setPermission(login, 'write');
  const look = `ls ${stage.root}/workspaces ${stage.root}/workspaces/octo-org/* 2>&1; find ${stage.dataDir} -name '*postgres*' -o -name '*mirror*' -o -name '*environment*' -o -name '*token*' -o -name '*.log'; true`;
  stage.model.script([
    { tools: [bash(look)] },
    (request) => ({ text: `I see: ${request.toolResults()[0]?.text}` }),
  ]);
  const issues = [
    await stage.openIssue(),
    await stage.openIssue(),
    await stage.openIssue({ repository: other }),
  ];
  for (const issue of issues) await stage.answered(issue, 'I see:');
  for (const issue of issues) {
    const seen = stage.answers(issue).join('\n').split('---').slice(1).join('---');
    const numbers = [...seen.matchAll(/issue-(\d+)/g)].map((match) => Number(match[1]));
    expect(new Set(numbers)).toEqual(new Set([issue.number]));
    expect(seen).not.toContain(stage.dataDir);
  }
  expect(stage.pulls()).toHaveLength(2);
  expect(other.pullRequests()).toHaveLength(1);
});

test('no more sessions than there is room for; an idle one makes room for who waits', async () => {
  await set({ script: [{ text: 'Answered.' }], env: { MAX_SESSIONS: '1' } });
  const [first, second] = [await stage.openIssue(), await stage.openIssue()];
  await stage.answered(first, 'Answered.');
  await stage.answered(second, 'Answered.');
  expect((await stage.health()).total_sessions).toBeLessThanOrEqual(1);
});

test('closed, an issue ends its session: an empty draft goes, a full one stays; reopened, it goes on', async () => {
  await set({ env: { WORKSPACE_GRACE_HOURS: '0' } });
  stage.model.when('An empty one', [{ text: 'Nothing to do.' }]);
  stage.model.when('A full one', [
    commit('b.txt'),
    { text: 'Added.' },
    { text: 'Went on after the reopening.' },
  ]);
  const empty = await stage.openIssue({ title: 'An empty one' });
  const full = await stage.openIssue({ title: 'A full one' });
  await stage.answered(empty, 'Nothing to do.');
  await stage.answered(full, 'Added.');
  const drafts = [stage.pullOf(empty)!, stage.pullOf(full)!];
  for (const issue of [empty, full]) {
    stage.github.change(issue, { state: 'closed' });
    await stage.deliver(await stage.github.event.issues(issue, 'closed'));
  }
  await stage.until('the sessions have ended', async () => (await stage.health()).total_sessions === 0);
  await stage.until('the empty draft is closed', () => drafts[0]!.state === 'closed');
  expect(stage.repository.branches()).not.toHaveProperty(`issue-${empty.number}`);
  expect(drafts[1]!.state).toBe('open');
  await stage.until('the workspaces are gone', () => !existsSync(stage.path(full, '.')), 90_000);

  stage.github.change(full, { state: 'open' });
  await stage.deliver(await stage.github.event.issues(full, 'reopened'));
  await stage.answered(full, 'Went on after the reopening.');
  expect(stage.timesHeard('A full one')).toBe(1);
  expect(existsSync(stage.path(full, 'b.txt'))).toBe(true);
  expect(stage.pullOf(full)).toBe(drafts[1]);
}, 180_000);

test('a person’s pull request is worked on where it is, and no second one is opened', async () => {
  await set({ script: [commit('c.txt'), { text: 'Pushed to your branch.' }], env: { TRIGGER: 'mention' } });
  await stage.repository.addCommit({
    branch: 'feature',
    from: 'main',
    message: 'Begin',
    files: { 'f.txt': 'f\n', 'CLAUDE.md': 'WORD-OF-THE-PULL\n' },
  });
  const pull = await stage.github.createPullRequest(stage.repository, {
    title: 'A feature',
    head: 'feature',
    base: 'main',
    author: 'octocat',
  });
  await stage.comment(pull, '@claude please add a file');
  await stage.answered(pull, 'Pushed to your branch.');
  expect(await stage.repository.file('feature', 'c.txt')).toBe('x\n');
  const sent = JSON.stringify(stage.model.main.map(({ body }) => body));
  expect(sent).toContain('Use short sentences.');
  expect(sent).toContain('They differ here: `CLAUDE.md`.');
  expect(sent).not.toContain('WORD-OF-THE-PULL');
  expect(stage.pulls()).toHaveLength(1);
});

test('the set-up script of the default branch runs in the fence before the first turn', async () => {
  await set({
    script: [
      { tools: [bash('cat made-by-setup; id -u')] },
      (request) => ({ text: `It says ${request.toolResults()[0]?.text}` }),
    ],
  });
  await stage.repository.addCommit({
    branch: 'main',
    message: 'Add a set-up script',
    files: { '.forgehand/setup': '#!/bin/sh\necho ready > made-by-setup; ls /proc | grep -c "^[0-9]"\n' },
  });
  const issue = await stage.openIssue();
  await stage.answered(issue, 'It says ready');
});

test('a worker without tmux runs sessions detached', async () => {
  await set({ script: [{ text: 'Without a terminal.' }], env: withoutTmux() });
  const issue = await stage.openIssue();
  await stage.answered(issue, 'Without a terminal.');
  const { active_sessions } = await stage.health();
  expect(Object.values(active_sessions)[0]).toMatchObject({ tmux_active: false });
});

test('without a fence Claude has the files of its workspace, and no commands', async () => {
  await set({ env: { SANDBOX: 'off' } });
  const secret = `${stage.root}/secret.txt`;
  writeFileSync(secret, 'not-for-claude');
  const inside = `${stage.root}/workspaces/octo-org/hello/issue-1`;
  const linked = () => {
    symlinkSync(secret, `${inside}/link.txt`);
    return { tools: [read(`${inside}/link.txt`)] };
  };
  stage.model.script([
    { tools: [write(`${inside}/new.txt`, 'new\n')] },
    { tools: [read(`${inside}/README.md`)] },
    { tools: [read(secret)] },
    linked,
    { tools: [write(`${stage.root}/planted.txt`, 'planted')] },
    { tools: [bash(`cat ${secret}`)] },
    (request) => ({
      text: request
        .toolResults()
        .map(({ isError }) => (isError ? 'no' : 'yes'))
        .join(' '),
    }),
  ]);
  const issue = await stage.openIssue();
  await stage.answered(issue, 'yes yes no no no no');
  expect(existsSync(`${stage.root}/planted.txt`)).toBe(false);
  // What is left uncommitted is published all the same.
  expect(await stage.repository.file('issue-1', 'new.txt')).toBe('new\n');
  expect(stage.output()).toMatch(/SANDBOX is off/);
});
