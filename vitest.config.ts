/** How the tests run: unit tests beside the file, contracts and whole stories under `test/`. */
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Set by `npm run test:scale`. */
const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';

/** In this order: whatever runs last runs alone, so that should be short. */
const longestFirst = [/chaos-|gate\.attacks/, /\/test\/e2e\//, /hostile-project|embedded|\.kills|leftovers/];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const found = longestFirst.findIndex((names) => names.test(moduleId));
      return found < 0 ? longestFirst.length : found;
    };
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'testkit/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isScale ? [] : ['test/e2e/*-scale.test.ts'])],
    globalSetup: ['test/temporary-directory.ts'],
    // Stories wait for processes as much as they work: with fewer, two cores are idle now and then.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // Guards against what hangs, nothing else: a busy machine may take its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 120_000 } },
    reporters: ['default', './scripts/tally.ts'],
  },
});
