/** Runs the chapters of the chaos story: each point once by default, with every victim in `npm run test:scale`. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Chapter, type Point, points } from './chaos-points.ts';
import { survive } from './chaos-story.ts';
import type { Victim } from './chaos-victims.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

/** Set by `npm run test:scale`. */
export const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';
const rounds = Number(process.env.FORGEHAND_TEST_ROUNDS ?? (isScale ? 10 : 1));
/** A part of a point's name, to look at one. */
const only = process.env.FORGEHAND_TEST_POINT ?? '';

/** One part of a chapter's points; several parts are files of their own, so that they run side by side. */
export function chaos(chapter: Chapter, part: { of: number; index: number } = { of: 1, index: 0 }): void {
  const mine = points[chapter].filter(
    ({ name }, index) => index % part.of === part.index && name.includes(only),
  );
  const cases = mine.flatMap((point) =>
    (isScale ? point.victims : point.victims.slice(0, 1)).map((victim): [string, Point, Victim] => [
      `${point.name}: ${victim} killed`,
      point,
      victim,
    ]),
  );
  for (let round = 1; round <= rounds; round += 1) {
    describe(rounds > 1 ? `round ${round}` : chapter, () => {
      let stage: ServerStage;
      beforeAll(async () => {
        // What is slow on a busy machine is not to be taken for silence.
        stage = await setServerStage({ env: { MAX_SESSIONS_PER_REPOSITORY: '4' } });
      }, 60_000);
      afterAll(() => stage?.[Symbol.asyncDispose]());
      test.each(cases)('%s', (_, point, victim) => survive(stage, point, victim), 120_000);
    });
  }
}
