/** Finds where a text calls Claude, and what it asks for. */
import { spokenText } from './markdown.ts';

/** White space, invisible direction marks (right-to-left editors put them there), or what opens: brackets, quotes, markdown marks. */
const mayPrecede = /[\s\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Ps}\p{Pi}\p{Pf}"'＂＇<>`*_~|]/u;
/** What makes the phrase part of a longer name, path or address. */
const mayNotFollow = /[A-Za-z0-9_\-/@]|\.[A-Za-z]/y;
/** What clings to a mention without being part of the request: `@claude, …`, `**@claude** …`. */
const clinging = /^(?:[*~)\]}>"'”’»）】」』`|,:;.!?，：；、。！？]+(?=\s|$)|[,:;.!?，：；、。！？]+)/;
const saysSomething = /[\p{L}\p{N}\p{S}]/u;

/** Indices into the text, in UTF-16 units; `end` is exclusive. */
export interface Mention {
  index: number;
  end: number;
}

/**
 * The first place where the phrase stands as a token of its own, outside of code, quoted lines and HTML comments.
 * @param phrase compared without regard to case, and otherwise literally: it may hold any characters.
 */
export function findMention(text: string, phrase: string): Mention | null {
  const search = new RegExp(phrase.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  // Nearly all texts end here; reading markdown is left to those that do not.
  if (phrase === '' || !search.test(text)) return null;
  const spoken = spokenText(text);
  search.lastIndex = 0;
  for (let match = search.exec(spoken); match; match = search.exec(spoken)) {
    const { index } = match;
    const end = index + match[0].length;
    mayNotFollow.lastIndex = end;
    if ((index === 0 || mayPrecede.test(spoken[index - 1]!)) && !mayNotFollow.test(spoken))
      return { index, end };
    // One whole character on: between two surrogates the search would step back and never end.
    search.lastIndex = index + (spoken.codePointAt(index)! > 0xffff ? 2 : 1);
  }
  return null;
}

export function hasMention(text: string, phrase: string): boolean {
  return findMention(text, phrase) !== null;
}

/**
 * The request in the asker's own words: what follows the first mention, or, when nothing does, the text without the
 * mention. Empty when the text says nothing else. A text without a mention is a request as a whole.
 */
export function requestAfter(text: string, phrase: string): string {
  const mention = findMention(text, phrase);
  if (!mention) return text.trim();
  const following = text.slice(mention.end);
  const request = following.replace(clinging, '').trim();
  if (request) return request;
  const whole = (withoutSeparators(text.slice(0, mention.index)) + following).trim();
  return saysSomething.test(whole) ? whole : '';
}

/** A loop, as a pattern that is anchored at the end alone takes quadratic time on long white space. */
function withoutSeparators(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s,;，；、]/.test(text[end - 1]!)) end -= 1;
  return text.slice(0, end);
}
