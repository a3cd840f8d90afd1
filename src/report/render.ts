/** The tracking comment as a pure function of its state: header, links, reason and remedy, Claude's own text. */
import { dollars } from '../words/dollars.ts';
import type { Progress, Result, Usage } from '../words/result.ts';
import { hidden, type Marker, markerStart } from './marker.ts';

/** GitHub refuses longer comment bodies. Characters. */
export const longestComment = 65_536;
/** Longest reason, remedy or note in the header, and most notes: the header must leave room for Claude's text. */
const longestQuote = 3_000;
const mostNotes = 8;

/** A request that came while the run was at work, and that it has taken in. */
export interface Taken {
  /** Node id of the comment or review. */
  id: string;
  url: string;
  actor: string;
}

/** All that a tracking comment shows. JSON, so that `post` can render the end when main was killed. */
export interface CommentState {
  actor: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  progress: Progress;
  /** Where the run can be watched; null outside Actions. */
  jobUrl: string | null;
  branch: { name: string; url: string; sha?: string } | null;
  createPullRequestUrl: string | null;
  result: Result | null;
  marker: Marker;
  /** Where other runs of the thread look whether this one is still at work. */
  watched?: true;
  /** The comment of the run that this one waits for, or has handed its request over to. */
  waitsFor?: string | null;
  taken?: Taken[];
}

/** The comment, and what did not fit into it, to be posted below it when the task has ended. */
export function renderComment(state: CommentState, now: number): { body: string; continued: string[] } {
  const marker = hidden(markerOf(state));
  const head = withoutMarkers(state.result ? endedHeader(state, state.result) : workingHeader(state, now));
  const room = longestComment - head.length - marker.length - 200;
  const [first = '', ...others] = splitMarkdown(withoutMarkers(textOf(state)), room);
  const more = state.result ? '*Continued below.*' : '*The rest follows when the task has ended.*';
  const text = first.trim() && `---\n\n${first}`;
  return {
    body: [head, text, others.length > 0 && more, marker].filter(Boolean).join('\n\n'),
    continued: others.map(
      (part, index) => `*Continued.*\n\n${part}\n\n${hidden({ ...state.marker, part: index + 2 })}`,
    ),
  };
}

/** What the comment says to other runs now. */
function markerOf({ marker, watched, result, taken = [], branch }: CommentState): Marker {
  // What a run took in and did not finish is free again for whoever still waits.
  const kept = !result || result.conclusion === 'success' ? taken.map(({ id }) => id) : [];
  return {
    ...marker,
    ...(watched && !result && { working: true }),
    ...(kept.length > 0 && { taken: kept }),
    ...(watched && branch?.sha && { pushed: branch.sha }),
  };
}

/** `65_000` → `1m 5s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h ${m}m`;
  return m > 0 ? `${m}m ${s}s` : `${s}s`;
}

/** `12_345` → `12.3k`, `1_200_000` → `1.2M`. */
export function compact(count: number): string {
  if (count < 1000) return String(count);
  const [size, unit] = count < 999_950 ? [1000, 'k'] : [1_000_000, 'M'];
  return `${Number((count / size).toFixed(1))}${unit}`;
}

/** Splits text for several comments, at line ends where there are any, closing and reopening code fences. */
export function splitMarkdown(text: string, longest: number): string[] {
  const parts: string[] = [];
  let rest = text;
  // Some room for the closing fence.
  const room = longest - 100;
  while (rest.length > room) {
    const lineEnd = rest.lastIndexOf('\n', room);
    let at = lineEnd > room / 2 ? lineEnd + 1 : beforeSurrogate(rest, room);
    const cut = openFence(rest.slice(0, at));
    // Half a suggestion would be applied as if it were all of it.
    if (cut && cut.at > room / 2) at = cut.at;
    const part = rest.slice(0, at);
    const fence = openFence(part);
    parts.push(closeFence(part));
    rest = (fence ? `${fence.line}\n` : '') + rest.slice(at);
  }
  parts.push(closeFence(rest));
  return parts;
}

/** Closes a code fence that `text` leaves open, so that it does not swallow what follows. */
export function closeFence(text: string): string {
  const fence = openFence(text);
  return fence ? `${text.replace(/\n$/, '')}\n${fence.mark}` : text;
}

function workingHeader(state: CommentState, now: number): string {
  const whose = possessive(state.actor);
  const what = state.waitsFor
    ? `🕓 **${sentence(`${whose} request waits for ${link('the run at work', state.waitsFor)}`)}**`
    : state.progress.status === 'queued'
      ? `🕓 **${sentence(`${whose} request is queued`)}**`
      : `⏳ **Claude is working on ${whose} request**`;
  const elapsed = now - state.startedAt;
  return [elapsed >= 1000 ? `${what} · ${duration(elapsed)} so far` : what, links(state)]
    .filter(Boolean)
    .join('\n');
}

