/** Gathers what a decision rests on: the delivery as an event, and what the database knows around it. */
import { parseEvent } from '../../trigger/event.ts';
import type { GitHubEvent } from '../../words/event.ts';
import type { Database } from '../store/database.ts';
import { earlierDeliveries, type StoredDelivery } from '../store/deliveries.ts';
import { messageOfItem } from '../store/messages.ts';
import { findThread, type InboxThread } from '../store/threads.ts';
import type { Known } from './decide.ts';

export interface Gathered {
  event: GitHubEvent;
  thread: InboxThread | null;
  known: Known;
}

/** @throws AppError `invalid_input` for a payload that GitHub would not send. */
export async function gatherFacts(database: Database, delivery: StoredDelivery): Promise<Gathered> {
  const event = eventOf(delivery);
  const { subject, item } = event;
  const thread = subject && (await findThread(database, nameOf(event), subject.number));
  const message = thread && item ? await messageOfItem(database, thread.key, item) : null;
  const { event: now, overtaken } = await withOvertaken(database, delivery, event);
  return { event: now, thread, known: { thread, message, overtaken } };
}

export function eventOf({ id, event: name, payload }: StoredDelivery): GitHubEvent {
  return parseEvent({ name, payload: JSON.parse(payload), deliveryId: id, fallback: {} });
}

function readable(delivery: StoredDelivery): GitHubEvent | null {
  try {
    return eventOf(delivery);
  } catch {
    return null; // was set aside, or ignored as malformed: not this delivery's fault
  }
}

const nameOf = ({ repository }: GitHubEvent) => `${repository.owner}/${repository.name}`;

/**
 * Deliveries come in any order: the edit, the deletion or the closing of what is new here may have come before it. The
 * text is then the edited one, when its author edited it: another's words are not the author's.
 */
async function withOvertaken(
  database: Database,
  delivery: StoredDelivery,
  event: GitHubEvent,
): Promise<{ event: GitHubEvent; overtaken: Known['overtaken'] }> {
  const overtaken = { deleted: false, closed: false };
  if (!isNew(event)) return { event, overtaken };
  let now = event;
  for (const earlier of await earlierDeliveries(database, delivery, later)) {
    const other = readable(earlier);
    if (!other) continue;
    if (other.action === 'closed' || other.action === 'reopened') {
      if (happenedAfter(other, event)) overtaken.closed = other.action === 'closed';
      continue;
    }
    if (!other.item || other.item.id !== event.item?.id || other.item.kind !== event.item.kind) continue;
    if (other.action === 'deleted') overtaken.deleted = true;
    else if (other.sender.login === event.item.author.login)
      now = { ...now, item: other.item, subject: other.subject };
  }
  return { event: now, overtaken };
}

const later = ['edited', 'deleted', 'closed', 'reopened'];

function isNew({ action }: GitHubEvent): boolean {
  return action === 'created' || action === 'submitted' || action === 'opened';
}

/** For a thread that is closed and opened again and again: what was closed before this event is no matter. */
function happenedAfter(other: GitHubEvent, event: GitHubEvent): boolean {
  const at = (one: GitHubEvent) => Date.parse(one.subject?.updatedAt ?? '') || 0;
  return (
    event.action === 'opened' && other.subject?.number === event.subject?.number && at(other) >= at(event)
  );
}
