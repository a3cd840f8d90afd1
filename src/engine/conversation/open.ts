/** Whether a run goes on with a conversation and keeps it: decided from the settings, loaded only where the answer is yes. */
import type { ClaudeArguments } from '../../claude/arguments.ts';
import type { Config } from '../../words/config.ts';
import { AppError } from '../../words/errors.ts';
import { dispatchOf, hasBranch, type Task } from '../../words/task.ts';
import type { Door } from '../door.ts';
import type { Continuation } from './continuation.ts';

/** Whether there is something to know a conversation by: the thread in tag mode, or a dispatch's id of a session. */
export function canGoOn(task: Task): boolean {
  return hasBranch(task) && (task.subject !== null || dispatchOf(task) !== null);
}

/** Null where no conversation is kept. @throws AppError `invalid_input` for a dispatch's session that is not there. */
export async function openContinuation(door: Door, task: Task): Promise<Continuation | null> {
  if (!door.config.resume || !canGoOn(task)) return null;
  const { Continuation } = await import('./continuation.ts');
  const continuation = new Continuation(door, task);
  await continuation.open();
  return continuation;
}

/** @throws AppError `invalid_input` */
export function checkConversation(config: Config, args: ClaudeArguments, task: Task): void {
  if (dispatchOf(task)?.sessionId && !config.resume) {
    throw new AppError(
      'invalid_input',
      '`client_payload.session_id`: this workflow keeps no sessions that could go on.',
      { remedy: 'Leave it out, or set `resume: true` in the workflow.' },
    );
  }
  if (!config.resume || !canGoOn(task)) return;
  const flag = ['resume', 'session-id', 'fork-session', 'no-session-persistence'].find(
    (name) => name in args.extra,
  );
  if (flag)
    throw new AppError(
      'invalid_input',
      `Inputs \`resume\` and \`claude_args: --${flag}\` contradict each other.`,
      {
        remedy: 'Give one of them.',
      },
    );
}
