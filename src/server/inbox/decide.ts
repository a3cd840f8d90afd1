/** Says what a delivery means for its thread: start, steer, command, edit, close, or nothing and why. Pure. */
import { detect } from '../../trigger/detect.ts';
import { requestAfter } from '../../trigger/mention.ts';
import { mentionedIn } from '../../trigger/mode.ts';
import type { Actor, GitHubEvent, Item } from '../../words/event.ts';
import { type Decision, type Fact, type Task, taskKey } from '../../words/task.ts';
import { type Command, parseCommand } from './commands.ts';
import { decidedByPayload, type InboxSettings, ignored, type No, triggerConfig } from './payload-decision.ts';

/** A thread's row as far as decisions need it. */
export interface KnownThread {
  key: string;
  kind: 'issue' | 'pull_request';
  number: number;
  /** Of the pull request that Forgehand opened for an issue. */
  pullNumber: number | null;
  state: 'open' | 'paused' | 'closed';
}

/** What the database knows around an event. */
export interface Known {
  thread: KnownThread | null;
  /** The message that the event's item became earlier. */
  message: { id: string; state: string; composed: boolean } | null;
  /** What arrived before this event although it happened after it: deliveries have no order. */
  overtaken: { deleted: boolean; closed: boolean };
}

export type Effect =
  | { kind: 'start'; task: Task; body: string }
  /** `wake`: a mention, which also ends a pause that is no limit. */
  | { kind: 'message'; body: string; item: Item; actor: Actor; wake: boolean }
  | { kind: 'command'; command: Command; item: Item; actor: Actor }
  | { kind: 'edit'; messageId: string; body: string; title: string | null }
  | { kind: 'withdraw'; messageId: string }
  | { kind: 'close' }
  | { kind: 'reopen'; actor: Actor }
  /** Repositories as `owner/name`. */
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'gone'; repository: string };

/** `asks`: the task whose actor must be permitted before the effect happens; null when nobody has to be. */
export type Plan = No | { verdict: 'run'; effect: Effect; asks: Task | null; facts: Fact[] };

export function planDelivery(event: GitHubEvent, settings: InboxSettings, known: Known): Plan {
  const decided = decidedByPayload(event, settings, null);
  if (decided) return decided;
  if (event.name === 'repository') return repositoryMoved(event);
  switch (event.action) {
    case 'opened':
    case 'labeled':
    case 'assigned':
      return begin(event, settings, known);
    case 'created':
    case 'submitted':
      return words(event, settings, known);
    case 'edited':
      return edited(event, settings, known);
    case 'reopened':
      return reopened(event, known);
    default:
      return event.item ? deleted(event, known) : closed(event, known);
  }
}

/** The plan once it is known whether the person may: the access rule's "no" takes its place. */
export function permitted(plan: Extract<Plan, { verdict: 'run' }>, access: Decision): Plan {
  const facts = [...plan.facts, ...access.facts];
  return access.verdict === 'run' ? { ...plan, facts } : { ...access, facts };
}

/** Opened, labeled or assigned: decided by the payload already, but for whether there is a session. */
function begin(event: GitHubEvent, settings: InboxSettings, known: Known): Plan {
  if (known.thread) {
    return ignored(event, 'handed_over', 'It has its session already; a comment steers that.');
  }
  if (known.overtaken.closed) {
    return ignored(event, 'handed_over', 'It was closed before this event arrived.');
  }
  return start(event, settings, known);
}

function start(event: GitHubEvent, settings: InboxSettings, { thread }: Known): Plan {
  const found = detect(event, triggerConfig(settings, thread !== null));
  const task = found.verdict === 'run' ? found.task : openedTask(event);
  const body =
    task.instruction ||
    (task.subject ? [task.subject.title, task.subject.body].filter(Boolean).join('\n\n') : '');
  const facts = [...found.facts, { name: 'does', value: `starts a session (${task.trigger.kind})` }];
  return { verdict: 'run', effect: { kind: 'start', task, body }, asks: task, facts };
}

function openedTask(event: GitHubEvent): Task {
  return { ...steering(event), trigger: { kind: 'opened' } };
}

/** New words: a command, a message for the session, or the start of one. */
function words(event: GitHubEvent, settings: InboxSettings, known: Known): Plan {
  const { thread, message, overtaken } = known;
  const item = event.item!;
  const mentioned = mentionedIn(event, settings.engine.triggerPhrase) !== null;
  const command = parseCommand(item.body, settings.engine.triggerPhrase);
  if (overtaken.deleted) return ignored(event, 'handed_over', 'It was deleted before this event arrived.');
  if (!thread) return withoutSession(event, settings, { ...known, mentioned, command });
  if (message) return ignored(event, 'handed_over', 'The conversation has it already.');
  if (isOwnPull(event, thread) && !settings.prFeedback) {
    return ignored(event, 'switched_off', '`PR_FEEDBACK` is off: comments on the pull request stay there.');
  }
  if (command) {
    const effect: Effect = { kind: 'command', command, item, actor: actorOf(event) };
    return run(event, effect, `the command /${command.name}`);
  }
  if (thread.kind === 'pull_request' && !mentioned) {
    const phrase = settings.engine.triggerPhrase;
    return ignored(event, 'not_mentioned', `On people's pull requests Claude answers to \`${phrase}\`.`);
  }
  if (thread.state === 'closed' && event.subject?.state === 'closed' && !mentioned) {
    return ignored(event, 'switched_off', 'It is closed; reopening or a mention goes on.');
  }
  return run(event, messageOf(event, settings, mentioned), 'steers the session');
}

