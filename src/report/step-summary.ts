/** The job's step summary: the decision with its facts, the result, cost and links, and the turns when asked for. */
import { dollars } from '../words/dollars.ts';
import type { Result, Usage } from '../words/result.ts';
import type { Fact } from '../words/task.ts';
import { answerOf, closeFence, duration } from './render.ts';

/** GitHub refuses a larger summary. Bytes; some room is left for what other parts of the step write. */
const longestSummary = 1_000_000;

export interface SummaryInput {
  /** What was decided, in one sentence, for example "Runs: octocat mentioned @claude in octo-org/hello#1." */
  decision: string;
  facts: Fact[];
  result: Result;
  /** Markdown about what a backend was told; empty without one. */
  delivery: string;
  warnings: string[];
  /** Markdown of the turns; empty unless `display_report` asks for it. */
  report: string;
}

export function renderSummary(input: SummaryInput): string {
  const { result } = input;
  const parts = [
    `## ${icons[result.conclusion]} Forgehand: ${result.conclusion}${result.reason && ` (${result.reason})`}`,
    input.decision,
    ...said(result),
    ...(result.remedy ? [`**What to do:** ${result.remedy}`] : []),
    ...result.notes.map(quoted),
    ...input.warnings.map((warning) => quoted(`⚠️ ${warning}`)),
    table(outcomeRows(result)),
    input.delivery,
    details('Facts of the decision', table(input.facts.map((fact) => [fact.name, code(fact.value)]))),
  ];
  const text = cut(parts.filter(Boolean).join('\n\n'), longestSummary);
  // The turns are the longest part by far and the last: they get what room there is.
  const room = longestSummary - Buffer.byteLength(text) - 200;
  if (!input.report || room <= 0) return text;
  return `${text}\n\n${details('Turns', cut(input.report, room))}`;
}

const icons = { success: '✅', failure: '❌', cancelled: '⏹️', skipped: '⏭️' };

/** Why it is not done, or Claude's last words, which have no other place where there is no comment. */
function said(result: Result): string[] {
  if (!result.summary || result.conclusion === 'skipped') return [];
  if (result.conclusion !== 'success') return [`**What happened:** ${closeFence(result.summary)}`];
  return ['### What Claude said', closeFence(answerOf(result))];
}

function outcomeRows(result: Result): string[][] {
  const { branch, usage } = result;
  return [
    ...(result.commentUrl ? [['Comment', result.commentUrl]] : []),
    ...(branch ? [['Branch', `${code(branch.name)}, ${count(branch.commits, 'new commit')}`]] : []),
    ...(result.pullRequestUrl ? [['Pull request', result.pullRequestUrl]] : []),
    ...(usage ? [['Cost', cost(usage)]] : []),
    ...(usage ? [['Time', `${duration(usage.durationMs)} in ${count(usage.turns, 'turn')}`]] : []),
    ...(result.sessionId ? [['Session', code(result.sessionId)]] : []),
  ];
}

/** What is not known is said to be so: a limit or a kill came before Claude Code could give its account. */
function cost({ costUsd, inputTokens, outputTokens }: Usage): string {
  const sum = costUsd === null ? 'not known, as Claude Code ended before it could say' : dollars(costUsd);
  const out = outputTokens === null ? '' : `, ${outputTokens} out`;
  return `${sum} (${inputTokens} tokens in${out})`;
}

function table(rows: string[][]): string {
  if (rows.length === 0) return '';
  return ['| | |', '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

function details(title: string, body: string): string {
  return body && `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** A value as code in a table cell, whatever it holds. */
function code(value: string): string {
  const oneLine = value.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('`', "'").slice(0, 300);
  return oneLine ? `\`${oneLine}\`` : '';
}

function quoted(text: string): string {
  return `> ${text.replaceAll('\n', '\n> ')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** @param most bytes that may stay; whole lines where there are any. */
function cut(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  const note = (left: number) => `\n\n*${left} bytes more are not shown: GitHub's limit.*`;
  const whole = bytes
    .subarray(0, most - 100)
    .toString()
    .replace(/\ufffd$/, '');
  const kept = whole.slice(0, whole.lastIndexOf('\n') + 1 || whole.length);
  return `${closeFence(kept)}${note(bytes.length - Buffer.byteLength(kept))}`;
}
