/** The Action's main step: the job's event in, one handled task out, outputs and exit code on every path. */
import { randomUUID } from 'node:crypto';
import type { Door, Keep } from '../engine/door.ts';
import { type Ending, handle } from '../engine/handle.ts';
import { failed } from '../engine/results.ts';
import { scratchPath } from '../engine/scratch.ts';
import { parseEvent } from '../trigger/event.ts';
import { AppError } from '../words/errors.ts';
import { createLog } from '../words/log.ts';
import { hostMark, runMark } from '../words/mark.ts';
import { redactor } from '../words/redact.ts';
import { runnerCommands } from './commands.ts';
import { show } from './ending.ts';
import { type Job, readJob, readPayload, secretsOf } from './job.ts';
import { remember } from './memory.ts';
import type { CacheSource } from './runner-cache.ts';
import { turnLog } from './turn-log.ts';

const commands = runnerCommands(process.env, (line) => process.stdout.write(`${line}\n`));
// There on every path, also when this process is killed; overwritten at the end.
commands.output('conclusion', 'failure');
commands.output('reason', 'internal');

const secrets = new Set<string>();
const redact = redactor(secrets);
/** For the summary; each is an annotation too. */
const warnings: string[] = [];
const cancel = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    commands.state('cancelled', 'true');
    commands.output('conclusion', 'cancelled');
    commands.output('reason', 'cancelled');
    cancel.abort(new AppError('cancelled', 'The job was cancelled.'));
  });
}

process.exit(await main());

async function main(): Promise<number> {
  const job = readJob(process.env);
  const door = openDoor(job);
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
  const code = await show({ ending, job, commands, redact, warnings });
  commands.state('ended', 'true');
  return code;
}

/** Loaded by the runs that ask for it. */
function keepIn(cache: CacheSource): Keep {
  const loaded = async () => (await import('./runner-cache.ts')).runnerCache(cache);
  return {
    save: async (key, bytes) => (await loaded()).save(key, bytes),
    restore: async (prefix) => (await loaded()).restore(prefix),
  };
}

function openDoor(job: Job): Door {
  const mark = randomUUID();
  const scratch = scratchPath(job, mark);
  const log = createLog((level, message, fields) => {
    if (level !== 'debug' || job.debug) commands.sink(level, redact(message), fields);
  });
  const addSecret = (value: string) => {
    if (!value || secrets.has(value)) return;
    secrets.add(value);
    commands.mask(value);
  };
  for (const secret of secretsOf(job)) addSecret(secret);
  const warn = (message: string) => {
    warnings.push(message);
    log.warning(message);
  };
  const note = (message: string) => {
    warnings.push(message);
    log.notice(message);
  };
  return {
    ...job,
    job: { ...process.env, [runMark]: hostMark(mark) },
    scratch,
    mark,
    log,
    redact,
    addSecret,
    secrets: () => secrets,
    seen: turnLog(job, log),
    signal: cancel.signal,
    remember: (name, value) => remember({ commands, scratch }, name, value),
    keep: job.cache && keepIn(job.cache),
    warn,
    note,
  };
}
