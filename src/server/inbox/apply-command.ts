/** Carries out a command in its thread's row, and says what is to be answered. */
import type { Queryable } from '../store/database.ts';
import { addMessage, countMessages, requeueSetAside } from '../store/messages.ts';
import { spentToday } from '../store/spend.ts';
import { grant, openThread, pauseByPerson } from '../store/threads.ts';
import { type Applied, type Applying, addressOf } from './applying.ts';
import { type Limits, planCommand } from './commands.ts';
import type { Effect } from './decide.ts';
import type { Telling } from './tell.ts';

type OnThread = Applying & { thread: NonNullable<Applying['thread']> };

export async function applyCommand(
  tx: Queryable,
  effect: Extract<Effect, { kind: 'command' }>,
  applying: OnThread,
): Promise<Applied> {
  const { thread, delivery } = applying;
  const counts = await countMessages(tx, thread.key);
  const plan = planCommand(effect.command, { ...thread, ...counts }, await limitsOf(tx, applying));
  const actor = effect.actor.login;
  if (plan.granted) await grant(tx, thread.key, plan.granted);
  if (plan.forgive) await requeueSetAside(tx, thread.key);
  if (plan.state === 'paused') await pauseByPerson(tx, thread.key, `${actor} stopped it.`);
  if (plan.state === 'open') await openThread(tx, thread.key);
  const message = { threadKey: thread.key, deliveryId: delivery.id, actor, item: null, nodeId: null };
  if (plan.note) await addMessage(tx, { ...message, kind: 'note', body: plan.note });
  if (plan.done && effect.command.rest) {
    const { item } = effect;
    const body = effect.command.rest;
    await addMessage(tx, { ...message, kind: 'comment', body, item, nodeId: item.nodeId ?? null });
  }
  return { tellings: answers(plan, effect, applying) };
}

function answers(
  plan: { done: boolean; answer: string | null },
  { item }: Extract<Effect, { kind: 'command' }>,
  applying: OnThread,
): Telling[] {
  const address = addressOf(applying);
  const replyTo = item.kind === 'review_comment' ? (item.inReplyToId ?? item.id) : null;
  const content = plan.done ? ('THUMBS_UP' as const) : ('CONFUSED' as const);
  return [
    ...(item.nodeId ? [{ ...address, reaction: { nodeId: item.nodeId, content } }] : []),
    ...(plan.answer === null ? [] : [{ ...address, comment: { body: plan.answer, replyTo } }]),
  ];
}

async function limitsOf(tx: Queryable, { thread, configuration }: OnThread): Promise<Limits> {
  const { server, engine } = configuration;
  const spent = await spentToday(tx, thread.repository);
  return {
    sessionUsd: engine.maxBudgetUsd,
    sessionTurns: server.maxTurns,
    sessionMinutes: server.sessionMinutes,
    repositoryDayUsd: server.maxBudgetUsdPerRepositoryDay,
    dayUsd: server.maxBudgetUsdPerDay,
    spentRepositoryUsd: spent.repository,
    spentUsd: spent.all,
  };
}
