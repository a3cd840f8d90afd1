/** Makes results: of a "no", of an error, and of a session with what it published. */
import type { SessionResult } from '../claude/session.ts';
import { remedyFor, toUserMessage } from '../words/errors.ts';
import type { PublishedBranch, Result } from '../words/result.ts';
import { shown } from '../words/shown.ts';
import type { Decision } from '../words/task.ts';

const nothing: Omit<Result, 'conclusion' | 'reason' | 'summary'> = {
  remedy: '',
  notes: [],
  sessionId: null,
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: null,
};

/** A foreseen "no". With `on_denied: fail` a refusal of a person is a failure, so that the job goes red. */
export function refused(decision: Exclude<Decision, { verdict: 'run' }>, onDenied: 'skip' | 'fail'): Result {
  const red = decision.verdict === 'deny' && onDenied === 'fail';
  return {
    ...nothing,
    conclusion: red ? 'failure' : 'skipped',
    reason: decision.reason,
    summary: decision.message,
    remedy: decision.verdict === 'deny' ? remedyFor(decision.reason) : '',
  };
}

/** Anything thrown, in words; `notes` say what was kept all the same. */
export function failed(error: unknown, notes: string[] = []): Result {
  const { conclusion, reason, message, remedy } = toUserMessage(error);
  return { ...nothing, conclusion, reason, summary: message, remedy, notes };
}

/** What became of the work of a run that did not come to its end, in words. */
export function becameOf(branch: { name: string } | null, publishError: unknown): string[] {
  return [
    ...(branch ? [`What was done so far is on ${shown(branch.name)}.`] : []),
    ...(publishError ? [`The work could not be published: ${toUserMessage(publishError).message}`] : []),
  ];
}

/** What the end of a session and the publishing of its work come to. */
export interface Outcome {
  session: SessionResult;
  branch: PublishedBranch | null;
  pullRequestUrl: string | null;
  /** Set when work exists that could not be published: a run that loses its work has not succeeded. */
  publishError: unknown;
  notes: string[];
}

export function concluded({ session, branch, pullRequestUrl, publishError, notes }: Outcome): Result {
  const known = {
    notes,
    branch,
    pullRequestUrl,
    sessionId: session.sessionId,
    usage: session.usage,
    ...(session.structuredOutput !== undefined && { structuredOutput: session.structuredOutput }),
  };
  if (session.reason) {
    const conclusion = session.reason === 'cancelled' ? 'cancelled' : 'failure';
    const remedy = remedyFor(session.reason);
    const all = { ...known, notes: [...becameOf(branch, publishError), ...notes] };
    return { ...nothing, ...all, conclusion, reason: session.reason, summary: session.text, remedy };
  }
  if (publishError) return { ...failed(publishError), ...known, lastWords: session.text };
  return { ...nothing, ...known, conclusion: 'success', reason: '', summary: session.text };
}
