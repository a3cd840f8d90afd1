/** Judges what is said on a thread while a run works there exactly as the event that GitHub makes of it. */
import type { GitHubEvent, Item } from '../words/event.ts';
import type { Task } from '../words/task.ts';
import { detect } from './detect.ts';
import { parseWritten } from './event.ts';
import type { TriggerConfig } from './mode.ts';

/** Something said, as GitHub's REST API lists it. */
export interface Said {
  kind: 'issue_comment' | 'review_comment' | 'review';
  raw: unknown;
}

export interface FollowUp {
  event: GitHubEvent & { item: Item };
  task: Task;
}

const eventNames = {
  issue_comment: 'issue_comment',
  review_comment: 'pull_request_review_comment',
  review: 'pull_request_review',
};

/**
 * The task that it would be; null for what does not mention Claude and for what is not later than the request.
 * @param after ISO 8601 moment of the request that is worked on
 */
export function followUpOf(task: Task, said: Said, config: TriggerConfig, after: string): FollowUp | null {
  const item = parseWritten(said.kind, said.raw);
  if (!item || !isLater(task, item, after)) return null;
  const event = {
    name: eventNames[said.kind],
    action: said.kind === 'review' ? 'submitted' : 'created',
    deliveryId: null,
    repository: task.repository,
    sender: item.author,
    subject: task.subject,
    item,
    payload: {},
  };
  const decision = detect(event, config);
  if (decision.verdict !== 'run' || decision.task.trigger.kind !== 'mention') return null;
  return { event, task: decision.task };
}

/** GitHub's times have whole seconds: within the request's own, only ids of its kind tell which was there first. */
function isLater({ trigger }: Task, item: Item, after: string): boolean {
  // Without one, it is not yet sent.
  const at = Date.parse(item.createdAt ?? '');
  if (at !== Date.parse(after)) return at > Date.parse(after);
  const own = 'item' in trigger ? trigger.item : null;
  return own?.kind === item.kind && item.id > own.id;
}
