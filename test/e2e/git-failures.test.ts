import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { write } from '../../testkit/claude/tools.ts';
import { answer, expectSuccess, expectToldEverywhere, newBranches } from './endings.ts';
import { callOn, openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

/** Claude writes one file; `meanwhile` is what somebody else does at the same time. */
async function workingStage(meanwhile: (stage: Stage) => Promise<unknown> = async () => {}): Promise<Stage> {
  const stage = await setStage();
  stage.model.script([
    async () => {
      await meanwhile(stage);
      return { tools: [write(stage.path('notes.md'), 'Written down.\n')] };
    },
    { text: 'Done.' },
  ]);
  return stage;
}

const known = { branch_name_template: 'claude/known-{{entityNumber}}' };

/** What could not be published is in a file that the comment names. */
async function expectPatch(stage: Stage): Promise<void> {
  const file = /kept as a patch on the machine of this run: `([^`]+)`/.exec(answer(stage))?.[1];
  expect(await readFile(file!, 'utf8')).toContain('+Written down.');
}

describe.concurrent('publishing the work', () => {
  test('to a protected branch fails with the words of the server, and the work is kept as a patch', async () => {
    await using stage = await workingStage();
    stage.repository.protect('claude/known-1');
    const run = await stage.mention('@claude write it down', { inputs: known, keep: true });
    await expectToldEverywhere(stage, run, {
      reason: 'git_failed',
      cause: /refused the push to `claude\/known-1` of octo-org\/hello: .*Protected branch update failed/s,
      remedy: /branch protection/,
    });
    expect(newBranches(stage)).toEqual([]);
    await expectPatch(stage);
  });

  test('goes to another name when somebody took the branch meanwhile, and the comment says so', async () => {
    await using stage = await workingStage(async ({ repository }) => {
      const message = 'Mine';
      await repository.addCommit({ branch: 'claude/known-1', message, files: { 'theirs.md': 'Theirs.\n' } });
      await repository.addCommit({ branch: 'main', message, files: { 'notes.md': 'Theirs.\n' } });
    });
    const run = await stage.mention('@claude write it down', { inputs: known });
    await expectSuccess(stage, run);
    expect(run.outputs.branch_name).toBe('claude/known-1-2');
    expect(await stage.repository.file('claude/known-1-2', 'notes.md')).toBe('Written down.\n');
    expect(await stage.repository.files('claude/known-1')).not.toContain('notes.md');
    expect(answer(stage)).toContain('The work is on `claude/known-1-2`, as `claude/known-1`');
    expect(answer(stage)).toContain(
      '`main` has 1 newer commit, and a trial merge conflicts in `notes.md`. Nothing was merged: merge `main` into `claude/known-1-2`',
    );
  });

  test('goes to a branch of its own when somebody pushed to the pull request meanwhile', async () => {
    await using stage = await workingStage(({ repository }) =>
      repository.addCommit({ branch: 'feature', message: 'Mine', files: { 'theirs.md': 'Theirs.\n' } }),
    );
    const run = await callOn(stage, await openPull(stage, 'feature'));
    await expectSuccess(stage, run);
    const [own, ...others] = newBranches(stage, ['main', 'feature']);
    expect(others).toEqual([]);
    expect(run.outputs.branch_name).toBe(own);
    expect(await stage.repository.file(own!, 'notes.md')).toBe('Written down.\n');
    expect(await stage.repository.files('feature')).not.toContain('notes.md');
    expect(answer(stage)).toContain(`The work is on \`${own}\`, as \`feature\``);
  });

  test('with a token that may not write names the permission, and the work is kept as a patch', async () => {
    await using stage = await workingStage();
    const permissions = { contents: 'read', issues: 'write', pull_requests: 'write' } as const;
    const token = stage.github.token({ kind: 'actions', permissions, repositories: ['octo-org/hello'] });
    const run = await stage.mention('@claude write it down', { inputs: { github_token: token }, keep: true });
    await expectToldEverywhere(stage, run, {
      reason: 'github_auth',
      cause: /`git push` failed .*403/s,
      remedy: /`permissions: contents: write`/,
    });
    expect(newBranches(stage)).toEqual([]);
    await expectPatch(stage);
  });
});

describe.concurrent('reading the repository', () => {
  test('of a pull request fails for good, which ends the run before Claude is asked', async () => {
    await using stage = await workingStage();
    stage.github.faults.add({ path: /\/octo-org\/hello\.git\/git-upload-pack$/, status: 502 });
    const run = await callOn(stage, await openPull(stage, 'feature'));
    await expectToldEverywhere(stage, run, {
      reason: 'github_unavailable',
      cause: /`git fetch` failed .*502/s,
      remedy: /githubstatus\.com/,
    });
    expect(stage.model.main).toEqual([]);
  });
});
