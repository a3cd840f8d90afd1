/** The lines of a file's diff that GitHub takes comments on. Pure. */
import type { Place, Side } from '../words/review.ts';

/** One line that both sides count, or one of them. */
interface DiffLine {
  LEFT: number | null;
  RIGHT: number | null;
  text: string;
}

type Hunk = DiffLine[];

/** What a place in a diff comes to: the text of its lines, or why GitHub would refuse it and what it takes instead. */
export type Located = { code: string[] } | { problem: string; remedy: string };

/** @param patch as GitHub shows it: hunks without the file's header. */
export function locate(patch: string, { path, line, startLine, side }: Place): Located {
  const hunks = hunksOf(patch);
  const first = startLine ?? line;
  const home = hunks.find((hunk) => hunk.some((one) => one[side] === line));
  if (home?.some((one) => one[side] === first)) {
    const lines = home.filter((one) => isWithin(one[side], first, line));
    return { code: lines.map(({ text }) => text) };
  }
  const lost = home ? first : line;
  const outside = hunks.every((hunk) => hunk.every((one) => one[side] !== lost));
  const problem = outside
    ? `Line ${lost} of \`${path}\` (side ${side}) is not part of the diff.`
    : `Lines ${first} to ${line} of \`${path}\` are not in one hunk of the diff.`;
  return { problem, remedy: takes(hunks, side, lost) };
}

function isWithin(number: number | null, first: number, last: number): boolean {
  return number !== null && number >= first && number <= last;
}

/** Most ranges that a refusal names. */
const mostRanges = 6;

/** The lines that take comments, those nearest to `line` first. */
function takes(hunks: Hunk[], side: Side, line: number): string {
  const ranges = rangesOf(hunks, side).toSorted((a, b) => distance(a, line) - distance(b, line));
  const other = side === 'RIGHT' ? 'LEFT' : 'RIGHT';
  const otherWay = rangesOf(hunks, other).some((range) => distance(range, line) === 0)
    ? ` With \`side\` ${other} (the file ${other === 'LEFT' ? 'before' : 'after'} the change) the diff has line ${line}.`
    : '';
  if (ranges.length === 0) return `The diff has no lines on side ${side} of this file.${otherWay}`;
  const [nearest] = ranges;
  const at = Math.min(Math.max(line, nearest!.from), nearest!.to);
  const named = ranges
    .slice(0, mostRanges)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  const more = ranges.length > mostRanges ? ', and others' : '';
  return `The nearest line that takes a comment is ${at}; on side ${side} these do: ${named.join(', ')}${more}.${otherWay} What concerns other lines goes into the body of \`submit_review\`.`;
}

interface Range {
  from: number;
  to: number;
}

/** One range for each hunk, as what lies between its first and its last line is all in it. */
function rangesOf(hunks: Hunk[], side: Side): Range[] {
  return hunks.flatMap((hunk) => {
    const numbers = hunk.map((one) => one[side]).filter((number) => number !== null);
    return numbers.length > 0 ? [{ from: numbers[0]!, to: numbers.at(-1)! }] : [];
  });
}

function distance({ from, to }: Range, line: number): number {
  return Math.max(from - line, line - to, 0);
}

function hunksOf(patch: string): Hunk[] {
  const hunks: Hunk[] = [];
  let [left, right] = [0, 0];
  for (const row of patch.split('\n')) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(row);
    const hunk = hunks.at(-1);
    if (header) {
      [left, right] = [Number(header[1]), Number(header[2])];
      hunks.push([]);
    } else if (hunk && !row.startsWith('\\')) {
      const [isNew, isOld] = [row.startsWith('+'), row.startsWith('-')];
      hunk.push({ LEFT: isNew ? null : left++, RIGHT: isOld ? null : right++, text: row.slice(1) });
    }
  }
  return hunks;
}
