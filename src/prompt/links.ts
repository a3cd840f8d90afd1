/** Links and images of a markdown text: titles, labels and alternative texts are words that no reader sees. */

// A title may go over lines, not over an empty one.
const inTitle = (ends: string) => String.raw`(?:[^${ends}\\\n]|\\[^]|\n(?![ \t\r]*\n))*`;
const title = String.raw`(?:"${inTitle('"')}"|'${inTitle("'")}'|\(${inTitle('()')}\))`;
const items = String.raw`(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*`;
// White space that is not ASCII is part of a destination, as GitHub reads it.
const definition = String.raw`\[(?!\^)((?:[^\[\]\\]|\\[^])+)\]:[ \t]*(?:\r?\n[ \t]*)?(<[^<>\n]*>|[^\0- <][^\0- ]*)(?:(?:[ \t]+|[ \t]*\r?\n[ \t]*)${title})?[ \t\r]*(?:\n|$)`;
const definitionHere = new RegExp(`([ \\t]*${items})${definition}`, 'my');
const definitions = new RegExp(`^[ \\t>]*${items}${definition}`, 'gm');
const footnoteHere = / {0,3}\[(\^[^[\]\s]+)\]:/y;
const footnotes = /^[ \t>]*\[\^[^[\]\s]+\]:/m;
const angled = /<(?:[^<>\\\n]|\\[^\n])*>/y;
const blanks = String.raw`[ \t\r]*(?:\n[ \t\r]*)?`;
const afterDestination = new RegExp(String.raw`(${blanks}${title})?${blanks}\)`, 'y');
const reference = /\[((?:[^[\]\\]|\\[\s\S])*)\]/y;
/** GitHub gives up on a destination with more parentheses in one another. */
const deepest = 32;

export interface LinkPart {
  end: number;
  put: string;
}

/**
 * Definitions (`[label]: destination`) are taken out, and what they lead to is written where it is used. `growth` bounds
 * what that may add: a long destination could be used thousands of times.
 */
export class Links {
  readonly #destinations = new Map<string, string>();
  /** Whether there are footnotes. */
  readonly hasNotes: boolean;
  /** Footnotes that the text read so far refers to. */
  readonly usedNotes = new Set<string>();
  readonly #notes: Set<string> | null;
  #growth: number;

  /** @param notes footnotes in use; null while that is being found out, and none is left out. */
  constructor(text: string, notes: Set<string> | null = null) {
    this.hasNotes = footnotes.test(text);
    this.#notes = notes;
    this.#growth = text.length;
    for (const found of text.matchAll(definitions)) {
      const label = normalised(found[1]!);
      if (!this.#destinations.has(label)) this.#destinations.set(label, found[2]!);
    }
  }

  /** Definitions at the start of a paragraph: what is left of them is the mark of their list item. */
  definitions(text: string, at: number, paragraphEnd: number): LinkPart | null {
    const paragraph = text.slice(at, paragraphEnd);
    let end = 0;
    let put = '';
    for (
      let found = matchAt(definitionHere, paragraph, 0);
      found;
      found = matchAt(definitionHere, paragraph, end)
    ) {
      if (end > 0 && found[1]!.trim()) break;
      if (found[1]!.trim()) put = `${found[1]}\n`;
      end += found[0].length;
      if (end >= paragraph.length) break;
    }
    return end > 0 ? { end: at + end, put } : null;
  }

  /** GitHub shows a footnote only where something refers to it. */
  isUnusedNote(text: string, at: number): boolean {
    const note = matchAt(footnoteHere, text, at);
    return note !== null && this.#notes !== null && !this.#notes.has(note[1]!.toLowerCase());
  }

  /** True for `[^1]`, a reference to a footnote or the beginning of one. */
  isNoteUse(text: string, at: number, close: number): boolean {
    if (text[at + 1] !== '^' || close - at > 999) return false;
    const begins = /(?:^|\n)[ >]*$/.test(text.slice(Math.max(0, at - 20), at));
    if (text[close + 1] !== ':' || !begins) this.usedNotes.add(text.slice(at + 1, close).toLowerCase());
    return true;
  }

  /** An image whose alternative text is between `open` and `close` (exclusive), as `![](destination)`. */
  image(text: string, open: number, close: number): LinkPart | null {
    const inline = readTarget(text, close + 1);
    if (inline) return { end: inline.end, put: `![](${inline.destination})` };
    const named = this.#reference(text, open, close);
    return named && { end: named.end, put: `![](${named.put})` };
  }

  /** A link without text is not there for a reader. `at` is its `[`. */
  emptyLink(text: string, at: number, close: number): LinkPart | null {
    if (close - at > 100 || text.slice(at + 1, close).trim() !== '') return null;
    const end = readTarget(text, close + 1)?.end ?? this.#reference(text, at + 1, close)?.end;
    return end === undefined ? null : { end, put: '' };
  }

  /** The end of a link, from its `]` on, without title. */
  linkEnd(text: string, open: number, close: number): LinkPart | null {
    const inline = readTarget(text, close + 1);
    if (inline) return inline.titled ? { end: inline.end, put: `](${inline.destination})` } : null;
    // what looks like a definition inside of a paragraph is text
    const named = text[close + 1] === ':' ? null : this.#reference(text, open + 1, close);
    return named && { end: named.end, put: `](${named.put})` };
  }

  #reference(text: string, open: number, close: number): LinkPart | null {
    const named = matchAt(reference, text, close + 1);
    const label = named?.[1] || (close - open > 999 ? '' : text.slice(open, close));
    const destination = this.#destinations.get(normalised(label));
    if (destination === undefined) return null;
    const put = destination.length > this.#growth ? '' : destination;
    this.#growth -= put.length;
    return { end: close + 1 + (named?.[0].length ?? 0), put };
  }
}

/** What follows the text of an inline link: `(destination "title")`. */
function readTarget(text: string, at: number): { end: number; destination: string; titled: boolean } | null {
  if (text[at] !== '(') return null;
  const start = at + 1 + /^[ \t\r]*\n?[ \t\r]*/.exec(text.slice(at + 1, at + 200))![0].length;
  const end = destinationEnd(text, start);
  const rest = end === null ? null : matchAt(afterDestination, text, end);
  if (end === null || !rest) return null;
  return { end: end + rest[0].length, destination: text.slice(start, end), titled: rest[1] !== undefined };
}

function destinationEnd(text: string, start: number): number | null {
  if (text[start] === '<') {
    const found = matchAt(angled, text, start);
    return found && start + found[0].length;
  }
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '\\' && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? '')) at += 1;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    if (depth > deepest) return null;
    if (depth < 0 || char <= ' ') return depth > 0 ? null : at;
  }
  return null;
}

/** Labels are compared as GitHub does: without regard to case and to how much white space there is. */
function normalised(label: string): string {
  return label.length > 999 ? '' : label.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase();
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
