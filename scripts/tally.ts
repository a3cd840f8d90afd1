/** Vitest reporter whose last line is `N passed, N failed, N skipped`; names what was skipped. */
import type { Reporter, TestModule } from 'vitest/node';

export default class Tally implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    let brokenFiles = 0;
    for (const module of modules) {
      if (module.errors().length > 0) brokenFiles += 1;
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'skipped') console.log(`skipped: ${test.fullName}`);
      }
    }
    // After the default reporter's own summary.
    process.on('exit', () =>
      console.log(
        `${count.passed} passed, ${count.failed + brokenFiles} failed, ${count.skipped + count.pending} skipped`,
      ),
    );
  }
}
