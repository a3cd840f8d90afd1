/** A review as it is posted: its body, its comments with fix links, and the hidden marker by which it is known again. */
import type { Redact } from '../words/redact.ts';
import type { CollectedReview, Finding, Place } from '../words/review.ts';
import { hidden, type Marker } from './marker.ts';
import { closeFence, longestComment, splitMarkdown, withoutMarkers } from './render.ts';

export interface ReviewView {
  /** `owner/name` */
  repository: string;
  number: number;
  /** `include_fix_links` */
  fixLinks: boolean;
  redact: Redact;
  marker: Marker;
}

/** Of a fix link's question, before it is encoded: addresses of more than some thousand characters do not work everywhere. */
const longestQuestion = 700;

/** One comment on a line. What Claude wrote is in it as it is: a suggestion must not change by a byte. */
export function findingBody(finding: Finding, view: ReviewView): string {
  return closed(said(finding, view), view);
}

/** A reply in a thread. */
export function replyBody(body: string, view: ReviewView): string {
  return closed(withoutMarkers(body), view);
}

/**
 * The body of the review, and what did not fit into it, to be posted below it.
 * @param unplaced findings that GitHub takes no comment for where they belong.
 */
export function reviewBody(
  { conclusion }: Pick<CollectedReview, 'conclusion'>,
  { unplaced, notes }: { unplaced: Finding[]; notes: string[] },
  view: ReviewView,
): { body: string; continued: string[] } {
  const text = [
    closeFence(withoutMarkers(conclusion?.body ?? '').trim()),
    ...(unplaced.length > 0
      ? ['### Findings outside of the diff', ...unplaced.map((one) => listed(one, view))]
      : []),
    ...notes.map((note) => `*${withoutMarkers(note)}*`),
  ].filter(Boolean);
  const [first = '', ...others] = splitMarkdown(view.redact(text.join('\n\n')), longestComment - 1_000);
  return {
    body: closed(first, view),
    continued: others.map((part, index) => closed(`*Continued.*\n\n${part}`, asPart(view, index + 2))),
  };
}

/** `src/a.ts`, lines 3 to 5. */
export function placeName({ path, line, startLine, side }: Place): string {
  const lines = startLine === null ? `line ${line}` : `lines ${startLine} to ${line}`;
  return `${quoted(path)}, ${lines}${side === 'LEFT' ? ' before the change' : ''}`;
}

/** The view of what only continues something, so that it is not taken for the whole. */
export function asPart(view: ReviewView, part: number): ReviewView {
  return { ...view, marker: { ...view.marker, part } };
}

function listed(finding: Finding, view: ReviewView): string {
  return `**${placeName(finding)}**\n\n${said(finding, view)}`;
}

function said(finding: Finding, view: ReviewView): string {
  const text = closeFence(withoutMarkers(finding.body));
  return view.fixLinks ? `${text}\n\n${fixLink(finding, view)}` : text;
}

function closed(text: string, { marker, redact }: ReviewView): string {
  return `${redact(text)}\n\n${hidden(marker)}`;
}

/** Opens Claude Code on the finding. All that is not ours is in the question, encoded. */
function fixLink(finding: Finding, { repository, number, redact }: ReviewView): string {
  const place = placeName(finding);
  // What is to be done is in its words; the suggestion is in the thread.
  const words = withoutCode(finding.body);
  const what = redact(words).replace(/\s+/g, ' ').trim();
  const question = `Fix this finding of the review of pull request #${number}. ${place}: ${what}`;
  const cut =
    question.length > longestQuestion ? `${question.slice(0, longestQuestion).toWellFormed()}…` : question;
  return `[Fix this →](https://claude.ai/code?q=${encoded(cut)}&repo=${repository.split('/').map(encoded).join('/')})`;
}

/** The words alone: without fenced blocks. */
export function withoutCode(text: string): string {
  let fence: string | null = null;
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === null && !mark) words.push(line);
    if (mark && fence === null) fence = mark;
    else if (mark && fence !== null && mark.startsWith(fence)) fence = null;
  }
  return words.join('\n');
}

/** Also what would end a link of markdown. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[()'*!~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

/** A file is called as its author likes. */
function quoted(path: string): string {
  return `\`${path.replaceAll('`', 'ˋ').replace(/\s+/g, ' ')}\``;
}
