/** Runs the benchmarks, each printing one comparable line: figures, the floor beside them, and the ratio. */
import { measureCommit, measureIgnored } from './action.ts';
import { benchStage } from './action-stage.ts';
import { measureContext } from './context.ts';
import { measureScale } from './scale.ts';
import { measureServer } from './server.ts';
import { measureSecondWorkspace } from './workspace.ts';

const benches: Record<string, (runs: number) => Promise<void>> = {
  action: async (runs) => {
    console.log('\nThe Action; GitHub answers after 50 ms.');
    await using stage = await benchStage();
    await measureIgnored(stage, runs);
    await measureCommit(stage, runs);
  },
  workspace: (runs) => measureSecondWorkspace(Math.min(runs, 5)),
  context: (runs) => measureContext(Math.min(runs, 5)),
  server: measureServer,
  // Asked for by name only.
  scale: measureScale,
};

const words = process.argv.slice(2);
const runs = Number(words.find((word) => /^\d+$/.test(word)) ?? 9);
const asked = words.filter((word) => !/^\d+$/.test(word));
console.log(`Medians of ${runs} runs (least to most).`);
for (const name of asked.length > 0 ? asked : ['action', 'workspace', 'context', 'server'])
  await benches[name]!(runs);
