/** Takes out of incoming markdown what its reader on GitHub does not see, so that nobody instructs Claude in secret. */
import { codeBlock, enterOrLeaveList, lineStart, noteEnd, type Place, prose } from './blocks.ts';
import { type Block, HtmlReader, readEntity } from './html.ts';
import { withoutInvisible } from './invisible.ts';
import { Links } from './links.ts';
import { lazyLines, type Quoted, quotedLines } from './quote.ts';
import { shownRows } from './table.ts';

interface Reading {
  text: string;
  place: Place;
  html: HtmlReader;
  links: Links;
  out: string[];
  more: Shown['more'];
  /** How many quotes it stands in, each of which may be in a list item of the one before. */
  depth: number;
}

/** What is nested deeper is left out. */
const deepest = 20;

/** One piece of inline markup. `put` replaces it; null leaves it as it is. */
interface Mark {
  at: number;
  end: number;
  kind: 'image' | 'open' | 'close' | 'other';
  put: string | null;
  /** The bracket that belongs to this one. */
  partner: Mark | null;
}

/**
 * Comments, invisible characters, hidden elements, link definitions, titles and alternative texts go; the content of
 * code blocks stays byte-exact except for invisible characters. Takes linear time. Attacks: `sanitise.test.ts`.
 * It reads markdown as GitHub does but for rare nestings, so it lessens what can be hidden; that untrusted text carries
 * no instructions whatever it says is the job of the markers in `markers.ts`.
 */
export function sanitise(text: string): string {
  const shown = sanitiseMarkdown(text.replace(/\r(?!\n)/g, '\n'));
  const visible = withoutInvisible(shown);
  // Read with and without them: an invisible character can open a comment for us, or close our eyes to one that is
  // open on GitHub's page (before a code fence it makes the fence a paragraph).
  return visible === shown ? shown : sanitiseMarkdown(visible);
}

function sanitiseMarkdown(text: string): string {
  const links = new Links(text);
  if (!links.hasNotes) return readMarkdown(text, links).shown;
  // Which notes are in use is known when everything has been read.
  readMarkdown(text, links);
  return readMarkdown(text, new Links(text, links.usedNotes)).shown;
}

interface Shown {
  shown: string;
  /** True where nothing was taken out. */
  same: boolean;
  hidesRest: boolean;
  /** The same with more words for the paragraph at its end; null when it ends with something else. */
  more: ((words: string) => Shown) | null;
}

function readMarkdown(text: string, links: Links, depth = 0, place: Place = []): Shown {
  const html = new HtmlReader(text);
  const reading: Reading = { text, place: [...place], html, links, out: [], more: null, depth };
  let at = 0;
  while (at < text.length) at = readBlock(reading, at);
  const shown = reading.out.join('');
  return { shown, same: shown === text, hidesRest: html.hidesRest, more: reading.more };
}

/** Reads one block and returns where the next one begins. */
function readBlock(reading: Reading, at: number): number {
  const { text, place, links, out, depth } = reading;
  // A hidden element may end inside of a line.
  if (at > 0 && text[at - 1] !== '\n') return readProse(reading, at, prose(text, lineStart(text, at), place));
  const outside = [...place];
  enterOrLeaveList(text, at, place);
  const quoted = quotedLines(text, at, place);
  if (quoted) return readQuote(reading, at, quoted);
  const code = codeBlock(text, at, place);
  if (code) {
    out.push(code.shown);
    return code.end;
  }
  const paragraph = prose(text, at, place);
  const { end, table } = paragraph;
  if (table) {
    const rows = text.slice(table.rows, end);
    const shown = shownRows(rows, table.cells);
    if (shown !== rows) {
      out.push(readMarkdown(text.slice(at, table.rows) + shown, links, depth, outside).shown);
      return end;
    }
  }
  if (paragraph.open) {
    const above = shownAbove(reading, at);
    reading.more = (words) =>
      above(readMarkdown(`${text.slice(at).trimEnd()}${words}\n`, links, depth, outside));
  }
  // What begins a block ends a definition, also inside of its title.
  const defined = paragraph.html ? null : links.definitions(text, at, end);
  if (defined) {
    out.push(defined.put);
    return defined.end < end ? readProse(reading, defined.end, paragraph) : end;
  }
  return links.isUnusedNote(text, at) ? noteEnd(text, end) : readProse(reading, at, paragraph);
}

/** Puts what was read so far before what is read anew from `at` on. */
function shownAbove({ text, out }: Reading, at: number): (last: Shown) => Shown {
  const before = out.join('');
  const isSame = before === text.slice(0, at);
  const above = (last: Shown): Shown => ({
    ...last,
    shown: before + last.shown,
    same: isSame && last.same,
    more: last.more && ((words) => above(last.more!(words))),
  });
  return above;
}

