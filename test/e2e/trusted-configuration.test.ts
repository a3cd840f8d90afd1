/** On a pull request Claude Code is configured by the base branch; what the pull request says of it is material. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { read } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectSuccess, expectTidy } from './expectations.ts';
import { callOn, mergeRef, openForkPull, openPull } from './pulls.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const ofBase = 'WORD-OF-THE-BASE';
const ofPull = 'WORD-OF-THE-PULL';

/** All kinds of configuration; each says `word` to the model as soon as it is in force. */
function configuration(word: string): Record<string, string> {
  const text = `---\nname: shared\ndescription: ${word}-described\n---\n${word}\n`;
  const hook = {
    hooks: [{ type: 'command', command: `echo ${word}-hook; cat "$CLAUDE_PROJECT_DIR"/tools/word` }],
  };
  return {
    'CLAUDE.md': `${word}-memory\n@docs/style.md\n`,
    'docs/style.md': `${word}-import\n`,
    'src/CLAUDE.md': `${word}-nested\n`,
    '.claude/rules/all.md': `${word}-rule\n`,
    '.claude/settings.json': JSON.stringify({ hooks: { UserPromptSubmit: [hook] } }),
    '.claude/skills/shared/SKILL.md': text,
    '.claude/agents/shared.md': text,
    '.claude/commands/shared.md': text,
    '.mcp.json': JSON.stringify({
      mcpServers: { [word]: { command: 'sh', args: ['-c', 'exec cat > /dev/null'] } },
    }),
    'tools/word': `${word}-file\n`,
  };
}

const kinds = ['memory', 'import', 'nested', 'rule', 'hook', 'described', 'file'].map(
  (kind) => `${ofBase}-${kind}`,
);

/** A base with every kind of configuration; each is another one in the pull request. */
async function setScene(stage: Stage) {
  const { repository } = stage;
  await repository.addCommit({ branch: 'main', message: 'Configure', files: configuration(ofBase) });
  const pull = await openPull(stage);
  const headSha = await repository.addCommit({
    branch: 'german',
    message: 'Configure otherwise',
    files: configuration(ofPull),
  });
  stage.model.script([() => ({ tools: [read(stage.path('src/greet.js'))] }), { text: 'Read.' }]);
  return { pull, headSha };
}

function sentToModel(stage: Stage): string {
  return JSON.stringify(stage.model.requests.map(({ body }) => body));
}

/** All of the base's is in force, nothing of the pull request's, whose files are there all the same. */
async function expectOfBase(run: ActionRun, stage: Stage): Promise<void> {
  expectSuccess(run);
  expect(stage.model.toolResults()[0]!.text).toContain('Helo');
  const sent = sentToModel(stage);
  expect(kinds.filter((word) => !sent.includes(word))).toEqual([]);
  expect(sent).not.toContain(ofPull);
  expect(await readFile(stage.path('CLAUDE.md'), 'utf8')).toContain(ofPull);
  expect(await readFile(stage.path('src/CLAUDE.md'), 'utf8')).toContain(ofPull);
  expectTidy(run, stage);
}

describe.each<[string, Record<string, string>]>([
  ['with the fence', {}],
  ['without it', { sandbox: 'off' }],
])('%s', (_, sandbox) => {
  test('a mention: the base is in force, the pull request’s files stay, and what differs is told', async () => {
    await using stage = await setStage();
    const { pull } = await setScene(stage);
    const run = await callOn(stage, pull, { checkout: await mergeRef(stage, pull), inputs: sandbox });

    await expectOfBase(run, stage);
    const told = stage.model.firstText();
    expect(told).toContain('come from `main`; those of this checkout are not loaded');
    for (const path of ['CLAUDE.md', 'src/CLAUDE.md', 'docs/style.md', '.mcp.json', '.claude/settings.json'])
      expect(told).toContain(`\`${path}\``);
  });

  test.each(['pull_request', 'pull_request_target', 'workflow_run'] as const)(
    'a prompt of the workflow in a `%s`',
    async (name) => {
      await using stage = await setStage();
      const { pull, headSha } = await setScene(stage);
      const run = await stage.run({
        event: await eventOf(stage, { name, pull, headSha }),
        checkout: { ref: 'german' },
        inputs: { prompt: 'Read it.', ...sandbox },
      });

      await expectOfBase(run, stage);
      expect(sentToModel(stage)).toContain('come from `main`');
    },
  );
});

type Told = Parameters<typeof callOn>[1];

async function eventOf(
  { github, repository }: Stage,
  { name, pull, headSha }: { name: string; pull: Told; headSha: string },
): Promise<Scene['event']> {
  if (name !== 'workflow_run')
    return github.event.pullRequest(pull, 'opened', { target: name === 'pull_request_target' });
  const upstream = github.createWorkflowRun(repository, {
    ...{ name: 'CI', headBranch: 'german', headSha, actor: 'octocat' },
  });
  return github.event.workflowRun(repository.record, upstream, 'completed', { sender: 'octocat' });
}

test('a prompt on a comment: GitHub is asked for the base', async () => {
  await using stage = await setStage();
  const { pull } = await setScene(stage);
  const run = await callOn(stage, pull, { checkout: { ref: 'german' }, inputs: { prompt: 'Read it.' } });
  await expectOfBase(run, stage);
});

test('a pull request from a fork', async () => {
  await using stage = await setStage();
  const { repository } = stage;
  await repository.addCommit({ branch: 'main', message: 'Configure', files: configuration(ofBase) });
  const { pull } = await openForkPull(stage, { files: configuration(ofPull) });
  stage.model.script([() => ({ tools: [read(stage.path('src/greet.js'))] }), { text: 'Read.' }]);
  const run = await callOn(stage, pull);
  await expectOfBase(run, stage);
});

test('a base that cannot be read: nothing is loaded, a warning says so, and Claude is told', async () => {
  await using stage = await setStage();
  const { repository } = stage;
  const files = Array.from({ length: 1001 }, (_, n) => [`.claude/agents/${n}.md`, ofBase]);
  await repository.addCommit({ branch: 'main', message: 'Configure', files: Object.fromEntries(files) });
  const pull = await openPull(stage);
  await repository.addCommit({ branch: 'german', message: 'Configure', files: configuration(ofPull) });
  stage.model.script([{ text: 'Read.' }]);
  const run = await callOn(stage, pull);

  expectSuccess(run);
  expect(run.summary).toContain('more than 1000 files');
  expect(sentToModel(stage)).not.toContain(ofPull);
  expect(stage.model.firstText()).toContain('settings, hooks, MCP servers and skills are not loaded');
});
