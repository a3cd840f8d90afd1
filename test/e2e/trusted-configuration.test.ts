/** Claude Code is configured by the base branch: what a pull request says of it is material, of which nothing is in force. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { read } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectSuccess, expectTidy } from './expectations.ts';
import { callOn, mergeRef, openForkPull, openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

const ofBase = 'WORD-OF-THE-BASE';
const ofPull = 'WORD-OF-THE-PULL';
const unfenced = { sandbox: 'off' };

/** All kinds of configuration; each says `word` to the model, or leaves a file in `traces`, once it is in force. */
function configuration(word: string, traces: string): Record<string, string> {
  const text = `---\nname: shared\ndescription: ${word}-described\n---\n${word}\n`;
  const leave = (name: string) => ({
    hooks: [{ type: 'command', command: `touch ${traces}/${word}-${name} || true` }],
  });
  const say = { type: 'command', command: `echo ${word}-hook; cat "$CLAUDE_PROJECT_DIR"/tools/word` };
  const settings = {
    hooks: {
      SessionStart: [leave('session')],
      UserPromptSubmit: [{ hooks: [say] }],
      PreToolUse: [{ matcher: '*', ...leave('tool') }],
      Stop: [leave('stop')],
    },
    enableAllProjectMcpServers: true,
  };
  const server = { command: 'sh', args: ['-c', `touch ${traces}/${word}-server; exec cat > /dev/null`] };
  return {
    'CLAUDE.md': `${word}-memory\n@docs/style.md\n`,
    'docs/style.md': `${word}-import\n`,
    'src/CLAUDE.md': `${word}-nested\n`,
    '.claude/CLAUDE.md': `${word}-inner\n`,
    '.claude/rules/all.md': `${word}-rule\n`,
    '.claude/settings.json': JSON.stringify(settings),
    '.claude/skills/shared/SKILL.md': text,
    '.claude/agents/shared.md': text,
    '.claude/commands/shared.md': text,
    '.mcp.json': JSON.stringify({ mcpServers: { [word]: server } }),
    'tools/word': `${word}-file\n`,
  };
}

/** What only somebody who wants to take Claude over puts into a repository. */
const hostile = (traces: string) => ({
  ...configuration(ofPull, traces),
  '.claude/settings.local.json': JSON.stringify({
    apiKeyHelper: `touch ${traces}/${ofPull}-key`,
    statusLine: { type: 'command', command: `touch ${traces}/${ofPull}-line` },
  }),
  'CLAUDE.local.md': `${ofPull}\n`,
  'AGENTS.md': `${ofPull}\n`,
});

const told = ['memory', 'import', 'nested', 'inner', 'rule', 'hook', 'described', 'file'].map(
  (kind) => `${ofBase}-${kind}`,
);

/** What programs left on this machine, which they can only without the fence. */
async function traceDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'traces-'));
  return {
    path,
    found: () => readdir(path),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** A base with every kind of configuration, all of them otherwise in a pull request; Claude reads one file. */
async function setScene(stage: Stage, traces: string) {
  const { repository } = stage;
  const files = configuration(ofBase, traces);
  await repository.addCommit({ branch: 'main', message: 'Configure', files });
  const pull = await openPull(stage);
  const headSha = await repository.addCommit({
    branch: 'german',
    message: 'Configure otherwise',
    files: hostile(traces),
  });
  stage.model.script(script(stage));
  return { pull, headSha };
}

/** Reading a file makes Claude Code look for a memory file beside it. */
const script = (stage: Stage) => [() => ({ tools: [read(stage.path('src/greet.js'))] }), { text: 'Read.' }];

function sentToModel(stage: Stage): string {
  return JSON.stringify(stage.model.requests.map(({ body }) => body));
}

/** All of the base's is in force, nothing of the pull request's, whose files are there all the same, unchanged. */
async function expectOfBase(run: ActionRun, stage: Stage): Promise<void> {
  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toContain('Helo');
  const sent = sentToModel(stage);
  expect(told.filter((word) => !sent.includes(word))).toEqual([]);
  expect(sent).not.toContain(ofPull);
  expect(await readFile(stage.path('CLAUDE.md'), 'utf8')).toContain(ofPull);
  expect(await readFile(stage.path('src/CLAUDE.md'), 'utf8')).toContain(ofPull);
  const status = ['-C', stage.workspace, 'status', '--porcelain'];
  expect((await promisify(execFile)('git', status)).stdout).toBe('');
  expectTidy(run, stage);
}

test('a mention: the base is in force, nothing of the pull request is, and what differs is told', async () => {
  await using stage = await setStage();
  await using traces = await traceDirectory();
  const { pull } = await setScene(stage, traces.path);
  const run = await callOn(stage, pull, { checkout: await mergeRef(stage, pull), inputs: unfenced });

  await expectOfBase(run, stage);
  const { found } = traces;
  expect((await found()).toSorted()).toEqual(
    ['server', 'session', 'stop', 'tool'].map((name) => `${ofBase}-${name}`),
  );
  const prompt = stage.model.firstText();
  expect(prompt).toContain('come from `main`; those of this checkout are not loaded');
  for (const path of Object.keys(hostile('')).filter((path) => !path.startsWith('tools')))
    expect(prompt).toContain(`\`${path}\``);
});

test('in the fence as well', async () => {
  await using stage = await setStage();
  const { pull } = await setScene(stage, '/tmp');
  await expectOfBase(await callOn(stage, pull), stage);
});

test('a prompt of the workflow in a `workflow_run` that has checked out what a stranger proposes', async () => {
  await using stage = await setStage();
  await using traces = await traceDirectory();
  const { github, repository } = stage;
  const { headSha } = await setScene(stage, traces.path);
  const upstream = github.createWorkflowRun(repository, {
    ...{ name: 'CI', headBranch: 'german', headSha, actor: 'octocat' },
  });
  const event = await github.event.workflowRun(repository.record, upstream, 'completed', {
    sender: 'octocat',
  });
  const inputs = { prompt: 'Read it.', ...unfenced };
  const run = await stage.run({ event, checkout: { ref: 'german' }, inputs });

  await expectOfBase(run, stage);
  expect((await traces.found()).filter((name) => !name.startsWith(ofBase))).toEqual([]);
  expect(sentToModel(stage)).toContain('come from `main`');
});

test('a prompt of the workflow in a merge queue, which holds what nobody has merged yet', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  await repository.addCommit({
    ...{ branch: 'release', from: 'main', message: 'Configure' },
    files: configuration(ofBase, '/tmp'),
  });
  const queue = 'gh-readonly-queue/release/pr-1-0123456';
  await repository.addCommit({
    ...{ branch: queue, from: 'release', message: 'Configure otherwise' },
    files: hostile('/tmp'),
  });
  const group = { head_ref: `refs/heads/${queue}`, base_ref: 'refs/heads/release' };
  const event = await github.event.other('merge_group', repository.record, { merge_group: group });
  stage.model.script(script(stage));
  const run = await stage.run({
    event,
    checkout: { ref: queue },
    inputs: { prompt: 'Read it.', ...unfenced },
  });

  await expectOfBase(run, stage);
  expect(sentToModel(stage)).toContain('come from `release`');
});

