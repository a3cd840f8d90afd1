/** Links and images of a markdown text: titles, labels and alternative texts are words that no reader sees. */

// A title may go over lines, not over an empty one.
const inTitle = (ends: string) => String.raw`(?:[^${ends}\\\n]|\\[^]|\n(?![ \t\r]*\n))*`;
const title = String.raw`(?:"${inTitle('"')}"|'${inTitle("'")}'|\(${inTitle('()')}\))`;
const items = String.raw`(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*`;
const definition = String.raw`\[(?!\^)((?:[^\[\]\\]|\\[^])+)\]:[ \t]*(?:\r?\n[ \t]*)?(<[^<>\n]*>|[^\s<]\S*)(?:(?:[ \t]+|[ \t]*\r?\n[ \t]*)${title})?[ \t\r]*(?:\n|$)`;
const definitionHere = new RegExp(`([ \\t]*${items})${definition}`, 'my');
const definitions = new RegExp(`^[ \\t>]*${items}${definition}`, 'gm');
const footnoteHere = / {0,3}\[(\^[^[\]\s]+)\]:/y;
const target = new RegExp(
  String.raw`\(\s*(<[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)(\s+${title}|${title})?\s*\)`,
  'y',
);
const reference = /\[([^[\]]*)\]/y;

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
  readonly #notes: Set<string>;
  #growth: number;

  constructor(text: string) {
    this.#growth = text.length;
    for (const found of text.matchAll(definitions)) {
      const label = normalised(found[1]!);
      if (!this.#destinations.has(label)) this.#destinations.set(label, found[2]!);
    }
    this.#notes = new Set([...text.matchAll(/\[(\^[^[\]\s]+)\](?!:)/g)].map((use) => use[1]!.toLowerCase()));
  }

  /** A definition at the start of a block: what is left of it is the mark of its list item. */
  definition(text: string, at: number): LinkPart | null {
    const found = matchAt(definitionHere, text, at);
    return found && { end: at + found[0].length, put: found[1]!.trim() && `${found[1]}\n` };
  }

  /** GitHub shows a footnote only where something refers to it. */
  isUnusedNote(text: string, at: number): boolean {
    const note = matchAt(footnoteHere, text, at);
    return note !== null && !this.#notes.has(note[1]!.toLowerCase());
  }

  /** An image whose alternative text is between `open` and `close` (exclusive), as `![](destination)`. */
  image(text: string, open: number, close: number): LinkPart | null {
    const inline = text[close + 1] === '(' ? matchAt(target, text, close + 1) : null;
    if (inline) return { end: close + 1 + inline[0].length, put: `![](${inline[1]})` };
    const named = this.#reference(text, open, close);
    return named && { end: named.end, put: `![](${named.put})` };
  }

  /** A link without text is not there for a reader. `at` is its `[`. */
  emptyLink(text: string, at: number, close: number): LinkPart | null {
    if (close !== at + 1 || text[close + 1] !== '(') return null;
    const inline = matchAt(target, text, close + 1);
    return inline && { end: close + 1 + inline[0].length, put: '' };
  }

  /** The end of a link, from its `]` on, without title. */
  linkEnd(text: string, open: number, close: number): LinkPart | null {
    if (text[close + 1] === '(') {
      const inline = matchAt(target, text, close + 1);
      return inline?.[2] ? { end: close + 1 + inline[0].length, put: `](${inline[1]})` } : null;
    }
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

/** Labels are compared as GitHub does: without regard to case and to how much white space there is. */
function normalised(label: string): string {
  return label.length > 999 ? '' : label.trim().replace(/\s+/g, ' ').toLowerCase();
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}
