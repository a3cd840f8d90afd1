/** Quotes of a markdown text, one mark deep: a quote in a quote is a quote of its own. */
import { columns, continues, itemColumn, matchAt, nextLine, opens, type Place, quote } from './blocks.ts';

export interface Quoted {
  /** What stands before the first line, and before each further one. */
  prefixes: [first: string, other: string];
  inner: string;
  end: number;
}

/** Consecutive quoted lines, without their marks; null when the line at `at` is not quoted. */
export function quotedLines(text: string, at: number, place: Place): Quoted | null {
  const first = opens(quote, text, at, place);
  if (!first) return null;
  const prefixes: Quoted['prefixes'] = [first[0], ' '.repeat(itemColumn(place)) + first[2]!];
  let inner = '';
  let line = at;
  for (let mark: RegExpExecArray | null = first; mark; ) {
    const end = nextLine(text, line);
    inner += unquoted(mark[0], text.slice(line + mark[0].length, end));
    line = end;
    mark = line < text.length ? opens(quote, text, line, place) : null;
    // Behind the mark of a list item another quote begins.
    if (mark && (mark[1]!.trim() || columns(mark[1]!) < itemColumn(place))) break;
  }
  return { prefixes, inner, end: line };
}

/** A tab reaches as far inside of a quote as it did outside of it. */
function unquoted(prefix: string, line: string): string {
  const blanks = matchAt(/[ \t]*/y, line, 0)![0];
  if (!/\t/.test(prefix + blanks)) return line;
  const start = prefix.endsWith('\t') ? columns(prefix.slice(0, -1)) + 1 : columns(prefix);
  return ' '.repeat(columns(prefix + blanks) - start) + line.slice(blanks.length);
}

/**
 * Lines from `at` that go on with the paragraph that a quote ends with, although they are not quoted, and quoted ones
 * after them: in one line, in which nothing can begin a block.
 */
export function lazyLines(text: string, at: number, place: Place): { words: string; end: number } {
  let words = '';
  let end = at;
  while (end < text.length) {
    const mark = opens(quote, text, end, place);
    const next = nextLine(text, end);
    const line = text.slice(end + (mark ? mark[0].length : 0), next);
    if (mark?.[1]?.trim() || !continues(line, 0, mark ? [] : place, 'other')) break;
    words += ` ${line.trim()}`;
    end = next;
  }
  return { words, end };
}
