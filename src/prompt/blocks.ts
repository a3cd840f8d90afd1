/** The blocks of a markdown text: what is code, where a paragraph ends, what is quoted. */

/** Where the content of the list item begins that is being read; 0 outside of lists. */
export interface Place {
  itemColumn: number;
}

const marker = String.raw`(?:[-+*]|\d{1,9}[.)])`;
const listItem = new RegExp(String.raw`([ \t]*)(?:${marker}[ \t]+)+(?=\S)`, 'y');
const fence = new RegExp(`([ \\t]*)((?:${marker}[ \\t]+)*)(\`{3,}(?=[^\`\\n]*(?:\\n|$))|~{3,})`, 'y');
const quote = /((?: {0,3}>[ \t]?)+)/y;
/** An item whose first line is empty. */
const emptyItem = new RegExp(String.raw`([ \t]*)${marker}[ \t\r]*(?:\n|$)`, 'y');
const blank = /[ \t\r]*(?:\n|$)/y;
const heading = /([ \t]*)#{1,6}(?=\s|$)/y;
const rule = /([ \t]*)(?:-{3,}|={1,}|\*{3,}|_{3,})[ \t\r]*(?:\n|$)/y;
/** HTML that reaches to the next blank line, whatever markdown it holds. */
const htmlBlock = afterItems(
  /<(?:\/?(?:address|article|aside|base|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|template|tfoot|th|thead|title|tr|track|ul)(?=[\s/>]|$))/,
);
/** HTML that reaches to its end, over blank lines too. */
const rawHtml = afterItems(/<(pre|script|style|textarea)(?=[\s>]|$)/);
const comment = afterItems(/<[!?]/);
const loneTag = afterItems(/<\/?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>\n]*)?>[ \t\r]*(?:\n|$)/);

/** What begins a block also begins it as the first thing of a list item. */
function afterItems(beginning: RegExp): RegExp {
  return new RegExp(String.raw`([ \t]*(?:${marker}[ \t]+)*)${beginning.source}`, 'iy');
}

/** The end of the fenced or indented code block at `at`, the start of a line; null when there is none. */
export function codeBlockEnd(text: string, at: number, place: Place): number | null {
  enterOrLeaveList(text, at, place);
  const opening = opens(fence, text, at, place);
  if (opening) {
    const item = opening[2] ? columns(opening[1]! + opening[2]) : place.itemColumn;
    return fenceEnd(text, at, { mark: opening[3]!, item });
  }
  const indented = (line: number) =>
    matchAt(blank, text, line) === null && indentation(text, line) >= place.itemColumn + 4;
  if (!indented(at)) return null;
  let end = nextLine(text, at);
  while (end < text.length && indented(end)) end = nextLine(text, end);
  return end;
}

/** A fence ends with its mark, or with the list item that it is in. */
function fenceEnd(text: string, at: number, { mark, item }: { mark: string; item: number }): number {
  const closing = new RegExp(`([ \\t]*)${mark[0]}{${mark.length},}[ \\t\\r]*(?:\\n|$)`, 'y');
  for (let line = nextLine(text, at); line < text.length; line = nextLine(text, line)) {
    if (matchAt(blank, text, line)) continue;
    if (indentation(text, line) < item) return line;
    const match = matchAt(closing, text, line);
    if (match && columns(match[1]!) <= item + 3) return nextLine(text, line);
  }
  return text.length;
}

/** Where the paragraph or HTML block at `at` ends. In HTML there is no markdown code. */
export function paragraphEnd(text: string, at: number, place: Place): { end: number; html: boolean } {
  const first = nextLine(text, at);
  if (matchAt(blank, text, at) || opens(heading, text, at, place)) return { end: first, html: false };
  // A comment that is longer than its line is read to its end all the same.
  if (opens(comment, text, at, place)) return { end: first, html: true };
  const raw = opens(rawHtml, text, at, place);
  if (raw) return { end: rawHtmlEnd(text, at, raw[2]!), html: true };
  const html = Boolean(opens(htmlBlock, text, at, place) ?? opens(loneTag, text, at, place));
  const inList = place.itemColumn > 0;
  for (let line = first; line < text.length; line = nextLine(text, line)) {
    if (matchAt(blank, text, line)) return { end: line, html };
    if (html) continue;
    if (
      [fence, heading, rule, htmlBlock, rawHtml, comment].some((start) => opens(start, text, line, place)) ||
      matchAt(quote, text, line)
    ) {
      return { end: line, html };
    }
    const item = matchAt(listItem, text, line);
    // Outside of a list only an item without a number, or with the number one, ends a paragraph.
    if (item && (inList || !/^\s*\d/.test(item[0]) || /^\s*1[.)]/.test(item[0]))) return { end: line, html };
  }
  return { end: text.length, html };
}

function rawHtmlEnd(text: string, at: number, name: string): number {
  const closing = new RegExp(`</${name}>`, 'ig');
  closing.lastIndex = at;
  const found = closing.exec(text);
  return found ? nextLine(text, found.index) : text.length;
}

/** Where a footnote ends whose first paragraph ends at `at`: indented paragraphs after it belong to it. */
export function noteEnd(text: string, at: number): number {
  let end = at;
  for (let line = at; line < text.length; line = nextLine(text, line)) {
    if (matchAt(blank, text, line)) continue;
    if (indentation(text, line) < 4) break;
    end = nextLine(text, line);
  }
  return end;
}

/** Consecutive lines quoted to the same depth, without their marks; null when the line at `at` is not quoted. */
export function quotedLines(text: string, at: number): { prefix: string; inner: string; end: number } | null {
  const depth = (prefix: string) => prefix.split('>').length;
  const first = matchAt(quote, text, at);
  if (!first) return null;
  let inner = '';
  let line = at;
  for (
    let mark: RegExpExecArray | null = first;
    mark;
    mark = line < text.length ? matchAt(quote, text, line) : null
  ) {
    if (depth(mark[0]) !== depth(first[0])) break;
    const end = nextLine(text, line);
    inner += text.slice(line + mark[0].length, end);
    line = end;
  }
  return { prefix: first[0], inner, end: line };
}

/** Blocks in a list item are indented with it; the first line that is less indented leaves it. */
function enterOrLeaveList(text: string, at: number, place: Place): void {
  if (matchAt(blank, text, at)) return;
  const item = opens(listItem, text, at, place);
  const empty = item ? null : opens(emptyItem, text, at, place);
  if (item) place.itemColumn = columns(item[0]);
  else if (empty) place.itemColumn = columns(empty[0].trimEnd()) + 1;
  else place.itemColumn = Math.min(place.itemColumn, indentation(text, at));
}

/** Matches the beginning of a block, which four columns of indentation would make code or plain text. */
function opens(beginning: RegExp, text: string, at: number, place: Place): RegExpExecArray | null {
  const match = matchAt(beginning, text, at);
  return match && columns(match[1]!) <= place.itemColumn + 3 ? match : null;
}

function indentation(text: string, at: number): number {
  return columns(matchAt(/[ \t]*/y, text, at)![0]);
}

/** A tab reaches to the next multiple of four. */
function columns(indent: string): number {
  let column = 0;
  for (const char of indent) column += char === '\t' ? 4 - (column % 4) : 1;
  return column;
}

export function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
