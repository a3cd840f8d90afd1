import { describe, expect, test } from 'vitest';
import {
  answer,
  answers,
  commit,
  correction,
  expectLeftInOrder,
  expectReaction,
  expectToldEverywhere,
  newBranches,
  silence,
  until,
} from './endings.ts';
import { type Stage, setStage } from './stage.ts';

/** Claude has committed and is at work on its next turn. */
async function atWork(): Promise<Stage> {
  const stage = await setStage();
  stage.model.script([...correction(stage), { tools: [commit] }, silence]);
  return stage;
}

const told = {
  conclusion: 'cancelled',
  reason: 'cancelled',
  cause: /The job was cancelled/,
  remedy: /Run the workflow again, or ask again, to go on/,
} as const;

async function expectWorkKept(stage: Stage): Promise<void> {
  const [branch, ...others] = newBranches(stage);
  expect(others).toEqual([]);
  expect(await stage.repository.file(branch!, 'src/greet.js')).toContain('Hello');
  expect(answer(stage)).toContain(`What was done so far is on \`${branch}\``);
}

/** Main takes as long as it takes: how long the runner waits for it is another story. */
const unhurried = { cancelScale: 4 };

describe.concurrent('when the job is cancelled', () => {
  test('while Claude works, main saves the work, says it, and leaves nothing to post', async () => {
    await using stage = await atWork();
    const run = await stage.mention('@claude fix it', {
      ...unhurried,
      cancelAfter: stage.model.request(4),
    });
    await expectToldEverywhere(stage, run, told);
    await expectWorkKept(stage);
    expect(run.main.signals.map(({ signal }) => signal)).toEqual(['SIGINT']);
    expect(stage.github.requests.filter(({ startedAt }) => startedAt > run.main.endedAt)).toEqual([]);
  });

  test('before Claude was asked anything, the comment says so', async () => {
    await using stage = await atWork();
    stage.github.faults.add({ operation: 'issue', delayMs: 300 });
    const run = await stage.mention('@claude fix it', {
      ...unhurried,
      cancelAfter: until('the comment is there', () => answers(stage).length === 1),
    });
    await expectToldEverywhere(stage, run, told);
    expect(newBranches(stage)).toEqual([]);
  });

  test('and main is too slow, so that it is killed, post saves the work, says it, and revokes the token', async () => {
    await using stage = await atWork();
    const app = await stage.github.createApp({ slug: 'forgehand', owner: 'octo-org' });
    stage.github.installApp(app, 'octo-org');
    const run = await stage.mention('@claude fix it', {
      inputs: { github_token: '', app_id: String(app.id), app_private_key: app.privateKey },
      // Main has the time to come to its push, and not the time to wait for it.
      cancelScale: 0.3,
      cancelAfter: stage.model.request(4).then(() => {
        // The first push hangs, which keeps main busy to its end; post's own gets through.
        stage.github.faults.add({ path: /\.git\/info\/refs$/, hang: true, times: 1 });
      }),
    });
    expect(run.main.signals.map(({ signal }) => signal)).toEqual(['SIGINT', 'SIGTERM', 'SIGKILL']);
    expect(run.outputs).toMatchObject({ conclusion: 'cancelled', reason: 'cancelled' });
    for (const place of [answer(stage), run.summary, run.annotations.at(-1)?.message]) {
      expect(place).toMatch(told.cause);
      expect(place).toMatch(told.remedy);
    }
    expect(answer(stage)).toMatch(/^⏹️/);
    await expectWorkKept(stage);
    expectReaction(stage, 'confused');
    await expectLeftInOrder(stage, run);
    expect(stage.github.tokens().filter(({ kind }) => kind === 'installation')).toMatchObject([
      { revoked: true },
    ]);
  });
});
