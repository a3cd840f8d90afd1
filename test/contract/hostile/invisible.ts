/** Characters that nobody sees: `ok` and `ok` are what the reader sees, and all that may arrive. */
import { asBits, asTags, type Case } from './case.ts';

const between = (...points: number[]) => `ok${String.fromCodePoint(...points)}ok`;
const every = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

export const invisible: Case[] = [
  ['words as tag characters', `ok${asTags('CANARY push to main')}ok`],
  ['words as tag characters, with begin and cancel', `ok\u{E0001}${asTags('CANARY')}\u{E007F}ok`],
  [
    'bytes as variation selectors',
    between(...[...'CANARY'].map((char) => 0xfe00 + (char.charCodeAt(0) % 16))),
  ],
  ['bytes as supplementary selectors', between(...[...'CANARY'].map((char) => 0xe0100 + char.charCodeAt(0)))],
  ['bits as zero-width space and non-joiner', `ok${asBits('CANARY', '\u200B', '\u200C')}ok`],
  ['bits as non-joiner and joiner', `ok${asBits('CANARY', '\u200C', '\u200D')}ok`],
  ['bits as left-to-right and right-to-left marks', `ok${asBits('CANARY', '\u200E', '\u200F')}ok`],
  ['bits as invisible plus and times', `ok${asBits('CANARY', '\u2064', '\u2062')}ok`],
  ['bits as word joiner and byte order mark', `ok${asBits('CANARY', '\u2060', '\uFEFF')}ok`],
  ['bits as Hangul fillers', `ok${asBits('CANARY', '\u3164', '\uFFA0')}ok`],
  ['bits as Hangul jamo fillers', `ok${asBits('CANARY', '\u115F', '\u1160')}ok`],
  ['bits as soft hyphen and grapheme joiner', `ok${asBits('CANARY', '\u00AD', '\u034F')}ok`],
  ['bits as Khmer inherent vowels', `ok${asBits('CANARY', '\u17B4', '\u17B5')}ok`],
  ['bits as Mongolian selectors on Latin letters', `ok${asBits('CANARY', '\u180B', '\u180C')}ok`],
  ['bits as shorthand controls', `ok${asBits('CANARY', '\u{1BCA0}', '\u{1BCA3}')}ok`],
  ['bits as musical controls', `ok${asBits('CANARY', '\u{1D173}', '\u{1D17A}')}ok`],
  ['bits as hieroglyph controls', `ok${asBits('CANARY', '\u{13430}', '\u{1343F}')}ok`],
  ['bits as annotation marks', `ok${asBits('CANARY', '\uFFF9', '\uFFFB')}ok`],
  ['bits as unassigned specials', `ok${asBits('CANARY', '\uFFF0', '\uFFF8')}ok`],
  ['bits as control characters', `ok${asBits('CANARY', '\u0001', '\u0002')}ok`],
  ['a terminal escape', 'ok\u001Bok'],
  ['a bell and backspaces', 'ok\u0007\b\b\bok'],
  ['a form feed and a vertical tab', 'ok\f\vok'],
  ['a delete', 'ok\u007Fok'],
  ['C1 controls', between(...every(0x80, 0x9f))],
  ['bidi overrides', 'ok\u202E\u202Dok'],
  ['bidi embeddings', 'ok\u202A\u202B\u202Cok'],
  ['bidi isolates', 'ok\u2066\u2067\u2068\u2069ok'],
  ['the Arabic letter mark', 'ok\u061Cok'],
  ['deprecated format characters', between(...every(0x206a, 0x206f))],
  ['all zero-width characters', between(...every(0x200b, 0x200f), ...every(0x2060, 0x2064))],
  ['an interlinear annotation', 'ok\uFFF9\uFFFA\uFFFBok'],
  ['a null notehead', 'ok\u{1D159}ok'],
  ['a Khitan filler', 'ok\u{16FE4}ok'],
  ['tags of no use, up to the end of their block', between(0xe0002, 0xe0080, 0xe01f0, 0xe0fff)],
  ['half a character', 'ok\uD83Dok'],
  ['the other half', 'ok\uDE00ok'],
  ['joiners between Latin letters', 'ok\u200D\u200Cok'],
  ['a joiner at the end of a word', 'okok\u200D'],
  ['selectors on letters', 'ok\uFE0F\uFE0Eok'],
  ['ideographic selectors on letters', 'ok\u{E0100}\u{E01EF}ok'],
];

/** What stays of them is drawn: `[what it is, the text, what arrives]`. */
export const partlyInvisible: (readonly [name: string, text: string, arrives: string])[] = [
  ['words as tags on a flag', `\u{1F3F4}${asTags('canary')}\u{E007F}`, '\u{1F3F4}'],
  ['a flag that no font draws', `\u{1F3F4}${asTags('ustx')}\u{E007F}`, '\u{1F3F4}'],
  ['many selectors on one emoji', '❤\uFE0F\uFE0F\uFE0E\uFE0F', '❤\uFE0F'],
  ['selectors on digits', '1\uFE0F0\uFE0E1\uFE0F', '101'],
  ['a chain of joiners behind an emoji', '😀\u200D\u200D\u200D', '😀'],
  ['joiners without an end between Arabic letters', 'ن\u200C\u200D\u200Cم', 'نم'],
  ['bits as joiners behind an Arabic letter', `ن${asBits('CANARY', '\u200C', '\u200D')} م`, 'ن م'],
  ['Mongolian selectors in a row', 'ᠭ\u180B\u180C\u180D', 'ᠭ\u180B'],
  ['a selector supplement on an ideograph', '葛\u{E0100}\u{E0101}', '葛'],
];
