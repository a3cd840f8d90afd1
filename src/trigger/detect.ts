/** Says whether an event is for Claude and, if so, makes the task: who asks, for what, since when. */
import { readDispatch } from '../words/dispatch.ts';
import type { Actor, GitHubEvent } from '../words/event.ts';
import { type Decision, type Fact, type Task, type Trigger, taskKey } from '../words/task.ts';
import { requestAfter } from './mention.ts';
import { detectMode, mentionedIn, type RowNumber, type TriggerConfig } from './mode.ts';

/**
 * `run` with the whole task, or `ignore` with the reason; never `deny`, which takes facts that only GitHub knows.
 * @throws AppError `invalid_input` for a dispatch whose payload cannot be used, with every field that is wrong.
 */
export function detect(event: GitHubEvent, config: TriggerConfig): Decision {
  const decided = detectMode(event, config);
  const facts = factsOf(event, config);
  if (decided.mode === null) {
    return { verdict: 'ignore', reason: decided.reason, message: decided.why, facts };
  }
  const task: Task = {
    key: taskKey(event.repository, event.subject ?? event.discussion ?? null),
    repository: event.repository,
    subject: event.subject,
    discussion: event.discussion,
    mergesInto: event.mergesInto,
    actor: actorOf(event),
    trigger: triggerOf(decided.row, event),
    mode: decided.mode,
    instruction: instructionOf(decided.row, event, config),
    triggeredAt: triggeredAt(event),
    ...(event.checked && { checked: event.checked }),
  };
  facts.push({ name: 'started by', value: decided.why }, { name: 'mode', value: decided.mode });
  return { verdict: 'run', task, facts };
}

function factsOf(event: GitHubEvent, config: TriggerConfig): Fact[] {
  const facts: Fact[] = [
    { name: 'event', value: event.name },
    { name: 'action', value: event.action ?? 'none' },
    { name: 'sender', value: event.sender.login },
  ];
  const about = event.subject ?? event.discussion;
  if (about) facts.push({ name: 'subject', value: taskKey(event.repository, about) });
  if (event.label !== undefined) facts.push({ name: 'label', value: event.label });
  if (event.assignee) facts.push({ name: 'assignee', value: event.assignee.login });
  // In discussions nobody looks for it.
  if (event.item && !event.discussion) {
    const titled = event.item.kind === 'issue' || event.item.kind === 'pull_request';
    const what = `${titled ? 'title and body' : 'body'} of the ${event.item.kind.replaceAll('_', ' ')}`;
    facts.push({ name: 'looked at', value: `${what}, for \`${config.triggerPhrase}\`` });
  }
  return facts;
}

/**
 * Who did the thing: the author of words that were just written, else the sender. An edit is the editor's doing: to
 * take the author for the actor would let whoever may edit (a bot, say) act with the rights of the author.
 */
function actorOf({ action, item, sender }: GitHubEvent): Actor {
  return item && (action === 'created' || action === 'submitted' || action === 'opened')
    ? item.author
    : sender;
}

function triggerOf(row: RowNumber, event: GitHubEvent): Trigger {
  switch (row) {
    case 1:
    case 2:
      return { kind: 'prompt', item: event.item ?? undefined };
    case 3:
      return { kind: 'dispatch', dispatch: readDispatch(event.clientPayload!) };
    case 4:
      return { kind: 'assignment', assignee: event.assignee! };
    case 5:
      return { kind: 'label', label: event.label! };
    case 6:
      return { kind: 'mention', item: event.item! };
  }
}

/**
 * Only words of the actor, of the workflow's author or of the dispatching program: the body of an issue that somebody
 * labeled or assigned is an outsider's, and as an instruction it would act with the rights of the labeler.
 */
function instructionOf(row: RowNumber, event: GitHubEvent, config: TriggerConfig): string {
  if (row === 1 || row === 2) return config.prompt;
  if (row === 3) return readDispatch(event.clientPayload!).description;
  return row === 6 ? request(event, config.triggerPhrase) : '';
}

function request(event: GitHubEvent, phrase: string): string {
  const { item, subject, action, sender } = event;
  if (!item) return '';
  // Same attack by an edit: a maintainer adds the mention to a stranger's text.
  if (action === 'edited' && item.author.login.toLowerCase() !== sender.login.toLowerCase()) return '';
  if (mentionedIn(event, phrase) === 'body') {
    const titled = item.kind === 'issue' || item.kind === 'pull_request';
    return requestAfter(item.body, phrase) || (titled ? requestAfter(subject?.title ?? '', phrase) : '');
  }
  return [requestAfter(subject?.title ?? '', phrase), item.body.trim()].filter(Boolean).join('\n\n');
}

/**
 * ISO 8601. Null where the payload names no moment of its own: the `updated_at` of a pull request that was just pushed
 * to, for one, is older than the push.
 */
function triggeredAt({ action, item, subject }: GitHubEvent): string | null {
  switch (action) {
    case 'created':
    case 'submitted':
    case 'opened':
      return item?.createdAt ?? null;
    case 'edited':
      // A review has no moment of its edit; the pull request's is that one or an earlier.
      return item?.updatedAt ?? subject?.updatedAt ?? null;
    case 'labeled':
    case 'assigned':
    case 'reopened':
    case 'ready_for_review':
      return subject?.updatedAt ?? null;
    default:
      return null;
  }
}
