/** Tells what a markdown text says from what it merely shows (code), repeats (quotes) or hides (HTML comments). */

interface Span {
  start: number;
  end: number;
  /** Stands for each blanked character: a comment renders as nothing and so parts words, code does not. */
  fill: '\0' | ' ';
}

interface Reading {
  text: string;
  spans: Span[];
  /** Column where the content of the list item being read begins; 0 outside of lists. */
  itemColumn: number;
}

// Each begins with its indentation as the first group, and has one way only to match a given line.
const listItem = /([ \t]*)(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)+/y;
const fence = /([ \t]*)((?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*)(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})/y;
const quote = /([ \t]*)>/y;
const comment = /([ \t]*)<!--/y;
const heading = /([ \t]*)#{1,6}(?=\s)/y;
const rule = /([ \t]*)(?:-{3,}|={3,}|\*{3,}|_{3,})[ \t\r]*(?:\n|$)/y;
const blank = /([ \t\r]*)(?:\n|$)/y;
const endsParagraph = [listItem, fence, quote, comment, heading, rule];

/**
 * The text with code, quoted lines and HTML comments blanked, at the same length, so that an index in one is an index
 * in the other. Unclosed fences and comments reach to the end. Takes linear time on any text, however hostile: no part
 * is looked at again from an earlier place.
 */
export function spokenText(text: string): string {
  const reading: Reading = { text, spans: [], itemColumn: 0 };
  let at = 0;
  while (at < text.length) at = readBlock(reading, at);
  let spoken = '';
  let done = 0;
  for (const { start, end, fill } of reading.spans) {
    spoken += text.slice(done, start) + fill.repeat(end - start);
    done = end;
  }
  return spoken + text.slice(done);
}

/** Reads one block (fence, quoted line, paragraph) and returns where the next one begins. */
function readBlock(reading: Reading, at: number): number {
  const { text, spans } = reading;
  // A comment may end inside a line; what follows it there opens no block.
  if (at === 0 || text[at - 1] === '\n') {
    enterOrLeaveList(reading, at);
    const opening = opens(fence, reading, at);
    if (opening) {
      const end = fenceEnd(text, at, { mark: opening[3]!, column: columns(opening[1]! + opening[2]!) });
      spans.push({ start: at, end: withoutLineEnd(text, end), fill: '\0' });
      return end;
    }
    if (opens(quote, reading, at)) {
      const end = nextLine(text, at);
      spans.push({ start: at, end: withoutLineEnd(text, end), fill: '\0' });
      return end;
    }
  }
  return readParagraph(reading, at, paragraphEnd(reading, at));
}

/** Blocks in a list item are indented with it; the first line that is less indented leaves it. */
function enterOrLeaveList(reading: Reading, at: number): void {
  const { text } = reading;
  if (matchAt(blank, text, at)) return;
  const item = opens(listItem, reading, at);
  if (item) reading.itemColumn = columns(item[0]);
  else reading.itemColumn = Math.min(reading.itemColumn, columns(matchAt(/([ \t]*)/y, text, at)![0]));
}

/** A fence ends with a line of nothing but its mark, at least as long as the opening one. */
function fenceEnd(text: string, at: number, { mark, column }: { mark: string; column: number }): number {
  const closing = new RegExp(`([ \\t]*)${mark[0]}{${mark.length},}[ \\t\\r]*(?:\\n|$)`, 'y');
  for (let line = nextLine(text, at); line < text.length; line = nextLine(text, line)) {
    const match = matchAt(closing, text, line);
    if (match && columns(match[1]!) <= column + 3) return nextLine(text, line);
  }
  return text.length;
}

/** Where the paragraph ends, and with it every code span that is still open. */
function paragraphEnd(reading: Reading, at: number): number {
  const { text } = reading;
  const first = nextLine(text, at);
  if (matchAt(blank, text, at) || opens(heading, reading, at)) return first;
  for (let line = first; line < text.length; line = nextLine(text, line)) {
    if (matchAt(blank, text, line) || endsParagraph.some((ending) => opens(ending, reading, line)))
      return line;
  }
  return text.length;
}

/** Blanks code spans and comments, whichever opens first; a comment may run beyond the paragraph. */
function readParagraph({ text, spans }: Reading, start: number, end: number): number {
  const paragraph = text.slice(start, end);
  const closingRun = closingRuns(paragraph);
  // a backslash takes the meaning of what follows it
  const token = /\\[\\`<]|`+|<!--/g;
  for (let match = token.exec(paragraph); match; match = token.exec(paragraph)) {
    const from = start + match.index;
    if (match[0] === '<!--') {
      // from the second dash on, as `<!-->` is a whole comment
      const close = text.indexOf('-->', from + 2);
      const to = close < 0 ? text.length : close + 3;
      spans.push({ start: from, end: to, fill: ' ' });
      if (to >= end) return to;
      token.lastIndex = to - start;
    } else if (match[0].startsWith('`')) {
      const close = closingRun(match[0].length, token.lastIndex);
      if (close === null) continue;
      token.lastIndex = close + match[0].length;
      spans.push({ start: from, end: start + token.lastIndex, fill: '\0' });
    }
  }
  return end;
}

/**
 * Finds the run of exactly `length` backticks at or after a place. Places asked for only ever grow, so each run is
 * passed once; searching afresh for each opening run would take quadratic time on runs of many different lengths.
 */
function closingRuns(paragraph: string): (length: number, after: number) => number | null {
  const byLength = new Map<number, { places: number[]; next: number }>();
  for (const run of paragraph.matchAll(/`+/g)) {
    const same = byLength.get(run[0].length);
    if (same) same.places.push(run.index);
    else byLength.set(run[0].length, { places: [run.index], next: 0 });
  }
  return (length, after) => {
    const same = byLength.get(length);
    if (!same) return null;
    while (same.next < same.places.length && same.places[same.next]! < after) same.next += 1;
    return same.places[same.next] ?? null;
  };
}

/** Matches the beginning of a block, which four columns of indentation would make code or plain text. */
function opens(beginning: RegExp, { text, itemColumn }: Reading, at: number): RegExpExecArray | null {
  const match = matchAt(beginning, text, at);
  return match && columns(match[1]!) <= itemColumn + 3 ? match : null;
}

function columns(indentation: string): number {
  return indentation.replaceAll('\t', '    ').length;
}

function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** A block's last line end stays, as white space before what comes next. */
function withoutLineEnd(text: string, end: number): number {
  return text[end - 1] === '\n' ? end - 1 : end;
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