test('a prompt of the workflow in a `pull_request_target` that has checked out a fork', async () => {
  await using stage = await setStage();
  const { github, repository } = stage;
  await repository.addCommit({
    branch: 'main',
    message: 'Configure',
    files: configuration(ofBase, '/tmp'),
  });
  const { pull } = await openForkPull(stage, { files: hostile('/tmp') });
  stage.model.script(script(stage));
  const run = await stage.run({
    event: await github.event.pullRequest(pull, 'synchronize', { target: true, sender: 'octocat' }),
    checkout: { ref: `refs/pull/${pull.number}/head` },
    inputs: { prompt: 'Read it.' },
  });
  await expectOfBase(run, stage);
});

test('a prompt on a comment, and a base without configuration: GitHub is asked for the base, nothing is loaded', async () => {
  await using stage = await setStage();
  await stage.repository.addCommit({ branch: 'main', message: 'Tidy', deletions: ['CLAUDE.md'] });
  const pull = await openPull(stage);
  await stage.repository.addCommit({ branch: 'german', message: 'Configure', files: hostile('/tmp') });
  stage.model.script(script(stage));
  const run = await callOn(stage, pull, { checkout: { ref: 'german' }, inputs: { prompt: 'Read it.' } });

  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toContain('Helo');
  expect(sentToModel(stage)).toContain('come from `main`');
  expect(sentToModel(stage)).not.toContain(ofPull);
});

test('a base that cannot be read: nothing is loaded, a warning says so, and Claude is told', async () => {
  await using stage = await setStage();
  const { repository } = stage;
  const files = Array.from({ length: 1001 }, (_, n) => [`.claude/agents/${n}.md`, ofBase]);
  await repository.addCommit({ branch: 'main', message: 'Configure', files: Object.fromEntries(files) });
  const pull = await openPull(stage);
  await repository.addCommit({ branch: 'german', message: 'Configure', files: hostile('/tmp') });
  stage.model.script([{ text: 'Read.' }]);
  const run = await callOn(stage, pull);

  expectSuccess(run);
  expect(run.summary).toContain('more than 1000 files');
  expect(sentToModel(stage)).not.toContain(ofPull);
  expect(sentToModel(stage)).not.toContain(ofBase);
  expect(stage.model.firstText()).toContain('settings, hooks, MCP servers and skills are not loaded');
});

test('on an issue the repository’s own configuration is in force, where it is', async () => {
  await using stage = await setStage();
  await using traces = await traceDirectory();
  const files = configuration(ofBase, traces.path);
  await stage.repository.addCommit({ branch: 'main', message: 'Configure', files });
  stage.model.script(script(stage));
  const run = await stage.mention('@claude read it', { inputs: unfenced });

  expectSuccess(run);
  expect(await traces.found()).toEqual(
    expect.arrayContaining([`${ofBase}-session`, `${ofBase}-tool`, `${ofBase}-server`]),
  );
  expect(told.filter((word) => !sentToModel(stage).includes(word))).toEqual([]);
});
