/** Runs the benchmarks, each printing one comparable line: figures, the floor beside them, and the ratio. */

import { measureCommit, measureIgnored } from './action.ts';
import { benchStage } from './action-stage.ts';
import { measureSecondWorkspace } from './workspace.ts';

const runs = Number(process.argv[2] ?? 9);
console.log(`Medians of ${runs} runs (least to most); GitHub answers after 50 ms.\n`);
await using stage = await benchStage();
await measureIgnored(stage, runs);
await measureCommit(stage, runs);
await measureSecondWorkspace(Math.min(runs, 5));