function messageOf(event: GitHubEvent, settings: InboxSettings, mentioned: boolean): Effect {
  const item = event.item!;
  const request = mentioned ? requestAfter(item.body, settings.engine.triggerPhrase) : '';
  return { kind: 'message', body: request || item.body, item, actor: actorOf(event), wake: mentioned };
}

function withoutSession(
  event: GitHubEvent,
  settings: InboxSettings,
  known: Known & { mentioned: boolean; command: Command | null },
): Plan {
  if (known.command)
    return ignored(event, 'not_mentioned', 'There is no session here that a command could be for.');
  if (!known.mentioned) {
    const phrase = settings.engine.triggerPhrase;
    return ignored(
      event,
      'not_mentioned',
      `There is no session here, and the text does not mention \`${phrase}\`.`,
    );
  }
  if (!settings.trigger.includes('mention')) {
    return ignored(
      event,
      'switched_off',
      'There is no session here, and `TRIGGER` does not contain `mention`.',
    );
  }
  return start(event, settings, known);
}

/** While queued the message follows its text; afterwards an edit counts only when it adds a mention. */
function edited(event: GitHubEvent, settings: InboxSettings, known: Known): Plan {
  const { message } = known;
  if (message?.state === 'queued' && !message.composed) {
    const item = event.item!;
    const request = requestAfter(item.body, settings.engine.triggerPhrase);
    const titled = item.kind === 'issue' || item.kind === 'pull_request';
    const title = titled ? (event.subject?.title ?? null) : null;
    const effect: Effect = { kind: 'edit', messageId: message.id, body: request || item.body, title };
    return run(event, effect, 'updates the queued message');
  }
  if (mentionedIn(event, settings.engine.triggerPhrase) === null) {
    const why = message
      ? 'Claude has the former text already, and the edit adds no mention.'
      : 'Nothing of it waits, and the edit adds no mention.';
    return ignored(event, 'not_mentioned', why);
  }
  return words(event, settings, { ...known, message: null });
}

function deleted(event: GitHubEvent, { message }: Known): Plan {
  if (message?.state !== 'queued' || message.composed) {
    return ignored(event, 'handed_over', 'Nothing of it waits to be said.');
  }
  return run(event, { kind: 'withdraw', messageId: message.id }, 'withdraws the queued message', null);
}

function closed(event: GitHubEvent, { thread }: Known): Plan {
  if (!thread || thread.state === 'closed') {
    return ignored(
      event,
      'handed_over',
      thread ? 'Its session has ended already.' : 'There is no session to end.',
    );
  }
  return run(event, { kind: 'close' }, 'ends the session', null);
}

function reopened(event: GitHubEvent, { thread }: Known): Plan {
  if (thread?.state !== 'closed') {
    return ignored(event, 'handed_over', thread ? 'Its session has not ended.' : 'It never had a session.');
  }
  return run(event, { kind: 'reopen', actor: event.sender }, 'wakes the session');
}

function repositoryMoved(event: GitHubEvent): Plan {
  const to = `${event.repository.owner}/${event.repository.name}`;
  if (event.action === 'deleted') {
    return run(event, { kind: 'gone', repository: to }, 'ends all sessions of the repository', null);
  }
  const changes = event.payload.changes as Moved | undefined;
  const owner = changes?.owner?.from?.user?.login ?? changes?.owner?.from?.organization?.login;
  const name = changes?.repository?.name?.from;
  const from = `${owner ?? event.repository.owner}/${name ?? event.repository.name}`;
  if (from === to)
    return ignored(event, 'invalid_input', 'The payload does not say what the name was before.');
  return run(event, { kind: 'rename', from, to }, `takes sessions along from ${from}`, null);
}

/** `repository.renamed` and `repository.transferred`, as far as they are read. */
interface Moved {
  repository?: { name?: { from?: string } };
  owner?: { from?: { user?: { login?: string }; organization?: { login?: string } } };
}

function run(event: GitHubEvent, effect: Effect, does: string, asks: Task | null = steering(event)): Plan {
  const facts = [...ignored(event, 'handed_over', '').facts, { name: 'does', value: does }];
  return { verdict: 'run', effect, asks, facts };
}

/** The task of somebody who steers: only its actor counts. */
function steering(event: GitHubEvent): Task {
  const { item, subject, repository } = event;
  return {
    key: taskKey(repository, subject),
    repository,
    subject,
    actor: actorOf(event),
    trigger: item ? { kind: 'mention', item } : { kind: 'opened' },
    mode: 'tag',
    instruction: '',
    triggeredAt: item?.createdAt ?? null,
  };
}

/** As in trigger/detect.ts: who wrote new words, else who did it. */
export function actorOf({ action, item, sender }: GitHubEvent): Actor {
  return item && (action === 'created' || action === 'submitted' || action === 'opened')
    ? item.author
    : sender;
}

/** The pull request that Forgehand opened for the thread's issue. */
function isOwnPull(event: GitHubEvent, thread: KnownThread): boolean {
  return thread.kind === 'issue' && event.subject?.number === thread.pullNumber;
}
