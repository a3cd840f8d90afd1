/** What a delivery's payload alone decides, so that GitHub is answered `ignored` at once. Pure. */
import { decide } from '../../trigger/decide.ts';
import { mentionedIn, type TriggerConfig } from '../../trigger/mode.ts';
import { isOwnActivity } from '../../trigger/own-activity.ts';
import type { Config } from '../../words/config.ts';
import type { Actor, GitHubEvent } from '../../words/event.ts';
import type { Reason } from '../../words/result.ts';
import { type Decision, type Fact, taskKey } from '../../words/task.ts';

export interface InboxSettings {
  engine: Config;
  trigger: readonly ('opened' | 'mention' | 'label' | 'assign')[];
  prFeedback: boolean;
}

export type No = Exclude<Decision, { verdict: 'run' }>;

/** Who we are, where it is known already. */
export interface Self {
  login: string;
  isBot: boolean;
}

const handled: Record<string, readonly string[]> = {
  issues: ['opened', 'labeled', 'assigned', 'edited', 'closed', 'reopened', 'deleted', 'transferred'],
  issue_comment: ['created', 'edited', 'deleted'],
  pull_request: ['opened', 'labeled', 'assigned', 'edited', 'closed', 'reopened'],
  pull_request_review: ['submitted', 'edited'],
  pull_request_review_comment: ['created', 'edited', 'deleted'],
  repository: ['renamed', 'transferred', 'deleted'],
};

export function isHandled(name: string, action: string | null): boolean {
  return Object.hasOwn(handled, name) && handled[name]!.includes(action ?? '');
}

/** The "no" that no thread, no permission and no request could change; null when one could. */
export function decidedByPayload(event: GitHubEvent, settings: InboxSettings, self: Self | null): No | null {
  const { name, action } = event;
  if (!isHandled(name, action)) {
    const what = action === null ? `\`${name}\`` : `\`${name}\` with action \`${action}\``;
    return ignored(event, 'unsupported_event', `Nothing is done on ${what}.`);
  }
  if (self && isOwnActivity(event, self.login, self.isBot)) {
    return ignored(event, 'own_activity', `\`${self.login}\` did this itself, and never answers itself.`);
  }
  if (name === 'repository') return null;
  if (!event.subject) return ignored(event, 'invalid_input', 'The payload names no issue or pull request.');
  return silent(event) ?? notTriggered(event, settings) ?? barredBot(event, settings);
}

/** Events with nothing to say: a bare approval, an edit of something else than the text. */
function silent(event: GitHubEvent): No | null {
  const { action, item } = event;
  if (event.name === 'pull_request_review' && action === 'submitted' && !item?.body.trim()) {
    return ignored(
      event,
      'not_mentioned',
      'The review has no words of its own; its comments come by themselves.',
    );
  }
  if (action === 'edited' && event.formerBody === undefined && event.formerTitle === undefined) {
    return ignored(event, 'not_mentioned', 'Neither title nor text was edited.');
  }
  return null;
}

/** Opened, labeled, assigned: here `TRIGGER` has the last word, whatever the database holds. */
function notTriggered(event: GitHubEvent, settings: InboxSettings): No | null {
  const { engine, trigger } = settings;
  switch (event.action) {
    case 'opened':
      return notOpened(event, settings);
    case 'labeled':
      if (!trigger.includes('label')) return switchedOff(event, 'label');
      return same(event.label, engine.labelTrigger)
        ? null
        : ignored(event, 'not_mentioned', `The added label is not \`${engine.labelTrigger ?? ''}\`.`);
    case 'assigned':
      if (!trigger.includes('assign')) return switchedOff(event, 'assign');
      return same(event.assignee?.login, engine.assigneeTrigger?.replace(/^@/, ''))
        ? null
        : ignored(event, 'not_mentioned', `It was not assigned to \`${engine.assigneeTrigger ?? ''}\`.`);
    default:
      return null;
  }
}

function notOpened(event: GitHubEvent, { engine, trigger }: InboxSettings): No | null {
  if (event.name === 'issues' && trigger.includes('opened')) return null;
  const mentioned = mentionedIn(event, engine.triggerPhrase) !== null;
  if (mentioned && trigger.includes('mention')) return null;
  if (mentioned) return switchedOff(event, 'mention');
  return trigger.includes('mention')
    ? ignored(event, 'not_mentioned', `The text does not mention \`${engine.triggerPhrase}\`.`)
    : switchedOff(event, event.name === 'issues' ? 'opened' : 'mention');
}

function switchedOff(event: GitHubEvent, word: string): No {
  return ignored(event, 'switched_off', `\`TRIGGER\` does not contain \`${word}\`.`);
}

/** A bot that is not listed never has a say, so that nobody needs to be asked. Closing is no say. */
function barredBot(event: GitHubEvent, { engine }: InboxSettings): No | null {
  const { action, item, sender, subject, repository } = event;
  if (action === 'closed' || action === 'deleted' || action === 'transferred') return null;
  const isNew = action === 'created' || action === 'submitted' || action === 'opened';
  const actor = isNew && item ? item.author : sender;
  if (!isBot(actor)) return null;
  const task = {
    key: taskKey(repository, subject),
    ...{ repository, subject, actor, instruction: '', triggeredAt: null },
    ...{ trigger: { kind: 'opened' } as const, mode: 'tag' as const },
  };
  const access = { permissions: {}, ownLogin: null, ownIsBot: false, actors: [], githubTokenGiven: true };
  const decision = decide({ event, task }, access, engine);
  return decision.verdict === 'run' ? null : { ...decision, facts: [...factsOf(event), ...decision.facts] };
}

function isBot({ login, type }: Actor): boolean {
  return type === 'Bot' || login.endsWith('[bot]');
}

/** What starts a session by words, labels and assignments. @param mayMention also without `mention` in `TRIGGER`. */
export function triggerConfig({ engine, trigger }: InboxSettings, mayMention: boolean): TriggerConfig {
  const mention = mayMention || trigger.includes('mention');
  return {
    // A phrase that no text can hold: detect() has no other switch.
    triggerPhrase: mention ? engine.triggerPhrase : '\u0000',
    assigneeTrigger: trigger.includes('assign') ? engine.assigneeTrigger : null,
    labelTrigger: trigger.includes('label') ? engine.labelTrigger : null,
    prompt: '',
    trackProgress: false,
  };
}

export function ignored(event: GitHubEvent, reason: Reason, message: string): No {
  return { verdict: 'ignore', reason, message, facts: factsOf(event) };
}

function factsOf(event: GitHubEvent): Fact[] {
  const facts: Fact[] = [
    { name: 'event', value: event.name },
    { name: 'action', value: event.action ?? 'none' },
    { name: 'sender', value: event.sender.login },
  ];
  if (event.subject) facts.push({ name: 'subject', value: taskKey(event.repository, event.subject) });
  if (event.label !== undefined) facts.push({ name: 'label', value: event.label });
  return facts;
}

function same(one: string | undefined, other: string | null | undefined): boolean {
  return one !== undefined && !!other && one.toLowerCase() === other.toLowerCase();
}
