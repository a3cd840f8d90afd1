/** The blocks of a markdown text: what is code, where a paragraph ends. */
import { type Table, tableAt } from './table.ts';

/** Where the content begins of the list items that are being read, the outermost first. */
export type Place = number[];

const marker = String.raw`(?:[-+*]|\d{1,9}[.)])`;
const listItem = new RegExp(String.raw`([ \t]*)(?:${marker}[ \t]+)+(?=\S)`, 'y');
const fence = new RegExp(`([ \\t]*)((?:${marker}[ \\t]+)*)(\`{3,}(?=[^\`\\n]*(?:\\n|$))|~{3,})`, 'y');
export const quote = new RegExp(String.raw`([ \t]*(?:${marker}[ \t]+)*)(>[ \t]?)`, 'y');
/** An item whose first line is empty. */
const emptyItem = new RegExp(String.raw`([ \t]*)${marker}[ \t\r]*(?:\n|$)`, 'y');
const blank = /[ \t\r]*(?:\n|$)/y;
const heading = /([ \t]*)#{1,6}(?=\s|$)/y;
const rule = /([ \t]*)(?:-{3,}|\*{3,}|_{3,})[ \t\r]*(?:\n|$)/y;
const underline = /([ \t]*)(?:=+|-+)[ \t\r]*(?:\n|$)/y;
/** HTML that reaches to the next blank line, whatever markdown it holds. */
const htmlBlock = afterItems(
  /<(?:\/?(?:address|article|aside|base|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|template|tfoot|th|thead|title|tr|track|ul)(?=[\s/>]|$))/,
);
/** HTML that reaches to its end, over blank lines too. */
const rawHtml = afterItems(/<(?:pre|script|style|textarea)(?=[\s>]|$)/);
const rawEnd = /<\/(?:pre|script|style|textarea)>/i;
/** HTML that reaches to the end of the line where its mark stands, whatever is between. */
const marked = afterItems(/<(!--|\?|!\[CDATA\[|![A-Z])/);
const markOf = (opening: string) =>
  ({ '!--': /-->/, '?': /\?>/, '![cdata[': /\]\]>/ })[opening.toLowerCase()] ?? />/;
