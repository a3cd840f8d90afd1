/** What the main steps of both actions begin with: outputs for every path, secrets masked, a cancel heard, and a door. */
import { randomUUID } from 'node:crypto';
import type { Door } from '../engine/door.ts';
import { scratchPath } from '../engine/scratch.ts';
import { AppError } from '../words/errors.ts';
import { createLog } from '../words/log.ts';
import { hostMark, runMark } from '../words/mark.ts';
import { type Redact, redactor } from '../words/redact.ts';
import { type Commands, runnerCommands } from './commands.ts';
import { type Job, type JobEnvironment, secretsOf } from './job.ts';
import { remember } from './memory.ts';
import { turnLog } from './turn-log.ts';

export interface Step {
  commands: Commands;
  redact: Redact;
  /** For the summary; each is an annotation too. */
  warnings: string[];
  openDoor(job: Job): Omit<Door, 'keep'>;
}

/** Makes the step cancellable, and its failure known, before anything else happens. */
export function beginStep(environment: JobEnvironment, write: (line: string) => void): Step {
  const commands = runnerCommands(environment, write);
  // There on every path, also when this process is killed; overwritten at the end.
  commands.output('conclusion', 'failure');
  commands.output('reason', 'internal');
  const secrets = new Set<string>();
  const redact = redactor(secrets);
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
  const openDoor: Step['openDoor'] = (job) => {
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
    const told = (tell: (message: string) => void) => (message: string) => {
      warnings.push(message);
      tell(message);
    };
    return {
      ...job,
      job: { ...environment, [runMark]: hostMark(mark) },
      scratch,
      mark,
      log,
      redact,
      addSecret,
      secrets: () => secrets,
      seen: turnLog(job, log),
      signal: cancel.signal,
      remember: (name, value) => remember({ commands, scratch }, name, value),
      warn: told(log.warning),
      note: told(log.notice),
    };
  };
  return { commands, redact, warnings, openDoor };
}
