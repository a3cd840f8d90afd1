/** What Claude is told in a conversation that goes on: the frame of a live session, follow-ups, and restarts. */
import type { Item } from '../words/event.ts';
import { shown } from '../words/shown.ts';
import { spellInvisible } from './invisible.ts';
import { createMarkers } from './markers.ts';
import { sanitise } from './sanitise.ts';
import { systemText } from './sections.ts';

/** Appended to Claude Code's own system prompt in a session that people may go on talking to. */
export const liveSystemText = `${systemText}
This conversation goes on: people may answer on GitHub while you work or later, and their words then come as further messages. A message that comes while you work changes or adds to the task: take it in at once. Each time you have done what is asked, end your turn with a short report (what you changed and why, how you tested it, what is open): it is posted as your answer.
When a pull request belongs to the task, keep its title and description right with \`mcp__github_pull_request__update_pull_request\`: what changes, why, and how it was tested. What you leave uncommitted at the end of a turn is committed for you.`;

/** The same in a run that ends with its task, and that people may add to as long as it works. */
export const steeredSystemText = `${systemText}
People may say more on GitHub while you work, and their words then come as further messages. Such a message changes or adds to the task: take it in at once, and let your report cover it as well.`;

export interface FollowUp {
  actor: string;
  /** Null for words that are not a comment's. */
  item: Item | null;
  body: string;
  /** `owner/repo#42` */
  key: string;
}

/** Commands that would leave the conversation or its credentials: said as words, they do nothing. */
const endsConversation = /^\/(clear|new|reset|exit|quit|resume|continue|rewind|login|logout)\b/i;

/** A permitted person's further words; a slash command stands alone, as it works only at the start of a message. */
export function followUpText({ actor, item, body, key }: FollowUp): { text: string; verbatim: boolean } {
  const words = sanitise(body).trim();
  if (/^\/[a-z]/i.test(words) && !endsConversation.test(words)) return { text: words, verbatim: false };
  return { text: `${who(actor)} ${place(item, key)}:\n\n${words}`, verbatim: true };
}

function place(item: Item | null, key: string): string {
  if (!item) return `says about ${key}`;
  const line = item.line ? `, line ${item.line}` : '';
  const where = item.path ? ` on ${shown(spellInvisible(item.path))}${line}` : '';
  const what = {
    issue_comment: 'commented',
    review_comment: `wrote a review comment${where}`,
    review: 'wrote a review',
    issue: 'wrote',
    pull_request: 'wrote',
    discussion: 'wrote',
    discussion_comment: 'commented',
  }[item.kind];
  return `${what} on ${key}`;
}

/** A login that is not one would be other people's text at the start of a message. */
function who(login: string): string {
  return /^[\w-]{1,60}(\[bot\])?$/.test(login) ? `@${login}` : 'Somebody';
}

/** Said first where a conversation goes on in a workspace that Claude has not worked in. @param branch null for none. */
export function movedText(branch: string | null): string {
  const what = branch ? `what was pushed to \`${branch}\`` : 'what was pushed';
  return `This conversation goes on in a new workspace, perhaps on another machine. It holds only ${what}: commits that were not pushed, uncommitted changes and whatever ran in the background are gone, also where you have reported them already. Look at the actual state, and do again what is missing before you go on.`;
}

/** Ours, when a person asked to go on or to try again. */
export function noteText(actor: string, body: string): string {
  return `${who(actor)} asks: ${body}`;
}

export interface LiveFacts {
  /** The pull request that belongs to the issue, opened before the first turn. */
  pullUrl: string | null;
  /** The repository's own template, which the description keeps to. */
  template: string | null;
  /** What became of the repository's set-up script; null when there is none. */
  setup: { exitCode: number | null; output: string } | null;
}

/** Added to the first message: what was prepared. @param nonce as `createMarkers` wants it */
export function preparedText({ pullUrl, template, setup }: LiveFacts, nonce: string): string {
  const markers = createMarkers(nonce);
  const marked = (what: string, text: string) => markers.enclose('untrusted', { what }, markers.text(text));
  const lines: string[] = [];
  if (pullUrl) lines.push(`A draft pull request for your branch is open already: ${pullUrl}`);
  if (template) {
    lines.push(
      `Its description follows the repository's template; keep to these headings:\n${marked('template', template)}`,
    );
  }
  if (setup) {
    const how = setup.exitCode === 0 ? 'has run' : `ended with ${setup.exitCode ?? 'no exit code'}`;
    const output = setup.exitCode === 0 ? '' : `:\n${marked('output', setup.output.slice(-4_000))}`;
    lines.push(`The repository's set-up script (\`.forgehand/setup\`) ${how}${output}`);
  }
  return lines.length > 0 ? `## What is prepared\n${lines.join('\n')}` : '';
}
