/** Characters that no reader sees and a model does: taken out, except where a script or an emoji needs them. */

/** Scripts whose letters change their shape at a joiner (Persian, Hindi, Sinhala, Khmer, …). */
const joining = String.raw`[[\p{L}\p{M}]&&[${[
  ...['Arab', 'Syrc', 'Mand', 'Nkoo', 'Mong', 'Phag', 'Adlm', 'Rohg', 'Deva', 'Beng', 'Guru', 'Gujr'],
  ...['Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh', 'Tibt', 'Mymr', 'Khmr', 'Thaa', 'Bali', 'Java'],
]
  .map((script) => String.raw`\p{scx=${script}}`)
  .join('')}]]`;
/** The sign that takes the vowel from the letter before it; a joiner after it may also end the word. */
const virama = String.raw`[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D4D\u0DCA\u1039]`;

/**
 * What stays although it is made of invisible characters. A flag of a part of a country ends in tag characters, of
 * which one could spell anything: only the three flags that fonts draw are let through.
 */
const needed = [
  String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`,
  // On a digit a selector shows nothing unless a keycap follows: digits with and without one would spell bits.
  String.raw`(?<=[0-9#*])\uFE0F(?=\u20E3)`,
  String.raw`(?<=[\p{Emoji}--[0-9#*]])[\uFE0E\uFE0F]`,
  String.raw`(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})`,
  String.raw`(?<=${joining})[\u200C\u200D](?=${joining})`,
  String.raw`(?<=${virama})\u200D`,
  // A word of Arabic letters may end in one: the abbreviated year of the Hijra does.
  String.raw`(?<=[\p{scx=Arab}&&\p{L}])\u200D(?![\u200C\u200D])`,
  String.raw`(?<=[\p{Script=Mongolian}&&\p{L}])[\u180B-\u180D\u180F]`,
];

/**
 * Controls (not tab and line ends), halves of characters, joiners, direction marks, fillers, variation selectors, format
 * controls of scripts and scores, tags, annotations.
 */
const invisible = String.raw`[\p{Cs}\0-\x08\v\f\x0E-\x1F\x7F-\x9F\xAD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB\u{1BCA0}-\u{1BCA3}\u{13430}-\u{1343F}\u{16FE4}\u{1D159}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]`;

const pattern = new RegExp(`(${needed.join('|')})|${invisible}`, 'gv');

/** The text without invisible characters; attacks and the scripts that must survive are in `sanitise.test.ts`. */
export function withoutInvisible(text: string): string {
  return text.replace(pattern, (_, kept?: string) => kept ?? '');
}

/**
 * The text with invisible characters spelt out as `\u{…}`, for names that must stay what they are; the line and the
 * paragraph separator too, which would break a line that JSON leaves whole.
 */
export function spellInvisible(text: string): string {
  const spelt = (found: string) => `\\u{${found.codePointAt(0)!.toString(16)}}`;
  return text
    .replace(pattern, (found: string, kept?: string) => kept ?? spelt(found))
    .replace(/[\u2028\u2029]/g, spelt);
}
