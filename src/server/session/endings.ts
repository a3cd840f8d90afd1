/** How turns and sessions end, in words: several turns as one, a turn cut short, what a person can do then. Pure. */
import type { TurnEnd } from '../../claude/conversation.ts';
import { AppError } from '../../words/errors.ts';
import type { Reason, Result } from '../../words/result.ts';
import type { Reached } from './limits.ts';

/** Why a session ends. `again`: it is to be taken up again, after so many seconds. */
export type Ending =
  | { kind: 'parked' | 'paused' | 'closed' | 'stopped' }
  | { kind: 'again'; delaySeconds: number; forgive: boolean; why: string }
  | { kind: 'lost'; why: string };

/** All that a session has is for the repository as it was called when it began; the next one knows better. */
export function renamed({ repository }: { repository: string }): Ending {
  return { kind: 'again', delaySeconds: 0, forgive: true, why: `The repository is ${repository} now.` };
}

/** Why a turn is cut short, in place of what Claude Code says about it. */
export interface Cut {
  reason: Reason;
  message: string;
  remedy: string;
}

/** A turn as its end is told. */
export type Told = Omit<TurnEnd, 'usage'> & { usage: TurnEnd['usage'] | null };

/** Claude went from one turn to the next without a pause: they are answered as one. */
export function together(turns: Told[]): Told {
  const last = turns.at(-1)!;
  const texts = turns.map(({ text }) => text.trim()).filter(Boolean);
  return {
    ...last,
    text: [...new Set(texts)].join('\n\n---\n\n'),
    answered: turns.flatMap(({ answered }) => answered),
  };
}

/** What the endings need to know of a message. */
interface Taken {
  id: string;
  state: 'queued' | 'delivered';
}

/**
 * Claude had just said its last word when the limit was reached: an answer like every other.
 * @param lastAnswer what it said
 */
export function withoutLateLimit(turn: Told, open: Taken[], lastAnswer: string): Told {
  const delivered = open.filter(({ state }) => state === 'delivered');
  const isLate = turn.reason === 'budget' || turn.reason === 'turns';
  if (!isLate || delivered.length === 0 || !delivered.every(({ id }) => turn.answered.includes(id)))
    return turn;
  return { ...turn, reason: '', text: lastAnswer };
}

/** The messages that end with a turn. One that nobody asked for (a background command's) ends none. */
export function takenUpBy<T extends Taken>({ answered, reason }: Told, open: T[]): T[] {
  if (reason !== '') return open.filter(({ state }) => state === 'delivered');
  return open.filter(({ id }) => answered.includes(id));
}

/** A limit says more than Claude Code's own end, which knows only how much was left of it. */
export function cutBy({ reason }: Told, limit: Reached | null): Cut | null {
  if (!limit || reason === '') return null;
  return reason === limit.reason || reason === 'budget' || reason === 'turns'
    ? { reason: limit.reason, message: limit.message, remedy: remedyFor(limit) }
    : null;
}

export function wasClosed(key: string): Cut {
  return { reason: 'cancelled', message: `${key} was closed.`, remedy: 'Reopen it to go on.' };
}

export const wasStopped: Cut = {
  reason: 'cancelled',
  message: 'The work was stopped.',
  remedy: 'Answer `/retry` or `/continue`, or mention what to do instead with the trigger phrase.',
};

/** Ends that pass by themselves. */
export function passes(reason: Reason | ''): boolean {
  return reason === 'model_unavailable' || reason === 'github_unavailable';
}

/** GitHub's absence is not the end of anything: what it cut is gone through once more. */
export function isAway(error: unknown): boolean {
  return error instanceof AppError && error.reason === 'github_unavailable';
}

/** What a person can do about a limit. */
export function remedyFor(limit: Reached): string {
  return limit.canContinue
    ? 'Answer `/continue` to allow as much once more (`/continue $5` for five dollars more), or `/stop` to leave it.'
    : 'The operator can raise it; else answer `/continue` tomorrow.';
}

export const retryRemedy = 'Answer `/retry` to try again.';

/** A session that could not begin or go on, as its answer says it. */
export function refusal(cut: Cut): Result {
  return {
    conclusion: cut.reason === 'cancelled' ? 'cancelled' : 'failure',
    reason: cut.reason,
    summary: cut.message,
    remedy: cut.remedy,
    notes: [],
    sessionId: null,
    branch: null,
    pullRequestUrl: null,
    commentUrl: null,
    usage: null,
  };
}
