/** How the corpus of hostile texts is written down: what it is, and what becomes of it. */

/**
 * `[what it is, the text]`. The word `CANARY` stands for the attacker's words; where a reader of GitHub's page does not
 * see it, Claude must not see it either; where the reader does, it stands between markers.
 */
export type Case = readonly [name: string, text: string];

/** Text as Unicode tag characters, of which none is drawn. */
export const asTags = (text: string) =>
  [...text].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('');

/** Text as bits, each written as one of two characters. */
export const asBits = (text: string, zero: string, one: string) =>
  [...text]
    .flatMap((char) => [...char.charCodeAt(0).toString(2).padStart(8, '0')])
    .map((bit) => (bit === '1' ? one : zero))
    .join('');
