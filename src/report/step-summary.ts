/** The job's step summary: the decision with its facts, the result, cost and links, and the turns when asked for. */
import type { Result } from '../words/result.ts';
import type { Fact } from '../words/task.ts';
import { dollars, duration } from './render.ts';

/** GitHub refuses a larger summary. Bytes; some room is left for what other parts of the step write. */
const longestSummary = 1_000_000;

export interface SummaryInput {
  /** What was decided, in one sentence, for example "Runs: octocat mentioned @claude in octo-org/hello#1." */
  decision: string;
  facts: Fact[];
  result: Result;
  warnings: string[];
  /** Markdown of the turns; empty unless `display_report` asks for it. */
  report: string;
}

export function renderSummary(input: SummaryInput): string {
  const { result } = input;
  const parts = [
    `## ${icons[result.conclusion]} Forgehand: ${result.conclusion}${result.reason && ` (${result.reason})`}`,
    input.decision,
    ...(result.conclusion === 'success' || result.conclusion === 'skipped'
      ? []
      : [`**What happened:** ${result.summary}`]),
    ...(result.remedy ? [`**What to do:** ${result.remedy}`] : []),
    ...result.notes.map((note) => `> ${note.replaceAll('\n', '\n> ')}`),
    ...input.warnings.map((warning) => `> ⚠️ ${warning}`),
    table(outcomeRows(result)),
    details('Facts of the decision', table(input.facts.map((fact) => [fact.name, code(fact.value)]))),
    input.report && details('Turns', input.report),
  ];
  return cut(parts.filter(Boolean).join('\n\n'));
}

const icons = { success: '✅', failure: '❌', cancelled: '⏹️', skipped: '⏭️' };

function outcomeRows(result: Result): string[][] {
  const { branch, usage } = result;
  return [
    ...(result.commentUrl ? [['Comment', result.commentUrl]] : []),
    ...(branch
      ? [['Branch', `${code(branch.name)}, ${branch.commits} new commit${branch.commits === 1 ? '' : 's'}`]]
      : []),
    ...(result.pullRequestUrl ? [['Pull request', result.pullRequestUrl]] : []),
    ...(usage
      ? [['Cost', `${dollars(usage.costUsd)} (${usage.inputTokens} tokens in, ${usage.outputTokens} out)`]]
      : []),
    ...(usage ? [['Time', `${duration(usage.durationMs)} in ${usage.turns} turns`]] : []),
    ...(result.sessionId ? [['Session', code(result.sessionId)]] : []),
  ];
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

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestSummary) return text;
  const kept = bytes.subarray(0, longestSummary).toString().replace(/�$/, '');
  return `${kept}\n\n*${bytes.length - longestSummary} bytes more are not shown: GitHub's limit.*`;
}
