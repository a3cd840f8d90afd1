/** The table that says whether an event is for Claude, and in which mode; the first row that fits wins. */
import type { Config } from '../words/config.ts';
import type { GitHubEvent } from '../words/event.ts';
import type { Mode } from '../words/task.ts';
import { hasMention } from './mention.ts';

/** The settings that start a run. */
export type TriggerConfig = Pick<
  Config,
  'triggerPhrase' | 'assigneeTrigger' | 'labelTrigger' | 'prompt' | 'trackProgress'
>;

export type RowNumber = 1 | 2 | 3 | 4 | 5 | 6;

/** `why` is one sentence for a person. */
export type ModeDecision =
  | { mode: Mode; row: RowNumber; why: string }
  | { mode: null; reason: 'not_mentioned' | 'unsupported_event' | 'switched_off'; why: string };

interface Row {
  row: RowNumber;
  mode: Mode;
  /** Why the row fits, or null when it does not. */
  fits: (event: GitHubEvent, config: TriggerConfig) => string | null;
}

const rows: Row[] = [
  { row: 1, mode: 'tag', fits: promptOnSubject },
  { row: 2, mode: 'agent', fits: promptAlone },
  { row: 3, mode: 'agent', fits: dispatchedTask },
  { row: 4, mode: 'tag', fits: assigned },
  { row: 5, mode: 'tag', fits: labeled },
  { row: 6, mode: 'tag', fits: mentioned },
];

/** The action with which each event brings new words; `edited` brings some too, when the edit added the mention. */
const speaks: Record<string, string> = {
  issues: 'opened',
  issue_comment: 'created',
  pull_request: 'opened',
  pull_request_target: 'opened',
  pull_request_review: 'submitted',
  pull_request_review_comment: 'created',
};

/** Needs nothing but the event and the settings, so that an event which is not for Claude costs no request. */
export function detectMode(event: GitHubEvent, config: TriggerConfig): ModeDecision {
  for (const { row, mode, fits } of rows) {
    const why = fits(event, config);
    if (why !== null) return { mode, row, why };
  }
  return { mode: null, ...whyNot(event, config) };
}

/**
 * Where the event's own words call Claude: `body` before `title`; null when they do not, or did so before the edit.
 * Old words never count: on other actions the body is text that somebody else may have written long ago.
 */
export function mentionedIn(event: GitHubEvent, phrase: string): 'body' | 'title' | null {
  const { action, item, subject, formerBody, formerTitle } = event;
  if (!item || !Object.hasOwn(speaks, event.name)) return null;
  const title = item.kind === 'issue' || item.kind === 'pull_request' ? (subject?.title ?? '') : '';
  const place = hasMention(item.body, phrase) ? 'body' : hasMention(title, phrase) ? 'title' : null;
  if (action === speaks[event.name]) return place;
  if (action !== 'edited' || (formerBody === undefined && formerTitle === undefined)) return null;
  const before = hasMention(formerBody ?? item.body, phrase) || hasMention(formerTitle ?? title, phrase);
  return before ? null : place;
}

function promptOnSubject({ subject }: GitHubEvent, { prompt, trackProgress }: TriggerConfig): string | null {
  if (!hasPrompt(prompt) || !trackProgress || !subject) return null;
  return '`prompt` is set, and `track_progress` asks for a tracking comment on the issue or pull request.';
}

function promptAlone(_: GitHubEvent, { prompt }: TriggerConfig): string | null {
  return hasPrompt(prompt) ? '`prompt` is set.' : null;
}

function dispatchedTask({ clientPayload }: GitHubEvent): string | null {
  if (!clientPayload) return null;
  const key = ['description', 'progress_endpoint'].find((name) => Object.hasOwn(clientPayload, name));
  return key ? `\`client_payload\` has \`${key}\`.` : null;
}

function assigned(event: GitHubEvent, { assigneeTrigger }: TriggerConfig): string | null {
  if (!isMove(event, 'assigned') || !event.assignee || !assigneeTrigger) return null;
  const wanted = assigneeTrigger.replace(/^@/, '');
  return same(event.assignee.login, wanted) ? `It was assigned to \`${wanted}\`.` : null;
}

function labeled(event: GitHubEvent, { labelTrigger }: TriggerConfig): string | null {
  if (!isMove(event, 'labeled') || event.label === undefined || !labelTrigger) return null;
  return same(event.label, labelTrigger) ? `The label \`${labelTrigger}\` was added.` : null;
}

function mentioned(event: GitHubEvent, { triggerPhrase }: TriggerConfig): string | null {
  const place = mentionedIn(event, triggerPhrase);
  if (!place) return null;
  return event.action === 'edited'
    ? `The edit added \`${triggerPhrase}\` to the ${place}.`
    : `The ${place} mentions \`${triggerPhrase}\`.`;
}

/** The row that fits nothing, in words that tell the reader what would have. */
function whyNot(event: GitHubEvent, config: TriggerConfig): Omit<ModeDecision & { mode: null }, 'mode'> {
  const { name, action } = event;
  if (!Object.hasOwn(speaks, name)) return { reason: 'unsupported_event', why: whyNotAutomatic(event) };
  if (isMove(event, 'assigned')) {
    if (!config.assigneeTrigger) return { reason: 'switched_off', why: '`assignee_trigger` is not set.' };
    return {
      reason: 'not_mentioned',
      why: `It was not assigned to \`${config.assigneeTrigger.replace(/^@/, '')}\`.`,
    };
  }
  if (isMove(event, 'labeled')) {
    if (!config.labelTrigger) return { reason: 'switched_off', why: '`label_trigger` is not set.' };
    return { reason: 'not_mentioned', why: `The added label is not \`${config.labelTrigger}\`.` };
  }
  if (action === 'edited') {
    return { reason: 'not_mentioned', why: `The edit did not add a mention of \`${config.triggerPhrase}\`.` };
  }
  if (action === speaks[name]) {
    return { reason: 'not_mentioned', why: `The text does not mention \`${config.triggerPhrase}\`.` };
  }
  return {
    reason: 'unsupported_event',
    why: `\`${name}\` with action \`${action}\` runs only with a \`prompt\`.`,
  };
}

function whyNotAutomatic({ name }: GitHubEvent): string {
  return name === 'repository_dispatch'
    ? '`client_payload` has neither `description` nor `progress_endpoint`, and no `prompt` is set.'
    : `\`${name}\` runs only with a \`prompt\`.`;
}

/** True when an issue or pull request was assigned or labeled. */
function isMove({ name, action }: GitHubEvent, wanted: 'assigned' | 'labeled'): boolean {
  return (
    action === wanted && (name === 'issues' || name === 'pull_request' || name === 'pull_request_target')
  );
}

function hasPrompt(prompt: string): boolean {
  return prompt.trim() !== '';
}

/** GitHub compares logins and label names without regard to case. */
function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
