/** The base-action's post step: a main that was killed leaves no process, no file, and the directory to its owners. */
import { giveBack } from '../claude/fence-owner.ts';
import { endSurvivors, interrupted, removeScratch } from '../engine/aftermath.ts';
import type { Memory } from '../engine/door.ts';
import { renderSummary } from '../report/step-summary.ts';
import { createLog } from '../words/log.ts';
import { redactor } from '../words/redact.ts';
import { runnerCommands } from './commands.ts';
import { readBaseJob, secretsOf } from './job.ts';
import { recall } from './memory.ts';

const commands = runnerCommands(process.env, (line) => process.stdout.write(`${line}\n`));
const job = readBaseJob(process.env);
const redact = redactor(new Set(secretsOf(job)));
const log = createLog((level, message, fields) => commands.sink(level, redact(message), fields));

const attempt = (what: string, step: () => unknown) =>
  Promise.resolve()
    .then(step)
    .catch((error: Error) => log.warning(`${what}: ${error.message}`));

function remembered<Name extends keyof Memory>(name: Name): Memory[Name] | undefined {
  try {
    return recall(process.env, job.temp, name);
  } catch {
    log.warning(`What main remembered as \`${name}\` cannot be read.`);
    return undefined;
  }
}

const run = remembered('run');
await attempt('A surviving process could not be ended', () => endSurvivors(run));
if (run && !remembered('ended')) {
  const result = interrupted(remembered('cancelled') ?? false);
  log.error(`${result.summary}\n${result.remedy}`);
  const decision = 'The run was finished by the post step.';
  commands.summary(renderSummary({ decision, facts: [], result, delivery: '', warnings: [], report: '' }));
  const owners = remembered('owners');
  await attempt('The directory could not be given back', async () => {
    if (owners && process.getuid?.() === 0) await giveBack(job.directory, owners);
  });
}
await attempt('The scratch directory could not be removed', () => removeScratch(job, run));
process.exit(0);
