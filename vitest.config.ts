/** How the tests run: unit tests beside the file, contracts and whole stories under `test/`. */
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Set by `npm run test:scale`. */
const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';

/** The files that take minutes begin first: whatever runs last runs alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => /chaos-|gate\.attacks/.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'testkit/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isScale ? [] : ['test/e2e/*-scale.test.ts'])],
    globalSetup: ['test/temporary-directory.ts'],
    // Stories wait for processes more than they work: with fewer, two cores are idle half of the time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // Guards against what hangs, nothing else: a busy machine may take its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 120_000 } },
    reporters: ['default', './scripts/tally.ts'],
  },
});
