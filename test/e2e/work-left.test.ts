import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { bash, write } from '../../testkit/claude/tools.ts';
import { answer, answers, expectSuccess, newBranches } from './endings.ts';
import { setStage } from './stage.ts';

describe.concurrent('at the end of a run', () => {
  test('what is committed or not, ignored or secret, is each dealt with as it should', async () => {
    await using stage = await setStage();
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    stage.model.script([
      () => ({
        tools: [write(stage.path('done.md'), 'Done.\n'), write(stage.path('.gitignore'), 'build/\n')],
      }),
      { tools: [bash('git add -A && git commit -qm "Do it"')] },
      () => ({
        tools: [
          write(stage.path('half.md'), 'Half done.\n'),
          write(stage.path('build/output.js'), 'built\n'),
          write(stage.path('config.txt'), `token = ${secret}\n`),
        ],
      }),
      { text: 'I did it.' },
    ]);
    const run = await stage.mention('@claude do it', { keep: true });
    await expectSuccess(stage, run);
    const [branch, ...others] = newBranches(stage);
    expect(others).toEqual([]);
    const files = await stage.repository.files(branch!);
    expect(files).toEqual(expect.arrayContaining(['done.md', 'half.md', '.gitignore']));
    expect(files).not.toContain('build/output.js');
    expect(files).not.toContain('config.txt');
    expect(answer(stage)).toMatch(/Not committed: `config\.txt` \(it contains a secret/);
    expect(answer(stage)).not.toContain(secret);
    expect(run.rawLog).not.toContain(secret);
    const patch = /kept as a patch on the machine of this run: `([^`]+)`/.exec(answer(stage))?.[1];
    if (patch) expect(await readFile(patch, 'utf8')).not.toContain(secret);
  });

  test('without changes there is no branch, and the last words are the answer', async () => {
    await using stage = await setStage([{ text: 'It **is** spelt that way on purpose.' }]);
    const run = await stage.mention('@claude is this right?');
    await expectSuccess(stage, run);
    expect(newBranches(stage)).toEqual([]);
    expect(run.outputs.branch_name).toBeUndefined();
    expect(answer(stage)).toContain('It **is** spelt that way on purpose.');
    expect(answer(stage)).not.toContain('Create pull request');
  });

  test('words longer than a comment go on below it', async () => {
    const lines = Array.from(
      { length: 3_000 },
      (_, index) => `Line ${index} of a long report, word for word.`,
    );
    await using stage = await setStage([{ text: lines.join('\n') }]);
    const run = await stage.mention('@claude report');
    expect(run.main.exitCode, run.log).toBe(0);
    const bodies = answers(stage).map(({ body }) => body);
    expect(bodies.length).toBeGreaterThan(1);
    for (const body of bodies) expect(body.length).toBeLessThanOrEqual(65_536);
    expect(bodies[0]).toContain('*Continued below.*');
    const shown = bodies.join('\n').match(/^Line \d+ of a long report, word for word\.$/gm);
    expect(shown).toEqual(lines);
  });
});