function readQuote(reading: Reading, at: number, { inner, prefixes, end }: Quoted): number {
  const { text, place, links, html, out } = reading;
  if (reading.depth === deepest) return end;
  let read = readMarkdown(inner, links, reading.depth + 1);
  const lazy = read.more ? lazyLines(text, end, place) : { words: '', end };
  if (lazy.words) read = read.more!(lazy.words);
  const quote = (last: Shown): Shown => ({
    ...last,
    shown: prefixes[0] + last.shown.replace(/(?<=\n)(?=.|\n)/g, prefixes[1]),
    more: last.more && ((words) => quote(last.more!(words))),
  });
  if (read.more && lazy.end === text.length) {
    const above = shownAbove(reading, at);
    const { more } = read;
    reading.more = (words) => above(quote(more(words)));
  }
  out.push(read.same ? text.slice(at, lazy.end) : quote(read).shown);
  // A comment that a quote leaves open hides what comes after the quote too.
  html.hidesRest ||= read.hidesRest;
  return read.hidesRest ? text.length : lazy.end;
}

/** Copies a paragraph without what is hidden in it. Hidden markup may reach beyond it: returns where to go on. */
function readProse(reading: Reading, start: number, paragraph: Block): number {
  const { text, out } = reading;
  const { end } = paragraph;
  const marks = readMarks(reading, start, paragraph);
  pairBrackets(marks);
  let done = start;
  for (const mark of marks) {
    if (mark.at < done) continue;
    const found = mark.put === null ? readBracket(reading, mark) : { end: mark.end, put: mark.put };
    if (!found || (mark.put === null && found.end > end)) continue;
    out.push(text.slice(done, mark.at), found.put);
    done = found.end;
  }
  if (done < end) out.push(text.slice(done, end));
  return Math.max(done, end);
}

function readBracket({ text, links }: Reading, mark: Mark): { end: number; put: string } | null {
  const { kind, partner } = mark;
  if (!partner || kind === 'other') return null;
  if (kind === 'open' && links.isNoteUse(text, mark.at, partner.at)) return null;
  if (kind === 'image') return links.image(text, mark.end, partner.at);
  if (kind === 'open') return links.emptyLink(text, mark.at, partner.at);
  return partner.kind === 'open' ? links.linkEnd(text, partner.at, mark.at) : null;
}

/** Finds code spans, HTML, entities and brackets, each where no earlier one covers it, as GitHub does. */
function readMarks(reading: Reading, start: number, block: Block): Mark[] {
  const { end, html } = block;
  // Searching the whole text from each paragraph on would take quadratic time where marks are rare.
  const paragraph = reading.text.slice(start, end);
  const runs = html ? new Map<string, number[]>() : backtickRuns(paragraph);
  const marks: Mark[] = [];
  const token = /\\[!-/:-@[-`{-~]|`+|<|&#?\w{1,32};|!?\[|\]/g;
  let htmlEnd = html ? paragraph.length : 0;
  const add = (at: number, to: number, kind: Mark['kind'], put: string | null = null) => {
    marks.push({ at: start + at, end: start + to, kind, put, partner: null });
    token.lastIndex = to;
  };
  for (let match = token.exec(paragraph); match; match = token.exec(paragraph)) {
    const [mark] = match;
    const at = match.index;
    const to = token.lastIndex;
    const inHtml = at < htmlEnd;
    if (inHtml && /^[\\`![\]]/.test(mark)) token.lastIndex = at + 1;
    else if (mark[0] === '`') token.lastIndex = codeSpanEnd(runs.get(mark), at, mark.length) ?? to;
    else if (mark === '<') {
      const found = reading.html.read(
        start + at,
        inHtml ? { ...block, end: start + htmlEnd, html: true } : block,
      );
      if (found?.htmlEnd) htmlEnd = found.htmlEnd - start;
      if (found) add(at, found.end - start, 'other', found.put);
    } else if (mark[0] === '&') add(at, to, 'other', readEntity(mark));
    else if (mark === '![') add(at, to, 'image');
    else if (mark === '[') add(at, to, 'open');
    else if (mark === ']') add(at, to, 'close');
  }
  return marks;
}

function pairBrackets(marks: Mark[]): void {
  const open: Mark[] = [];
  for (const mark of marks) {
    if (mark.kind === 'image' || mark.kind === 'open') open.push(mark);
    else if (mark.kind === 'close') {
      mark.partner = open.pop() ?? null;
      if (mark.partner) mark.partner.partner = mark;
    }
  }
}

/** Where runs of backticks are, by run, the last first: a reader takes them from the end of the list. */
function backtickRuns(paragraph: string): Map<string, number[]> {
  const runs = new Map<string, number[]>();
  for (const run of paragraph.matchAll(/`+/g)) {
    const same = runs.get(run[0]);
    if (same) same.push(run.index);
    else runs.set(run[0], [run.index]);
  }
  for (const same of runs.values()) same.reverse();
  return runs;
}

/** Takes the runs that are behind from the end of the list: none is looked at twice. */
function codeSpanEnd(runs: number[] | undefined, at: number, length: number): number | null {
  while (runs && runs.length > 0 && runs.at(-1)! <= at) runs.pop();
  const close = runs?.at(-1);
  return close === undefined ? null : close + length;
}
