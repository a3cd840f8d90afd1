import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probeFence } from '../../src/claude/fence.ts';
import { bash, write } from '../../testkit/claude/tools.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import {
  answer,
  answers,
  commit,
  correction,
  expectLeftInOrder,
  expectReaction,
  newBranches,
  push,
  report,
  silence,
  until,
} from './endings.ts';
import { callOn, openForkPull, openPull } from './pulls.ts';
import { type Scene, type Stage, setStage } from './stage.ts';

const { usable: isFenced } = await probeFence();

/** octocat asks, and main is killed as soon as `moment` has come. */
async function killedRun(
  stage: Stage,
  moment: Promise<unknown>,
  scene: Partial<Scene> = {},
  ask = (all: Partial<Scene>) => stage.mention('@claude fix it', all),
): Promise<ActionRun> {
  const run = await ask({ killMain: moment, keep: true, ...scene });
  expect(run.main.signal, run.log).toBe('SIGKILL');
  expect(run.post?.exitCode, run.log).toBe(0);
  expect(run.outputs).toMatchObject({ conclusion: 'failure', reason: 'internal' });
  const scratch = (await readdir(join(run.directory, 'work/_temp'))).filter((name) =>
    /^forgehand-\w{8}-/.test(name),
  );
  expect(scratch).toEqual([]);
  await expectLeftInOrder(stage, run);
  return run;
}

/** The comment, the job's page and its summary say that the run was killed, and what to do. */
function expectKillTold(stage: Stage, run: ActionRun): void {
  const error = run.annotations.find(({ level, source }) => level === 'error' && source === 'post');
  for (const place of [answer(stage), run.summary, error?.message]) {
    expect(place).toMatch(/its process was killed or ran out of memory/);
    expect(place).toMatch(/Run the workflow again/);
  }
  expect(answer(stage)).toMatch(/^❌/);
  expect(answer(stage)).toContain('(`internal`)');
  expectReaction(stage, 'confused');
}

/** Resolves when GitHub has got such a request. */
function sent(stage: Stage, method: string, path: RegExp): Promise<void> {
  return until(`${method} ${path}`, () =>
    stage.github.requests.some((request) => request.method === method && path.test(request.path)),
  );
}

/** Resolves when the model is asked for its `turn`-th answer: Claude is at work then. */
function asked(stage: Stage, turn: number): Promise<unknown> {
  return stage.model.request(turn);
}

/** More than one comment holds, and than one variable of an environment does. */
const longReport = 'A long report.\n'.repeat(9_000);

