/** The end of a turn: work published, pull request and answer up to date, messages done, in that order. */

import { branchUrl } from '../../engine/links.ts';
import type { Publisher } from '../../engine/publish.ts';
import { updateAfterTurn } from '../../engine/pull-request/issue-pull-request.ts';
import { concluded } from '../../engine/results.ts';
import { AppError, toUserMessage } from '../../words/errors.ts';
import type { FullUsage, Result } from '../../words/result.ts';
import { type Message, markEnded, requireLease } from '../store/session-messages.ts';
import { forgetFailures, writeProgress } from '../store/session-threads.ts';
import { addSpend } from '../store/spend.ts';
import { type Answers, forgetAnswer, react } from './answer.ts';
import { keep, kept, type SessionContext, tell } from './context.ts';
import { isAway, type Told } from './endings.ts';

/** What Claude wants the pull request to say. */
export interface PullRequestText {
  title?: string;
  body: string;
}

export interface EndOfTurn {
  turn: Told;
  /** The messages that this turn took up, in order. */
  messages: Message[];
  /** Of this turn alone; null when Claude Code did not say. */
  spent: FullUsage | null;
  /** Milliseconds that Claude has worked in this thread. */
  workedMs: number;
  publisher: Publisher;
  answers: Answers;
  /** The repository's pull request template. */
  template: string | null;
  /** Says what a person can do, when the turn did not come to its end. */
  remedy: string | null;
  /** Messages that stay open although the turn has ended (it is gone on with later). */
  staysOpen: boolean;
}

/** May be repeated as a whole after a crash: each step finds what it did before. */
export async function endTurn(context: SessionContext, end: EndOfTurn): Promise<void> {
  const { turn, messages, spent, publisher, answers } = end;
  const published = await publisher.finish();
  // The next session finds the work where it is, and publishes it. Who waits for a person tells how it is.
  if (context.thread.state === 'open' && isCut(published.error, context)) throw published.error;
  const notes = [...published.notes];
  if (published.branch) {
    // For whoever ends this turn when this session cannot: by then there is nothing new to publish.
    await keep(context, 'undescribed', true);
    answers.learn({
      name: published.branch.name,
      url: branchUrl(context.door.host.serverUrl, published.branch.repository, published.branch.name),
    });
  }
  const session = { ...turn, sessionId: context.thread.claudeSessionId, usage: spent };
  const outcome = {
    session,
    branch: published.branch,
    pullRequestUrl: context.thread.pullUrl,
    publishError: published.error,
    notes,
  };
  const result = concluded(outcome);
  notes.push(...(await updatePullRequest(context, end, result)));
  const shown = { ...result, notes, remedy: end.remedy ?? result.remedy };
  await answers.show(shown, messages);
  await keepEnd(context, end);
  const next = result.conclusion === 'success' ? 'THUMBS_UP' : 'CONFUSED';
  await react(context, messages, { former: 'ROCKET', next });
  await tell(context, 'turn', {
    conclusion: result.conclusion,
    reason: result.reason,
    deliveries: messages.map(({ deliveryId }) => deliveryId).filter(Boolean),
    branch: published.branch?.name ?? null,
    commits: published.branch?.commits ?? 0,
    usd: spent?.costUsd ?? 0,
    pullRequest: context.thread.pullUrl,
  });
}

/** Apart from the turn's end, as what was spent is spent however that goes. */
export async function keepSpent(
  { database, held, thread }: SessionContext,
  spent: FullUsage | null,
): Promise<void> {
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    const { costUsd: usd, turns } = spent ?? { costUsd: 0, turns: 0 };
    await addSpend(tx, { key: held.key, repository: thread.repository, usd, turns });
  });
}

async function keepEnd(context: SessionContext, end: EndOfTurn): Promise<void> {
  const { database, held, thread } = context;
  await keep(context, 'workedMs', end.workedMs);
  await database.transaction(async (tx) => {
    await requireLease(tx, held);
    if (!end.staysOpen)
      await markEnded(
        tx,
        end.messages.map(({ id }) => id),
      );
    await forgetAnswer(context, tx);
    if (!end.staysOpen) await writeProgress(tx, held.key, { name: 'moved', value: false });
    for (const name of ['undescribed', 'pullRequestText'])
      await writeProgress(tx, held.key, { name, value: null });
    await forgetFailures(tx, held.key);
  });
  Object.assign(thread.progress, { undescribed: null, pullRequestText: null });
  thread.failures = 0;
}

/** A pull request that cannot be updated is a note: the work is published already. */
async function updatePullRequest(
  context: SessionContext,
  { turn, template }: EndOfTurn,
  result: Result,
): Promise<string[]> {
  const { thread, task, connection, configuration, door } = context;
  if (thread.kind !== 'issue' || !thread.pullNumber) return [];
  // Claude has said nothing for it: its report, below the template that it has not filled in.
  const report = [template, turn.text].filter(Boolean).join('\n\n');
  const isNews = result.branch !== null || kept<boolean>(context, 'undescribed');
  const wanted = kept<PullRequestText>(context, 'pullRequestText');
  const text = wanted ?? (isNews && turn.text ? { body: report } : null);
  const ready = configuration.server.prReady === 'auto' && result.conclusion === 'success';
  if (!text && !ready) return [];
  try {
    const { notes } = await updateAfterTurn(connection.client, {
      task,
      number: thread.pullNumber,
      text,
      ready,
      redact: door.redact,
    });
    return notes;
  } catch (error) {
    if (isAway(error)) throw error;
    return [`The pull request could not be updated: ${toUserMessage(error).message}`];
  }
}

/** Also by a token that was revoked, as the next session has another one. */
function isCut(error: unknown, { connection, thread }: SessionContext): boolean {
  if (isAway(error)) return true;
  const isRefused = error instanceof AppError && error.reason === 'github_auth';
  return isRefused && connection.credential.kind === 'app' && thread.failures === 0;
}
