/** HTML inside markdown: what GitHub's page does not show of it goes. */

/** Attributes that change what a reader sees or where a link goes; all others are a place to hide words in. */
const shownAttributes = new Set(
  'align checked cols colspan datetime dir disabled height href lang open rows rowspan src srcset start type valign width'.split(
    ' ',
  ),
);
const voidElements = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
const hidingStyle =
  /(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0*)?(?![\d.])|font-size\s*:\s*0*(?:\.0*)?(?![\d.]))/i;

const tagName = /<(\/?)([A-Za-z][A-Za-z0-9-]*)/y;
const attribute = /\s+([^\s"'<>/=`]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/y;
const tagEnd = /\s*\/?>/y;

/** Texts from a `<` on that are replaced by `put`; `end` is exclusive. */
export interface Replacement {
  end: number;
  put: string;
}

/** Finds hidden markup in one text. Each search that finds nothing is remembered: unclosed markup cannot make it slow. */
export class HtmlReader {
  readonly #text: string;
  readonly #missing = new Set<string>();
  #closings: Map<number, number> | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** What becomes of the markup at `at` (a `<`); null when it is text or may stay as it is. */
  read(at: number, paragraphEnd: number): Replacement | null {
    const text = this.#text;
    if (text.startsWith('<!--', at)) return this.#until('-->', at, 2);
    if (text.startsWith('<![CDATA[', at)) return this.#until(']]>', at, 9);
    if (text.startsWith('<?', at)) return this.#until('?>', at, 2);
    if (/^<![A-Za-z]/.test(text.slice(at, at + 3))) return this.#until('>', at, 2);
    return this.#readTag(at, paragraphEnd);
  }

  /** GitHub shows an unclosed comment as text, unless it begins a line: then everything after it is hidden. */
  #until(close: string, at: number, skip: number): Replacement | null {
    const found = this.#missing.has(close) ? -1 : this.#text.indexOf(close, at + skip);
    if (found >= 0) return { end: found + close.length, put: '' };
    this.#missing.add(close);
    return close === '-->' && beginsLine(this.#text, at) ? { end: this.#text.length, put: '' } : null;
  }

  #readTag(at: number, paragraphEnd: number): Replacement | null {
    const text = this.#text;
    const opening = matchAt(tagName, text, at);
    if (!opening) return null;
    const name = opening[2]!.toLowerCase();
    let position = at + opening[0].length;
    let shown = '';
    let changed = false;
    let hides = false;
    for (let found = matchAt(attribute, text, position); found; found = matchAt(attribute, text, position)) {
      const key = found[1]!.toLowerCase();
      if (found[0].includes('\n') && /\n[ \t\r]*\n/.test(found[0])) return null;
      hides ||= key === 'hidden' || (key === 'style' && hidingStyle.test(found[2] ?? ''));
      if (shownAttributes.has(key)) shown += found[0];
      else changed = true;
      position += found[0].length;
    }
    const ending = matchAt(tagEnd, text, position);
    if (!ending) return null;
    const end = position + ending[0].length;
    if ((hides || name === 'template') && !opening[1] && !voidElements.has(name)) {
      return { end: this.#closing(at) ?? Math.max(end, paragraphEnd), put: '' };
    }
    return changed ? { end, put: opening[0] + shown + ending[0] } : null;
  }

  /** Where the element that opens at `at` ends; all elements are paired in one pass, the first time one is asked for. */
  #closing(at: number): number | undefined {
    this.#closings ??= pairElements(this.#text);
    return this.#closings.get(at);
  }
}

function pairElements(text: string): Map<number, number> {
  const open = new Map<string, number[]>();
  const closings = new Map<number, number>();
  for (const tag of text.matchAll(/<(\/?)([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])/g)) {
    const name = tag[2]!.toLowerCase();
    const opened = open.get(name) ?? [];
    open.set(name, opened);
    if (!tag[1]) opened.push(tag.index);
    else {
      const start = opened.pop();
      const end = text.indexOf('>', tag.index);
      if (start !== undefined && end >= 0) closings.set(start, end + 1);
    }
  }
  return closings;
}

function beginsLine(text: string, at: number): boolean {
  for (let before = at - 1; before >= 0 && text[before] !== '\n'; before -= 1) {
    if (text[before] !== ' ' || at - before > 3) return false;
  }
  return true;
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

/** Decodes what an entity hides: letters, digits and spaces become themselves, invisible characters go. */
export function readEntity(entity: string): string {
  if (
    /^&(?:shy|ZeroWidthSpace|NoBreak|lrm|rlm|InvisibleTimes|InvisibleComma|ApplyFunction|it|ic|af);$/.test(
      entity,
    )
  ) {
    return '';
  }
  const code = /^&#(?:x([\da-f]{1,6})|(\d{1,7}));$/i.exec(entity);
  if (!code) return entity;
  const point = code[1] ? Number.parseInt(code[1], 16) : Number(code[2]);
  if (point > 0x10ffff) return entity;
  const character = String.fromCodePoint(point);
  if (/[A-Za-z0-9 ]/.test(character)) return character;
  const isInvisible =
    /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character) &&
    !/[\t\n\r\u200C\u200D]/.test(character);
  // Punctuation stays an entity: decoded it could become markup that it is not on the page.
  return isInvisible ? '' : entity;
}
