/** The log of a job as one reads it, and the lines of it that were asked for. Pure. */

/** Characters of one line; what is longer is data that nobody reads, and would fill an answer. */
const longestLine = 1_000;
/** Lines shown where nothing says how many. */
const usualTail = 200;
/** Lines before and after one that was looked for. */
const around = 2;
/** Characters that a line's number and what is around it take. */
const overhead = 12;

/** What the runner writes before every line. */
const timestamp = /^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?/;
// biome-ignore-start lint/suspicious/noControlCharactersInRegex: these are what is taken out
/** Colours, links, movements of the cursor: each begins with an escape, and none holds another. */
const sequence =
  /\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])/g;
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: as above

/** The text without timestamps, colours and what was overwritten on the screen. @param redact takes secrets out */
export function cleanLog(raw: string, redact: (text: string) => string): string {
  const lines = raw.split(/\r?\n/).map((line) => {
    const plain = line.replace(timestamp, '').replace(sequence, '');
    // A progress bar is written again and again; the last is what was there in the end.
    const shown = plain.includes('\r') ? (plain.split('\r').findLast(Boolean) ?? '') : plain;
    return shown.replace(control, '').trimEnd();
  });
  // As a whole: a private key has many lines. Cut afterwards: half a secret would not be known.
  return redact(lines.join('\n').trimEnd()).split('\n').map(shortened).join('\n');
}

function shortened(line: string): string {
  if (line.length <= longestLine) return line;
  return `${line.slice(0, longestLine).toWellFormed()} [cut: ${line.length - longestLine} more characters]`;
}

export interface LogQuestion {
  tail: number | null;
  grep: string | null;
}

export interface LogExcerpt {
  /** Each line with its number; those around a match have `-` instead of `:` after it. */
  text: string;
  lines: number;
  /** Lines that hold what was looked for; null where nothing was. */
  matches: number | null;
  /** Lines, or matches, that were asked for and have no room; the first ones. */
  leftOut: number;
}

/**
 * The last lines, and of these only the ones that hold one of the words: text whatever its case, with `|` between
 * several. No expression: one could be written that never ends.
 * @param room characters
 */
export function excerptOf(log: string, { tail, grep }: LogQuestion, room: number): LogExcerpt {
  const all = log === '' ? [] : log.split('\n');
  const from = Math.max(0, all.length - (tail ?? (grep === null ? usualTail : all.length)));
  const asked = Array.from({ length: all.length - from }, (_, index) => from + index);
  const found = grep === null ? asked : asked.filter(holding(all, grep));
  const context = grep === null ? 0 : around;
  const shown = new Set<number>();
  let left = room;
  let count = 0;
  for (const match of found.toReversed()) {
    const [first, last] = [Math.max(from, match - context), Math.min(all.length - 1, match + context)];
    const more = asked.slice(first - from, last - from + 1).filter((index) => !shown.has(index));
    left -= more.reduce((sum, index) => sum + all[index]!.length + overhead, 0);
    if (left < 0) break;
    for (const index of more) shown.add(index);
    count += 1;
  }
  const matches = new Set(found);
  const lines = [...shown]
    .sort((a, b) => a - b)
    .map((index, order) => {
      const gap = order > 0 && !shown.has(index - 1) ? '…\n' : '';
      return `${gap}${index + 1}${matches.has(index) ? ':' : '-'} ${all[index]}`;
    });
  return {
    text: lines.join('\n'),
    lines: all.length,
    matches: grep === null ? null : found.length,
    leftOut: found.length - count,
  };
}

function holding(all: string[], grep: string): (index: number) => boolean {
  const words = grep
    .split('|')
    .map((word) => word.trim().toLowerCase())
    .filter(Boolean);
  return (index) => {
    const line = all[index]!.toLowerCase();
    return words.some((word) => line.includes(word));
  };
}
