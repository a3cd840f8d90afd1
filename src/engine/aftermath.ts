/** What is left to do after a run whose process was killed, whatever it worked for: end what lives on, remove its files. */
import { rm } from 'node:fs/promises';
import { endProcesses } from '../claude/process.ts';
import { AppError } from '../words/errors.ts';
import { hostMark } from '../words/mark.ts';
import type { Result } from '../words/result.ts';
import type { Memory } from './door.ts';
import { failed } from './results.ts';
import { isOwnScratch, placesOf } from './scratch.ts';

export async function endSurvivors(run: Memory['run'] | undefined): Promise<void> {
  if (!run?.mark) return;
  await endProcesses(run.mark, null);
  await endProcesses(hostMark(run.mark), null);
}

/** A forged memory must not make post delete something else. */
export async function removeScratch(job: { temp: string }, run: Memory['run'] | undefined): Promise<void> {
  const scratch = run?.scratch;
  if (!scratch) return;
  if (!isOwnScratch(job, scratch))
    throw new AppError('gate_refused', `\`${scratch}\` is not this run's own.`);
  for (const path of placesOf(scratch)) await rm(path, { recursive: true, force: true });
}

export function interrupted(cancelled: boolean): Result {
  return failed(
    cancelled
      ? new AppError('cancelled', 'The job was cancelled.')
      : new AppError(
          'internal',
          'The run ended before the task did: its process was killed or ran out of memory.',
          {
            remedy: 'Run the workflow again; look at the job log for what ended it.',
          },
        ),
  );
}