const loneTag = afterItems(
  /<(?:\/[A-Za-z][A-Za-z0-9-]*[ \t]*|[A-Za-z][A-Za-z0-9-]*(?:[ \t]+[A-Za-z_:][\w.:-]*(?:[ \t]*=[ \t]*(?:"[^"\n]*"|'[^'\n]*'|[^\s"'=<>`]+))?)*[ \t]*\/?)>[ \t\r]*(?:\n|$)/,
);

/** What begins a block also begins it as the first thing of a list item. */
function afterItems(beginning: RegExp): RegExp {
  return new RegExp(String.raw`([ \t]*(?:${marker}[ \t]+)*)${beginning.source}`, 'iy');
}

/** The fenced or indented code block at `at`, the start of a line, where it is shown; null when there is none. */
export function codeBlock(text: string, at: number, place: Place): { end: number; shown: string } | null {
  const opening = opens(fence, text, at, place);
  if (opening) {
    const item = opening[2] ? columns(opening[1]! + opening[2]) : itemColumn(place);
    const end = fenceEnd(text, at, { mark: opening[3]!, item });
    return { end, shown: opening[0] + withoutNotes(text.slice(at + opening[0].length, end)) };
  }
  const indented = (line: number) =>
    matchAt(blank, text, line) === null && indentation(text, line) >= itemColumn(place) + 4;
  if (!indented(at)) return null;
  let end = nextLine(text, at);
  while (end < text.length && indented(end)) end = nextLine(text, end);
  return { end, shown: text.slice(at, end) };
}

/** The page shows nothing of what follows a fence's mark; the language, one short word, tells how to read the code. */
function withoutNotes(code: string): string {
  return code.replace(/^([^\S\n]*)([^\n]*)/, (_, blanks: string, info: string) => {
    const language = /^[\w+#.:{}/-]{1,24}(?=\s|$)/.exec(info);
    const lineEnd = info.endsWith('\r') ? '\r' : '';
    if (!language) return lineEnd;
    return (
      blanks +
      language[0] +
      (language[0].length + lineEnd.length < info.length ? lineEnd : info.slice(language[0].length))
    );
  });
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

/** A paragraph (a heading, a table, a line without words too), or HTML in which there is no markdown. */
export interface Prose {
  end: number;
  html: boolean;
  /** In a list item, a paragraph may come without a tag of its own. */
  inList: boolean;
  /** True for a paragraph that lines after it could still belong to, were they not the end of the text. */
  open: boolean;
  table: Table | null;
}

export function prose(text: string, at: number, place: Place): Prose {
  const inList = place.length > 0;
  const first = nextLine(text, at);
  const words = { html: false, inList, open: false, table: null };
  if (matchAt(blank, text, at) || [heading, rule, emptyItem].some((line) => opens(line, text, at, place)))
    return { ...words, end: first };
  const html = htmlBlockEnd(text, at, place);
  if (html !== null) return { ...words, end: html, html: true };
  let end = first;
  let table: Table | null = null;
  for (let above = at; end < text.length; ) {
    table ??= tableAt(text, above, end);
    const isUnderline = table === null && opens(underline, text, end, place);
    if (isUnderline && indentation(text, end) >= itemColumn(place))
      return { ...words, end: nextLine(text, end) };
    // A list with any number may follow a table.
    if (!continues(text, end, place, table ? 'other' : 'paragraph')) break;
    above = end;
    end = nextLine(text, end);
  }
  return { ...words, end, open: end === text.length, table };
}

function htmlBlockEnd(text: string, at: number, place: Place): number | null {
  const mark = opens(marked, text, at, place);
  const close = mark ? markOf(mark[2]!) : opens(rawHtml, text, at, place) && rawEnd;
  if (close) return htmlEnd(text, at, { place, close });
  if (!opens(htmlBlock, text, at, place) && !opens(loneTag, text, at, place)) return null;
  let end = nextLine(text, at);
  while (end < text.length && !matchAt(blank, text, end) && indentation(text, end) >= itemColumn(place))
    end = nextLine(text, end);
  return end;
}

/**
 * Whether the line at `at` goes on with the paragraph above it.
 * @param after `other` for a table, and for a paragraph in a quote that the line is not in: any list item ends these.
 */
export function continues(text: string, at: number, place: Place, after: 'paragraph' | 'other'): boolean {
  if (matchAt(blank, text, at)) return false;
  const inList = place.length > 0;
  const item = opens(listItem, text, at, place);
  // Outside of a list only an item without a number, or with the number one, ends a paragraph.
  if (item) return after === 'paragraph' && !inList && /^\s*(?!1[.)])\d/.test(item[0]);
  if ((after === 'other' || inList) && opens(emptyItem, text, at, place)) return false;
  const starts = [quote, fence, heading, rule, htmlBlock, rawHtml, marked];
  return !starts.some((start) => opens(start, text, at, place));
}

/** HTML that goes on over blank lines ends behind its mark, or with the list item that it is in. */
function htmlEnd(text: string, at: number, { place, close }: { place: Place; close: RegExp }): number {
  for (let line = at; line < text.length; ) {
    if (line > at && !matchAt(blank, text, line) && indentation(text, line) < itemColumn(place)) return line;
    const next = nextLine(text, line);
    if (close.test(text.slice(line, next))) return next;
    line = next;
  }
  return text.length;
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

/** Blocks in a list item are indented with it; the first line that is less indented leaves it. */
export function enterOrLeaveList(text: string, at: number, place: Place): void {
  if (matchAt(blank, text, at)) return;
  const indented = indentation(text, at);
  while (itemColumn(place) > indented) place.pop();
  const item = opens(listItem, text, at, place);
  if (!item) {
    const empty = opens(emptyItem, text, at, place);
    // An item begins with one empty line at most.
    if (empty && !matchAt(blank, text, at + empty[0].length)) place.push(columns(empty[0].trimEnd()) + 1);
    return;
  }
  let column = 0;
  for (const [, mark, blanks] of item[0].matchAll(/([ \t]*[^ \t]+)([ \t]+)/g)) {
    const start = columns(mark!, column);
    column = columns(blanks!, start);
    // What is further away is code in an item that begins at once.
    place.push(column - start > 4 ? start + 1 : column);
  }
}

export function itemColumn(place: Place): number {
  return place.at(-1) ?? 0;
}

/** Matches the beginning of a block, which four columns of indentation would make code or plain text. */
export function opens(beginning: RegExp, text: string, at: number, place: Place): RegExpExecArray | null {
  const match = matchAt(beginning, text, at);
  return match && columns(match[1]!) <= itemColumn(place) + 3 ? match : null;
}

function indentation(text: string, at: number): number {
  return columns(matchAt(/[ \t]*/y, text, at)![0]);
}

/** A tab reaches to the next multiple of four. */
export function columns(indent: string, from = 0): number {
  let column = from;
  for (const char of indent) column += char === '\t' ? 4 - (column % 4) : 1;
  return column;
}

export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

export function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

export function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
