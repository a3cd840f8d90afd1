/** Runs the chapters of the chaos story: every other point once by default; all, with every victim, in `npm run test:scale`. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Chapter, everyOther, type Point, points } from './chaos-points.ts';
import { survive } from './chaos-story.ts';
import type { Victim } from './chaos-victims.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

/** Set by `npm run test:scale`. */
export const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';
const rounds = Number(process.env.FORGEHAND_TEST_ROUNDS ?? (isScale ? 10 : 1));
/** A part of a point's name, to look at one. */
const only = process.env.FORGEHAND_TEST_POINT ?? '';

/** Stories wait more than they work: so many are told at once, each on a stage of its own. */
const stagesAtOnce = 3;

export function chaos(chapter: Chapter): void {
  const isWhole = isScale || only;
  const mine = points[chapter].filter(
    (point) => (isWhole || everyOther.includes(point)) && point.name.includes(only),
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
      let stages: ServerStage[] = [];
      const waiting: ((stage: ServerStage) => void)[] = [];
      const free: ServerStage[] = [];
      const take = () => free.shift() ?? new Promise<ServerStage>((resolve) => waiting.push(resolve));
      const give = (stage: ServerStage) => {
        const next = waiting.shift();
        if (next) next(stage);
        else free.push(stage);
      };
      beforeAll(async () => {
        stages = await Promise.all(Array.from({ length: stagesAtOnce }, () => setServerStage()));
        for (const stage of stages) give(stage);
      });
      afterAll(() => Promise.all(stages.map((stage) => stage[Symbol.asyncDispose]())), 60_000);
      test.concurrent.each(cases)(
        '%s',
        async (_, point, victim) => {
          const stage = await take();
          await survive(stage, point, victim).finally(() => give(stage));
        },
        // Most of it is waiting for a stage.
        1_800_000,
      );
    });
  }
}