describe.concurrent('when main is killed', () => {
  test('before it has commented, nothing is left behind', async () => {
    await using stage = await setStage();
    stage.github.faults.add({ path: /\/permission$/, hang: true });
    const run = await killedRun(stage, sent(stage, 'GET', /\/permission$/));
    expect(answers(stage)).toEqual([]);
    expect(run.summary).toMatch(/its process was killed/);
  });

  test('before it knows that its comment is there, post finds the comment and ends it', async () => {
    await using stage = await setStage();
    stage.github.faults.add({ operation: 'issue', hang: true });
    const run = await killedRun(
      stage,
      until('the comment is there', () => answers(stage).length === 1),
    );
    expectKillTold(stage, run);
    expect(newBranches(stage)).toEqual([]);
  });

  test.each(['off', 'auto'])(
    'while Claude works with `sandbox: %s`, post rescues what was committed and what was not, and nothing that Claude started is left',
    async (sandbox) => {
      await using stage = await setStage();
      stage.model.script([
        ...correction(stage),
        { tools: [commit] },
        () => ({
          tools: [write(stage.path('notes.txt'), 'unfinished\n'), bash('sleep 600', { background: true })],
        }),
        silence,
      ]);
      const run = await killedRun(stage, asked(stage, 5), {
        inputs: { claude_args: '--allowedTools "Bash(sleep:*)"', sandbox },
      });
      // With a fence the kernel has ended it already.
      const survivors = run.survivors.map(({ command }) => command);
      if (sandbox === 'auto' && isFenced) expect(survivors).toEqual([]);
      else expect(survivors).toContain('sleep 600');
      expectKillTold(stage, run);
      const [branch, ...others] = newBranches(stage);
      expect(others).toEqual([]);
      expect(answer(stage)).toContain(`What was done so far is on \`${branch}\``);
      expect((await stage.repository.log(`main..${branch}`)).map(({ message }) => message.trim())).toEqual([
        'Keep what was left uncommitted for octo-org/hello#1',
        'Spell the greeting right',
      ]);
      expect(await stage.repository.file(branch!, 'notes.txt')).toBe('unfinished\n');
      // And the checkout is whose it was, whoever Claude was.
      for (const path of ['notes.txt', 'src/greet.js', '.git/config'])
        expect((await stat(stage.path(path))).uid).toBe(process.getuid?.());
    },
  );

  test('while Claude works on a pull request, post rescues onto its branch', async () => {
    await using stage = await setStage();
    const pull = await openPull(stage, 'feature');
    stage.model.script([() => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] }), silence]);
    const run = await killedRun(stage, asked(stage, 2), {}, (all) => callOn(stage, pull, all));
    expectKillTold(stage, run);
    expect(newBranches(stage)).toEqual(['feature']);
    expect(await stage.repository.file('feature', 'notes.md')).toBe('Written down.\n');
  });

  test("while Claude works on a fork's pull request, post rescues onto the fork's branch", async () => {
    await using stage = await setStage();
    const { pull, fork } = await openForkPull(stage, { head: 'feature' });
    stage.model.script([() => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] }), silence]);
    const inputs = { github_token: stage.github.token({ login: 'octocat' }) };
    const run = await killedRun(stage, asked(stage, 2), { inputs }, (all) => callOn(stage, pull, all));
    expect(run.log).not.toMatch(/is not a branch of this task/);
    expect(newBranches(stage)).toEqual([]);
    expect(await fork.file('feature', 'notes.md')).toBe('Written down.\n');
  });

  test('after its push and a long report, the comment names the branch and tells the report to its end', async () => {
    await using stage = await setStage();
    stage.model.script([
      ...correction(stage),
      { tools: [commit] },
      { tools: [push] },
      { tools: [report(`- [x] Corrected\n${longReport}`)] },
      silence,
    ]);
    await killedRun(stage, asked(stage, 6));
    const [branch] = newBranches(stage);
    const { body } = answers(stage)[0]!;
    expect(body).toMatch(/^❌/);
    expect(body).toContain(`[\`${branch}\`](`);
    expect(body).toContain('- [x] Corrected');
    expect(
      answers(stage)
        .map((part) => part.body)
        .join('')
        .match(/A long report\./g),
    ).toHaveLength(9_000);
    const pushes = stage.github.requests.filter(({ path }) => path.endsWith('git-receive-pack'));
    expect(pushes.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('in the middle of its push, post pushes instead', async () => {
    await using stage = await setStage();
    stage.model.script([() => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] })]);
    stage.github.faults.add({ path: /git-receive-pack$/, hang: true, times: 1 });
    const run = await killedRun(stage, sent(stage, 'POST', /git-receive-pack$/));
    expect(run.survivors.map(({ command }) => command).join('\n')).toContain('git push');
    expectKillTold(stage, run);
    const [branch, ...others] = newBranches(stage);
    expect(others).toEqual([]);
    expect(await stage.repository.file(branch!, 'notes.md')).toBe('Written down.\n');
  });

  test('before its last word, post says it and names the branch', async () => {
    await using stage = await setStage();
    stage.model.script([() => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] })]);
    stage.github.faults.add({ method: 'PATCH', path: /\/issues\/comments\//, hang: true, times: 1 });
    await killedRun(stage, sent(stage, 'PATCH', /\/issues\/comments\//));
    const [branch] = newBranches(stage);
    expect(answer(stage)).toContain(`What was done so far is on \`${branch}\``);
  });

  test('and GitHub takes no comment any more, post still gives back and revokes', async () => {
    await using stage = await setStage();
    const app = await stage.github.createApp({ slug: 'forgehand', owner: 'octo-org' });
    stage.github.installApp(app, 'octo-org');
    const moment = until('the comment is there', () => answers(stage).length === 1).then(() =>
      stage.github.faults.add({ path: /\/issues\/comments\//, status: 502 }),
    );
    stage.github.faults.add({ operation: 'issue', hang: true });
    const run = await killedRun(stage, moment, {
      inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
    });
    expect(answer(stage)).toMatch(/^⏳/);
    expect(run.log).toMatch(/The tracking comment could not be finished: .*502/);
    expect(await readFile(stage.path('.git/config'), 'utf8')).toBe(stage.givenConfig);
    expect(minted(stage)).toEqual([{ revoked: true }]);
    expect(run.summary).toMatch(/its process was killed/);
  });

  test('with a token of an App, post ends the comment as that App and revokes the token', async () => {
    await using stage = await setStage();
    const app = await stage.github.createApp({ slug: 'forgehand', owner: 'octo-org' });
    stage.github.installApp(app, 'octo-org');
    stage.model.script([silence]);
    const run = await killedRun(stage, asked(stage, 1), {
      inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
    });
    expectKillTold(stage, run);
    expect(answers(stage)[0]!.author!.login).toBe('forgehand[bot]');
    expect(minted(stage)).toEqual([{ revoked: true }]);
  });
});

function minted(stage: Stage): { revoked: boolean }[] {
  return stage.github
    .tokens()
    .filter(({ kind }) => kind === 'installation')
    .map(({ revoked }) => ({ revoked }));
}
