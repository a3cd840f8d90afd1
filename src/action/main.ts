/** The Action's main step: the job's event in, one handled task out, outputs and exit code on every path. */
import type { Keep } from '../engine/door.ts';
import { type Ending, handle } from '../engine/handle.ts';
import { failed } from '../engine/results.ts';
import { parseEvent } from '../trigger/event.ts';
import { show } from './ending.ts';
import { readJob, readPayload } from './job.ts';
import type { CacheSource } from './runner-cache.ts';
import { beginStep } from './step.ts';

const step = beginStep(process.env, (line) => process.stdout.write(`${line}\n`));

process.exit(await main());

async function main(): Promise<number> {
  const job = readJob(process.env);
  const door = { ...step.openDoor(job), keep: job.cache && keepIn(job.cache) };
  let ending: Ending;
  try {
    const event = parseEvent({
      name: job.eventName,
      payload: readPayload(process.env),
      deliveryId: null,
      fallback: { repository: job.repository, actor: job.actor },
    });
    ending = await handle(event, door);
  } catch (error) {
    ending = {
      result: failed(error),
      task: null,
      decision: 'The event could not be read.',
      facts: [],
      delivery: '',
      messages: [],
      token: null,
    };
  }
  const code = await show({ ending, job, ...step });
  step.commands.state('ended', 'true');
  return code;
}

/** Loaded by the runs that ask for it. */
function keepIn(cache: CacheSource): Keep {
  const loaded = async () => (await import('./runner-cache.ts')).runnerCache(cache);
  return {
    save: async (...entry) => (await loaded()).save(...entry),
    restore: async (...wanted) => (await loaded()).restore(...wanted),
  };
}
