/** Carries out what was decided, in the transaction that records the decision. */
import type { GitHubEvent, Item } from '../../words/event.ts';
import type { Task } from '../../words/task.ts';
import type { Queryable } from '../store/database.ts';
import { reconsiderComments, type StoredDelivery } from '../store/deliveries.ts';
import { addMessage, rewriteMessage, withdrawMessage } from '../store/messages.ts';
import {
  announce,
  closeThreads,
  createThread,
  type InboxThread,
  keepInstallation,
  lockThread,
  openThread,
  readTask,
  renameRepository,
  writeTask,
} from '../store/threads.ts';
import { applyCommand } from './apply-command.ts';
import { type Applied, type Applying, addressOf } from './applying.ts';
import { limitReasons } from './commands.ts';
import type { Effect } from './decide.ts';
import type { Telling } from './tell.ts';

export async function applyEffect(tx: Queryable, effect: Effect, applying: Applying): Promise<Applied> {
  const { delivery } = applying;
  if (effect.kind === 'start') return start(tx, effect, applying);
  if (effect.kind === 'rename') {
    for (const key of await renameRepository(tx, effect, delivery.installationId)) await announce(tx, key);
    return { tellings: [] };
  }
  if (effect.kind === 'gone') {
    for (const key of await closeThreads(tx, { repository: effect.repository })) await announce(tx, key);
    return { tellings: [] };
  }
  const thread = applying.thread && (await lockThread(tx, applying.thread.key));
  if (!thread) return { tellings: [], overtaken: 'The thread is gone.' };
  await keepInstallation(tx, thread.key, delivery.installationId);
  const applied = await applyToThread(tx, effect, { ...applying, thread });
  await announce(tx, thread.key);
  return applied;
}

type OnThread = Applying & { thread: InboxThread };

async function applyToThread(
  tx: Queryable,
  effect: Exclude<Effect, { kind: 'start' | 'rename' | 'gone' }>,
  applying: OnThread,
): Promise<Applied> {
  const { thread, delivery } = applying;
  switch (effect.kind) {
    case 'message':
      return message(tx, effect, applying);
    case 'command':
      return applyCommand(tx, effect, applying);
    case 'edit':
      return edit(tx, effect, applying);
    case 'withdraw': {
      const done = await withdrawMessage(tx, effect.messageId);
      return { tellings: [], ...(!done && { overtaken: 'Claude has it already.' }) };
    }
    case 'close':
      await closeThreads(tx, { key: thread.key });
      return { tellings: [] };
    case 'reopen':
      await openThread(tx, thread.key);
      await addMessage(tx, {
        ...{ threadKey: thread.key, deliveryId: delivery.id, kind: 'note', actor: effect.actor.login },
        ...{ body: 'It was reopened. Please look at what is new, and go on.', item: null, nodeId: null },
      });
      return { tellings: [] };
  }
}

async function start(
  tx: Queryable,
  { task, body }: Extract<Effect, { kind: 'start' }>,
  { delivery, event }: Applying,
): Promise<Applied> {
  const threadKey = await createThread(tx, { task, installationId: delivery.installationId });
  const nodeId = nodeOf(event);
  const id = await addMessage(tx, {
    ...{ threadKey, deliveryId: delivery.id, kind: 'task', actor: task.actor.login },
    ...{ body, item: event.item, nodeId },
  });
  if (task.trigger.kind === 'opened') await reconsiderComments(tx, delivery);
  await announce(tx, threadKey);
  return { tellings: eyes({ delivery, event, nodeId, messageId: id }) };
}

async function message(
  tx: Queryable,
  effect: Extract<Effect, { kind: 'message' }>,
  { thread, delivery, event }: OnThread,
): Promise<Applied> {
  const wakes = effect.wake && !limitReasons.includes(thread.pauseReason);
  if (thread.state === 'closed' || (thread.state === 'paused' && wakes)) await openThread(tx, thread.key);
  const nodeId = nodeOf(event);
  const id = await addMessage(tx, {
    ...{ threadKey: thread.key, deliveryId: delivery.id, kind: 'comment', actor: effect.actor.login },
    ...{ body: effect.body, item: effect.item, nodeId },
  });
  return { tellings: eyes({ delivery, event, nodeId, messageId: id }) };
}

async function edit(
  tx: Queryable,
  effect: Extract<Effect, { kind: 'edit' }>,
  { thread, event }: OnThread,
): Promise<Applied> {
  const item = event.item!;
  const rewritten = await rewriteMessage(tx, effect.messageId, { body: effect.body, item });
  if (!rewritten) return { tellings: [], overtaken: 'Claude has the former text already.' };
  if (rewritten.kind === 'task') {
    const task = await readTask(tx, thread.key);
    if (task) await writeTask(tx, thread.key, edited(task, { item, title: effect.title, body: effect.body }));
  }
  return { tellings: [] };
}

/** The task as if it had been written so at first; the moment of the trigger is the edit's, or context would be cut before it. */
function edited(task: Task, { item, title, body }: { item: Item; title: string | null; body: string }): Task {
  const subject = task.subject && title !== null ? { ...task.subject, title, body: item.body } : task.subject;
  const trigger = task.trigger.kind === 'mention' ? { ...task.trigger, item } : task.trigger;
  const instruction = task.instruction === '' ? '' : body;
  return { ...task, subject, trigger, instruction, triggeredAt: item.updatedAt ?? task.triggeredAt };
}

function nodeOf({ item, subject }: GitHubEvent): string | null {
  return item?.nodeId ?? subject?.nodeId ?? null;
}

/** 👀 as long as it waits. */
function eyes(of: {
  delivery: StoredDelivery;
  event: GitHubEvent;
  nodeId: string | null;
  messageId: string;
}): Telling[] {
  if (of.nodeId === null) return [];
  const reaction = { nodeId: of.nodeId, content: 'EYES' as const, whileQueued: of.messageId };
  return [{ ...addressOf(of), reaction }];
}
