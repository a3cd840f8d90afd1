/** How the tests run: unit tests beside the file, contracts and whole stories under `test/`. */
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** Set by `npm run test:scale`. */
const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'testkit/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(isScale ? [] : ['test/e2e/*-scale.test.ts'])],
    // Stories wait for processes more than they work: with fewer, two cores are idle half of the time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './scripts/tally.ts'],
  },
});
