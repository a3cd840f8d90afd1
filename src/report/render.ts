/** The tracking comment as a pure function of its state: header, links, reason and remedy, Claude's own text. */
import type { Progress, Result } from '../words/result.ts';

/** GitHub refuses longer comment bodies. Characters. */
export const longestComment = 65_536;
/** Room for header, links and marker beside Claude's text. Characters. */
const reserved = 6_000;

/** What later runs and `post` need to know of a comment; travels in it, hidden. */
export interface Marker {
  workflow: string;
  job: string;
  run: string;
  attempt: string;
  session?: string;
  /** The head commit that a review covered. */
  head?: string;
}

/** All that a tracking comment shows. JSON, so that `post` can render the end when main was killed. */
export interface CommentState {
  actor: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  progress: Progress;
  /** Where the run can be watched; null outside Actions. */
  jobUrl: string | null;
  branch: { name: string; url: string } | null;
  createPullRequestUrl: string | null;
  result: Result | null;
  marker: Marker;
}

/** The comment, and what did not fit into it, to be posted below it. */
export function renderComment(state: CommentState, now: number): { body: string; continued: string[] } {
  const marker = hidden(state.marker);
  const head = state.result ? endedHeader(state, state.result) : workingHeader(state, now);
  const [first = '', ...continued] = splitMarkdown(textOf(state), longestComment - reserved);
  const more = continued.length > 0 ? '\n\n*Continued below.*' : '';
  const body = `${head}\n\n---\n\n${first || '*No text yet.*'}${more}\n\n${marker}`;
  return { body, continued: continued.map((part) => `*Continued.*\n\n${part}\n\n${marker}`) };
}

/** The hidden line that says whose comment this is. JSON cannot close an HTML comment here: `-` and `>` are escaped. */
export function hidden(marker: Marker): string {
  const json = JSON.stringify(marker).replace(/[->]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  return `<!-- forgehand ${json} -->`;
}

/** The part of the hidden line that all runs of one workflow's job share. */
export function stickyKey(marker: Marker): string {
  return hidden(marker).split('"run":')[0]!;
}

/** `hidden`'s opposite; null when the text holds no marker that can be read. */
export function readMarker(body: string): Marker | null {
  const json = /<!-- forgehand (\{[^\n]*?\}) -->/.exec(body)?.[1];
  if (!json) return null;
  try {
    return JSON.parse(json) as Marker;
  } catch {
    return null;
  }
}

/** `65_000` → `1m 5s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h ${m}m`;
  return m > 0 ? `${m}m ${s}s` : `${s}s`;
}

/** `0.0123` → `$0.01`; small amounts keep two significant digits. */
export function dollars(amount: number): string {
  return `$${amount >= 0.01 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}

/** Splits text for several comments, at line ends where there are any, closing and reopening code fences. */
export function splitMarkdown(text: string, longest: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longest) {
    const room = longest - 100;
    const lineEnd = rest.lastIndexOf('\n', room);
    const at = lineEnd > room / 2 ? lineEnd + 1 : beforeSurrogate(rest, room);
    const part = rest.slice(0, at);
    const fence = openFence(part);
    parts.push(fence ? `${part.replace(/\n$/, '')}\n${fence.mark}` : part);
    rest = (fence ? `${fence.line}\n` : '') + rest.slice(at);
  }
  parts.push(rest);
  return parts;
}

function workingHeader(state: CommentState, now: number): string {
  const since = duration(now - state.startedAt);
  const verb = state.progress.status === 'queued' ? 'has queued' : 'is working on';
  return [`⏳ **Claude ${verb} ${possessive(state.actor)} request** · ${since}`, links(state)]
    .filter(Boolean)
    .join('\n');
}

function endedHeader(state: CommentState, result: Result): string {
  const figures = [
    ...(result.usage
      ? [
          duration(result.usage.durationMs),
          `${result.usage.turns} turn${result.usage.turns === 1 ? '' : 's'}`,
          dollars(result.usage.costUsd),
        ]
      : []),
  ].join(' · ');
  const lines = [`${verdict(state.actor, result)}${figures && ` · ${figures}`}`, links(state)];
  if (result.conclusion !== 'success') {
    lines.push('', `> **${result.reason}**: ${quoted(result.summary)}`);
    if (result.remedy) lines.push('>', `> ${quoted(result.remedy)}`);
  }
  for (const note of result.notes) lines.push('', `> ${quoted(note)}`);
  return lines.filter((line, index) => line !== '' || index > 1).join('\n');
}

function verdict(actor: string, result: Result): string {
  const whose = possessive(actor);
  switch (result.conclusion) {
    case 'success':
      return `✅ **Claude finished ${whose} task**`;
    case 'cancelled':
      return `⏹️ **${whose} task was cancelled**`;
    case 'skipped':
      return `⏭️ **${whose} task was skipped**`;
    case 'failure':
      return `❌ **Claude could not finish ${whose} task**`;
  }
}

function links(state: CommentState): string {
  const pullRequest = state.result?.pullRequestUrl;
  return [
    state.jobUrl && `[View job](${state.jobUrl})`,
    state.branch && `[\`${state.branch.name}\`](${state.branch.url})`,
    pullRequest && `[Pull request](${pullRequest})`,
    !pullRequest && state.createPullRequestUrl && `[Create pull request ➔](${state.createPullRequestUrl})`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Claude's reports, else its last words: a reader always sees what was said last. */
function textOf(state: CommentState): string {
  if (state.progress.message) return state.progress.message;
  return state.result?.conclusion === 'success' ? state.result.summary : '';
}

function possessive(actor: string): string {
  return `@${actor.replace(/[^A-Za-z0-9_[\]-]/g, '')}'s`;
}

function quoted(text: string): string {
  return text.trim().replaceAll('\n', '\n> ');
}

/** The fence that is still open at the end of `text`: its opening line, and the mark that closes it. */
function openFence(text: string): { line: string; mark: string } | null {
  let open: { line: string; mark: string } | null = null;
  for (const line of text.split('\n')) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (!mark) continue;
    if (!open) open = { line, mark };
    else if (mark.startsWith(open.mark) && line.trim() === mark) open = null;
  }
  return open;
}

function beforeSurrogate(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}