function endedHeader(state: CommentState, result: Result): string {
  if (result.reason === 'handed_over' && state.waitsFor) {
    const what = `${possessive(state.actor)} request went to ${link('the run that was at work', state.waitsFor)}`;
    return [`↪️ **${sentence(what)}**`, links(state)].filter(Boolean).join('\n');
  }
  const { usage, notes } = result;
  const first = [verdict(state.actor, result), ...(usage ? figures(usage) : [])].join(' · ');
  const blocks = [[first, links(state)].filter(Boolean).join('\n')];
  // A quote each: what one of them leaves open (a code fence, a collapsed section) ends with it.
  if (result.conclusion !== 'success') {
    blocks.push(`> **What happened** (\`${result.reason}\`): ${quoted(result.summary)}`);
    if (result.remedy) blocks.push(`> **What to do**: ${quoted(result.remedy)}`);
    const unfinished = (state.taken ?? []).map(requestLink);
    if (unfinished.length > 0) blocks.push(`> ℹ️ Taken in and not finished: ${unfinished.join(', ')}.`);
  }
  for (const note of notes.slice(0, mostNotes)) blocks.push(`> ℹ️ ${quoted(note)}`);
  if (notes.length > mostNotes)
    blocks.push(`> ℹ️ ${notes.length - mostNotes} more notes are in the job's summary.`);
  return blocks.join('\n\n');
}

/** What is not known is left out: tokens that went in are not yet those of a run. */
function figures({ durationMs, turns, inputTokens, outputTokens, costUsd }: Usage): string[] {
  return [
    duration(durationMs),
    `${turns} turn${turns === 1 ? '' : 's'}`,
    ...(outputTokens === null ? [] : [`${compact(inputTokens + outputTokens)} tokens`]),
    ...(costUsd === null ? [] : [dollars(costUsd)]),
  ];
}

function verdict(actor: string, result: Result): string {
  const whose = possessive(actor);
  switch (result.conclusion) {
    case 'success':
      return `✅ **Claude finished ${whose} task**`;
    case 'cancelled':
      return `⏹️ **${sentence(`${whose} task was cancelled`)}**`;
    case 'skipped':
      return `⏭️ **${sentence(`${whose} task was skipped`)}**`;
    case 'failure':
      return `❌ **Claude could not finish ${whose} task**`;
  }
}

function links(state: CommentState): string {
  const { result, taken = [] } = state;
  const pullRequest = result?.pullRequestUrl;
  const also = !result || result.conclusion === 'success' ? taken.map(requestLink) : [];
  return [
    state.jobUrl && link('View job', state.jobUrl),
    state.branch && link(code(state.branch.name), state.branch.url),
    pullRequest && link('Pull request', pullRequest),
    state.result?.reviewUrl && link('Review', state.result.reviewUrl),
    !pullRequest && state.createPullRequestUrl && link('Create pull request ➔', state.createPullRequestUrl),
    also.length > 0 && `also for ${also.join(', ')}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function requestLink({ actor, url }: Taken): string {
  return link(`${possessive(actor)} request`, url);
}

/** Claude's reports, else its last words: a reader always sees what was said last. */
function textOf({ progress, result, waitsFor }: CommentState): string {
  if (progress.message) return progress.message;
  if (result) return result.conclusion === 'success' ? answerOf(result) : (result.lastWords ?? '');
  return progress.status === 'queued' || waitsFor ? '' : '*Claude has not reported yet.*';
}

/** What a task came to, as markdown: an answer in a given form is JSON, of which markdown would make something else. */
export function answerOf({ summary, structuredOutput }: Result): string {
  return structuredOutput !== undefined && /^[[{]/.test(summary) ? `\`\`\`json\n${summary}\n\`\`\`` : summary;
}

/** Nobody's name may break out of the header or call somebody else. */
function possessive(actor: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$/.test(actor) ? `@${actor}'s` : 'the';
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The branch of a fork is called as its owner likes: what closes a link or a code span does not do so here. */
function link(text: string, url: string): string {
  const target = url.replace(/[\s()<>\\]/g, (char) =>
    char === '(' ? '%28' : char === ')' ? '%29' : encodeURIComponent(char),
  );
  return `[${text}](${target})`;
}

function code(name: string): string {
  const runs = [...name.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  return runs.length > 0 ? `${fence} ${name} ${fence}` : `${fence}${name}${fence}`;
}

function quoted(text: string): string {
  const whole = text.trim();
  const shown =
    whole.length > longestQuote ? `${whole.slice(0, beforeSurrogate(whole, longestQuote))} …` : whole;
  // A comment that is never closed would hide everything up to our own.
  return shown.replaceAll('<!--', '&lt;!--').replace(/\r?\n/g, '\n> ');
}

/** Text is not ours to mark: what looks like a hidden line in it would speak for another run. */
export function withoutMarkers(text: string): string {
  return text.replaceAll(markerStart, '<!-- not by forgehand ');
}

/** The fence that is open at the end of `text`: where it begins, the line that opens it again, the mark that closes it. */
function openFence(text: string): { line: string; mark: string; at: number } | null {
  let open: { line: string; mark: string; at: number } | null = null;
  let next = 0;
  for (const line of text.split('\n')) {
    const at = next;
    next += line.length + 1;
    const mark = /^ {0,3}(`{3,}(?!.*`)|~{3,})/.exec(line)?.[1];
    // Longer ones are nobody's code, and repeating them could fill the comments.
    if (!mark || mark.length > 20) continue;
    if (!open) open = { line: line.length > 60 ? mark : line, mark, at };
    else if (mark.startsWith(open.mark) && line.trim() === mark) open = null;
  }
  return open;
}

function beforeSurrogate(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}
