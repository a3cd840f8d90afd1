/** What becomes of a session that could not begin or go on: tried again by itself, or a pause that is said in the thread. */
import { toUserMessage } from '../../words/errors.ts';
import { LeaseLost, releaseLease } from '../store/leases.ts';
import { openMessages } from '../store/session-messages.ts';
import {
  handBack,
  pauseThread,
  readThread,
  type ThreadRow,
  takeBackPause,
} from '../store/session-threads.ts';
import type { Answers } from './answer.ts';
import { type SessionContext, tell } from './context.ts';
import { type Ending, isAway, refusal, renamed, retryRemedy } from './endings.ts';

/** What there is of a session before it has GitHub. */
type Place = Pick<SessionContext, 'database' | 'held' | 'host' | 'log' | 'show'>;

/** GitHub gives no token: nobody can be told in the thread, so that it is said where it can. */
export async function unconnected(place: Place & { thread: ThreadRow }, error: unknown): Promise<null> {
  const { reason, message } = toUserMessage(error);
  const { database, held, thread } = place;
  if (reason === 'github_unavailable') {
    await tell(place, 'again', { why: message });
    await handBack(database, held, { delaySeconds: pause(thread), forgive: true });
    return null;
  }
  await pauseThread(database, held, { reason, message });
  await tell(place, 'paused', { reason, message });
  await releaseLease(database, held.key, held.lease);
  return null;
}

/** What is not the message's fault is tried again; everything else waits for a person and is said in the thread. */
export async function failed(context: SessionContext, answers: Answers, error: unknown): Promise<Ending> {
  if (error instanceof LeaseLost) return { kind: 'lost', why: error.message };
  const { reason, message, remedy } = toUserMessage(error);
  const { database, held, thread } = context;
  const now = await readThread(database, held.key);
  if (now && now.repository !== thread.repository) return renamed(now);
  context.log.error(`${held.key}: ${message}`, { reason });
  const delaySeconds = pause(thread);
  if (reason === 'handed_over') return { kind: 'lost', why: message };
  // An App's token can be revoked before its time: the next session asks for a new one.
  const mayRenew = reason === 'github_auth' && context.connection.credential.kind === 'app';
  const passes = reason === 'github_unavailable' || reason === 'cancelled';
  if (passes || (mayRenew && thread.failures === 0))
    return { kind: 'again', delaySeconds, forgive: true, why: message };
  const isFull = isDiskFull(error);
  if (reason === 'internal' && !isFull) return { kind: 'again', delaySeconds, forgive: false, why: message };
  const why = isFull ? `The disk of the server is full. ${message}` : message;
  const help = isFull ? 'Ask its operator to make room.' : remedy;
  await pauseThread(database, held, { reason, message: why });
  await tell(context, 'paused', { reason, message: why });
  const said = refusal({ reason, message: why, remedy: `${help} Then: ${retryRemedy}` });
  try {
    await answers.finish(said, await openMessages(database, held.key));
  } catch (unsaid) {
    if (isAway(unsaid)) {
      await takeBackPause(database, held, reason);
      return { kind: 'again', delaySeconds, forgive: true, why: message };
    }
    // A repository that is gone has no thread to say it in.
    await tell(context, 'unsaid', { why: toUserMessage(unsaid).message });
  }
  return { kind: 'paused' };
}

/** Trying again would only meet it again; a person has to make room. */
function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as { code?: string } | null)?.code ?? '');
}

/** Seconds before the next try. */
function pause({ failures }: ThreadRow): number {
  return [5, 10, 20, 40, 60][failures] ?? 60;
}
