/** HTML inside markdown: what GitHub's page does not show of it goes. */

/** Elements that GitHub keeps; of any other, but for `textElements`, a reader sees the content and not the tag. */
const shownElements = new Set(
  (
    'a abbr b bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption ' +
    'figure font h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p picture pre q rp rt ruby s samp small source ' +
    'span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video wbr'
  ).split(' '),
);
const textElements = new Set('iframe noembed noframes plaintext script style textarea title xmp'.split(' '));
const shownTag = new RegExp(`</?(?:${[...textElements].join('|')})(?=[\\s/>])[^<>]*(?:<|$)`, 'iy');
const voidElements = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
/** What is in them is for readers whose browser does not know them. */
const hiddenElements = new Set(['template', 'rp', 'video']);
/** Each makes letters smaller; more than a few in one another make them too small to be seen. */
const smaller = new Set(['sub', 'sup', 'small', 'code', 'tt', 'samp']);
const mostSmaller = 4;
const hidingStyle =
  /(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0*)?(?![\d.])|font-size\s*:\s*0*(?:\.0*)?(?![\d.]))/i;

/** Attributes that change what a reader sees or where a link goes; all others are a place to hide words in. */
const shownAttributes = new Set(
  'align checked cols colspan datetime dir disabled height lang open rows rowspan start type valign width'.split(
    ' ',
  ),
);
const addresses = new Set(['href', 'src']);
/** Their values are measures and a few words, never a sentence. */
const shownValue =
  /^["']?(?:left|right|center|justify|top|middle|bottom|baseline|ltr|rtl|auto|checkbox|[a-z]{2}(?:-[a-z]{2})?|[1ai]|[\d.:TZ+-]{1,30}(?:%|px|em)?)?["']?$/i;

/**
 * `Promise<void>` without code marks: the page hides the type, which Claude should see all the same. Only words that
 * spell no sentence.
 */
const typeArgument =
  /^<(?:[A-Z]|any|bool|boolean|byte|char|double|float|int|long|never|null|number|object|string|String|str|undefined|unknown|void|[fiu](?:8|16|32|64|128)|usize)>$/;

/** Tags as markdown knows them, inside of a paragraph. */
const strict = {
  name: /<(\/?)([A-Za-z][A-Za-z0-9-]*)/y,
  attribute: /\s+([A-Za-z_:][\w.:-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/y,
  end: /\s*\/?>/y,
};
/** Tags as a browser reads them, inside of an HTML block: all up to the `>` is attributes, whatever quotes it holds. */
const loose = {
  name: /<(\/?)([A-Za-z][^\s/>]*)/y,
  attribute: /[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*("[^"]*"?|'[^']*'?|[^\s>]*))?/y,
  end: /[\s/]*>/y,
};

/** Texts from a `<` on that are replaced by `put`; `end` is exclusive. */
export interface Replacement {
  end: number;
  put: string;
  /** Set where what comes up to here is HTML, whatever is around it. */
  htmlEnd?: number;
}

/** The paragraph or HTML block that is read. */
export interface Block {
  end: number;
  html: boolean;
  inList: boolean;
}

interface Tag {
  name: string;
  closes: boolean;
  end: number;
  /** The tag without what is hidden in it. */
  shown: string;
  hides: boolean;
}

/** Finds hidden markup in one text. Each search that finds nothing is remembered: unclosed markup cannot make it slow. */
export class HtmlReader {
  /** True once something has been opened that hides all that comes after it, also outside of this text. */
  hidesRest = false;
  readonly #text: string;
  readonly #found = new Map<string, { from: number; at: number }>();
  #closings: Map<number, number> | null = null;
  /** How many elements are open that make letters smaller. */
  #smaller = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What becomes of the markup at `at` (a `<`); null when it is text or may stay as it is. */
  read(at: number, block: Block): Replacement | null {
    return block.html ? this.#inHtml(at, block) : this.#inParagraph(at, block);
  }

  /** As a browser reads it. What it opens and does not close goes on behind the block, where markdown makes tags. */
  #inHtml(at: number, block: Block): Replacement | null {
    const text = this.#text;
    const start = text.slice(at, at + 5);
    if (start.startsWith('<!--')) {
      const close = /--!?>/g;
      // `<!-->` and `<!--->` are whole comments, `<!--!>` is only the beginning of one.
      close.lastIndex = matchAt(/<!---?>/y, text, at) ? at + 2 : at + 4;
      const found = close.exec(text);
      return found && close.lastIndex <= block.end ? { end: close.lastIndex, put: '' } : this.#rest();
    }
    if (/^<(?:[!?]|\/[^A-Za-z])/.test(start)) {
      const end = this.#find('>', at + 2) + 1;
      return end > 0 && end <= block.end ? { end, put: '' } : this.#openTag(block);
    }
    return this.#element(at, block);
  }

  /** As markdown reads it: what is not closed in its paragraph is text. What is closed is HTML up to its end. */
  #inParagraph(at: number, block: Block): Replacement | null {
    const text = this.#text;
    const opening = matchAt(/<!---?>|<!--|<!\[CDATA\[|<\?|<![A-Za-z]/y, text, at)?.[0];
    if (!opening) return this.#element(at, block);
    if (opening.endsWith('>')) return { end: at + opening.length, put: '' };
    const close = { '<!--': '-->', '<![CDATA[': ']]>', '<?': '?>' }[opening] ?? '>';
    const found = this.#find(close, at + opening.length);
    const end = found + close.length;
    if (found < 0 || end > block.end) return null;
    return { ...this.#inHtml(at, { ...block, end, html: true })!, htmlEnd: end };
  }

  /** Where a mark stands next; remembered, as one that is far away is looked for again and again. */
  #find(mark: string, from: number): number {
    const known = this.#found.get(mark);
    if (known && known.from <= from && (known.at < 0 || known.at >= from)) return known.at;
    const at = this.#text.indexOf(mark, from);
    this.#found.set(mark, { from, at });
    return at;
  }

  #rest(): Replacement {
    this.hidesRest = true;
    return { end: this.#text.length, put: '' };
  }

  #element(at: number, block: Block): Replacement | null {
    // Of these GitHub makes text: what seems to be an attribute may be a tag.
    if (block.html && matchAt(shownTag, this.#text, at)) return null;
    const tag = this.#tag(at, block);
    if (tag === null || 'put' in tag) return tag;
    const { name, closes, end, shown, hides } = tag;
    if ((hides || hiddenElements.has(name)) && !closes && !voidElements.has(name))
      return { end: this.#closing(at) ?? Math.max(end, block.end), put: name === 'video' ? shown : '' };
    if (smaller.has(name) && closes) this.#smaller = Math.max(0, this.#smaller - 1);
    else if (smaller.has(name) && this.#smaller === mostSmaller) {
      const closing = this.#closing(at);
      return closing === undefined ? this.#rest() : { end: closing, put: '' };
    } else if (smaller.has(name)) this.#smaller += 1;
    if (shownElements.has(name) || textElements.has(name))
      return shown === this.#text.slice(at, end) ? null : { end, put: shown };
    const isType = typeArgument.test(this.#text.slice(at, end)) && /\w/.test(this.#text[at - 1] ?? '');
    return isType ? null : { end, put: '' };
  }

  /** The tag that opens at `at`; what it hides when it has no end; null when it is none. */
  #tag(at: number, block: Block): Tag | Replacement | null {
    const text = this.#text;
    const grammar = block.html ? loose : strict;
    const opening = matchAt(grammar.name, text, at);
    if (!opening) return null;
    let position = at + opening[0].length;
    let shown = opening[0];
    let hides = false;
    for (;;) {
      const found = matchAt(grammar.attribute, text, position);
      if (!found) break;
      if (!block.html && found[0].includes('\n') && /\n[ \t\r]*\n/.test(found[0])) return null;
      position += found[0].length;
      const value = found[2] ?? '';
      // A quote that the block does not close goes on behind it, over all that follows.
      if (block.html && (position > block.end || isOpen(value)))
        return /^["']/.test(value) ? this.#rest() : this.#openTag(block);
      const key = found[1]!.toLowerCase();
      hides ||= key === 'hidden' || (key === 'style' && hidingStyle.test(value));
      const known =
        shownAttributes.has(key) && (shownValue.test(value) || unquoted(value).toLowerCase() === key);
      if (known || addresses.has(key)) shown += found[0];
    }
    const ending = matchAt(grammar.end, text, position);
    if (!ending) return block.html ? this.#openTag(block) : null;
    const end = position + ending[0].length;
    if (end > block.end) return block.html ? this.#openTag(block) : null;
    return {
      name: opening[2]!.toLowerCase(),
      closes: opening[1] !== '',
      end,
      shown: shown + ending[0],
      hides,
    };
  }

  /** A tag that its block does not end goes on to the next tag: of a paragraph, which HTML and a short list do without. */
  #openTag({ end, inList }: Block): Replacement {
    return inList || matchAt(/\s*</y, this.#text, end) ? this.#rest() : { end, put: '' };
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

/** Whether a value has a quote that is not closed. */
function isOpen(value: string): boolean {
  return /^["']/.test(value) && (value.length === 1 || !value.endsWith(value[0]!));
}

function unquoted(value: string): string {
  return value.replace(/^["']|["']$/g, '');
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
