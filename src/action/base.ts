/** The base-action's main step: a prompt in, Claude Code at work where the job says, outputs and exit code on every path. */
import { runPrompt } from '../engine/prompt-run.ts';
import { concluded, failed } from '../engine/results.ts';
import { AppError } from '../words/errors.ts';
import type { Result } from '../words/result.ts';
import { show } from './ending.ts';
import { type Job, readBaseJob } from './job.ts';
import { promptOf } from './prompt.ts';
import { beginStep } from './step.ts';

const step = beginStep(process.env, (line) => process.stdout.write(`${line}\n`));

process.exit(await main());

async function main(): Promise<number> {
  const job = readBaseJob(process.env);
  const messages: unknown[] = [];
  const result = await work(job, messages).catch(failed);
  const decision = `Claude Code worked on a prompt in \`${job.directory}\`.`;
  const ending = { result, task: null, decision, facts: [], delivery: '', messages, token: null };
  const code = await show({ ending, job, ...step });
  step.commands.state('ended', 'true');
  return code;
}

async function work(job: Job, messages: unknown[]): Promise<Result> {
  const door = step.openDoor(job);
  for (const warning of job.warnings) door.warn(warning);
  const problems = job.problems.map(({ name, message }) => `Input \`${name}\`: ${message}.`);
  if (problems.length > 0) throw new AppError('invalid_input', problems.join('\n'));
  const seen = (message: unknown) => {
    messages.push(message);
    door.seen(message);
  };
  const { prompt } = job.config;
  const file = process.env.INPUT_PROMPT_FILE ?? '';
  const given = await promptOf({ prompt, file, directory: job.directory });
  const session = await runPrompt(given, { ...door, seen });
  return concluded({ session, branch: null, pullRequestUrl: null, publishError: null, notes: [] });
}
