/** `forgehand dispatch`: starts a task by a `repository_dispatch`, and shows how it goes until it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { dispatchTask } from '../client/dispatch-task.ts';
import { RefusedError } from '../client/refusal.ts';
import { AppError, toUserMessage } from '../words/errors.ts';
import type { ProgressStatus } from '../words/progress.ts';
import { redactor } from '../words/redact.ts';
import { readArguments, usage, type Wanted } from './dispatch-arguments.ts';
import { followRun } from './dispatch-run.ts';
import { type Clock, isWaiting, type Step } from './dispatch-step.ts';
import { followStream } from './dispatch-stream.ts';
import { jsonLine, printable, quoted } from './dispatch-text.ts';
import { jsonView, liveView, plainView, type View } from './dispatch-view.ts';

const codes = { completed: 0, failed: 1, usage: 2, refused: 3, cancelled: 4, interrupted: 130 };
const clock: Clock = { now: () => Date.now(), wait: (ms) => sleep(ms) };

/** @returns the exit code. */
export async function dispatchCommand(args: string[]): Promise<number> {
  let wanted: Wanted | null = null;
  try {
    wanted = readArguments(args, process.env);
    if (!wanted) {
      console.log(usage);
      return 0;
    }
    // Also while the task is started: it must not be said to be unknown when it runs.
    const interrupted = wanted.follow ? untilInterrupted() : null;
    if (wanted.dispatch) await start(wanted, wanted.dispatch);
    return interrupted ? await follow(wanted, interrupted) : 0;
  } catch (error) {
    return refuse(error, wanted);
  }
}

function untilInterrupted(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('interrupted'));
  });
}

async function start(wanted: Wanted, dispatch: NonNullable<Wanted['dispatch']>): Promise<void> {
  await dispatchTask(dispatch);
  const { repository, correlationId, follow, json } = wanted;
  if (json && !follow) console.log(jsonLine({ repository, correlation_id: correlationId }));
  if (json) return;
  console.log(`Started in ${repository} as ${correlationId}.`);
  if (!follow) console.log(`See how it goes: ${again(wanted)}`);
}

async function follow(wanted: Wanted, interrupted: Promise<'interrupted'>): Promise<number> {
  const view = viewOf(wanted);
  let status: ProgressStatus | null = null;
  try {
    const steps = stepsOf(wanted);
    for (;;) {
      const next = await Promise.race([steps.next(), interrupted]);
      if (next === 'interrupted') break;
      if (next.done) return status === 'completed' || status === 'cancelled' ? codes[status] : codes.failed;
      view.show(next.value);
      if (!isWaiting(next.value)) status = next.value.status;
    }
  } finally {
    view.close();
  }
  console.error(`\nThe task goes on. See how: ${again(wanted)}`);
  return codes.interrupted;
}

function stepsOf({ repository, correlationId, server, ...wanted }: Wanted): AsyncGenerator<Step> {
  const { githubToken: token, operatorToken, apiUrl } = wanted;
  return server
    ? followStream({ server, operatorToken, correlationId }, clock)
    : followRun({ repository, correlationId, token, apiUrl }, clock);
}

function viewOf({ json }: Wanted): View {
  const { stdout, stderr } = process;
  if (json) return jsonView(stdout, stderr);
  return stdout.isTTY ? liveView(stdout, clock.now) : plainView(stdout, clock.now);
}

/** The command that looks at the same task again. */
function again({ repository, correlationId, server, json }: Wanted): string {
  const words = ['forgehand', 'dispatch', repository, '--follow', '--correlation-id', correlationId];
  return [...words, ...(server ? ['--server', server] : []), ...(json ? ['--json'] : [])]
    .map(quoted)
    .join(' ');
}

function refuse(error: unknown, wanted: Wanted | null): number {
  const { message, remedy } = toUserMessage(error);
  const redact = redactor(wanted ? [wanted.githubToken, wanted.operatorToken] : []);
  console.error(printable(redact(`forgehand dispatch: ${message}\n${remedy}`)));
  if (!wanted) console.error(`\n${usage}`);
  const isUsage = error instanceof AppError && error.reason === 'invalid_input';
  return isUsage && !(error instanceof RefusedError) ? codes.usage : codes.refused;
}
