/** What incoming text loses and what it keeps, as tables: hidden words go, visible ones stay. */
import { describe, expect, test } from 'vitest';
import { spellInvisible } from './invisible.ts';
import { sanitise } from './sanitise.ts';

const tags = (text: string) => [...text].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('');
const bits = (count: number, [zero, one]: [string, string]) =>
  Array.from({ length: count }, (_, i) => (i % 3 ? zero : one)).join('');

describe('hidden words go', () => {
  test.each<[string, string, string]>([
    ['a comment', 'before <!-- obey --> after', 'before  after'],
    ['a comment over lines', 'a\n\n<!--\nobey\n\nobey\n-->\nb', 'a\n\n\nb'],
    ['an unclosed comment that begins a line', 'a\n<!-- obey\n\nobey', 'a\n'],
    ['a comment split by an invisible character', 'a <!\u200B-- obey --> b', 'a  b'],
    ['a comment inside a quote', '> a <!-- obey --> b', '> a  b'],
    ['a comment in a list item', '- a <!-- obey -->\n', '- a \n'],
    ['empty comments end at once', 'a <!--> b <!---> c', 'a  b  c'],
    ['a processing instruction', 'a <?obey?> b', 'a  b'],
    ['a declaration', 'a <!OBEY me> b', 'a  b'],
    ['CDATA', 'a <![CDATA[obey]]> b', 'a  b'],
    ['tag characters', `hi${tags('obey')} there`, 'hi there'],
    ['tag characters on a flag', `\u{1F3F4}${tags('obey')}\u{E007F}`, '\u{1F3F4}'],
    ['variation selectors as a carrier', `a${bits(40, ['\uFE00', '\uFE01'])}b`, 'ab'],
    ['the supplement of variation selectors', `x\u{E0100}\u{E01EF}y`, 'xy'],
    ['many selectors on one emoji', '❤\uFE0F\uFE0F\uFE0E\uFE0F', '❤\uFE0F'],
    ['zero-width bits', `a${bits(16, ['\u200B', '\u200C'])}b${bits(16, ['\u200C', '\u200D'])}c`, 'abc'],
    ['joiner bits between letters that join', `ن${bits(16, ['\u200C', '\u200D'])}م`, 'نم'],
    ['bidi controls', 'a\u202Eb\u2066c\u2069\u200Fd', 'abcd'],
    ['Hangul fillers', 'a\u3164b\uFFA0c\u115Fd\u1160e', 'abcde'],
    ['invisible operators', 'a\u2060b\u2061c\u2062d\u2063e\u2064f', 'abcdef'],
    ['soft hyphen, byte order mark', 'a\u00ADb\uFEFFc', 'abc'],
    ['control characters', 'a\u0000b\u001B[31mc\u0085d\u007F', 'ab[31mcd'],
    ['display:none', 'a <span style="color:red; display : none">obey</span> b', 'a  b'],
    [
      'visibility, opacity, size',
      'a<b style="visibility:hidden">x</b><b style="opacity:0">y</b><i style=font-size:0px>z</i>b',
      'ab',
    ],
    ['the hidden attribute, nested', 'a <div hidden>x <div>y</div> obey</div> b', 'a  b'],
    ['hidden, over blank lines and code', 'a\n\n<div hidden>\n\n```\nobey\n```\n\n</div>\n\nb', 'a\n\n\n\nb'],
    ['hidden, never closed', 'a\n\n<p hidden>obey\nobey\n\nb', 'a\n\n\nb'],
    ['a template', 'a <template>obey</template> b', 'a  b'],
    ['link-reference comment', 'a\n\n[//]: # (obey)\nb', 'a\n\nb'],
    ['link-reference comment, other forms', '[comment]: <> (obey)\n[x]: # "obey"\n[obey]: https://a.b\n', ''],
    ['a definition in a list item', '- [obey]: https://a.b\n- x', '- \n- x'],
    ['a definition with its title on the next line', '[a]: /b\n  "obey"\nc', 'c'],
    ['a footnote that nothing refers to', 'a\n\n[^obey]: obey\nobey\n\nb', 'a\n\n\nb'],
    ['the label of a reference', '[text][obey me]\n\n[obey me]: /to "obey"', '[text](/to)\n\n'],
    ['alternative text', '![obey](https://a.b/c.png)', '![](https://a.b/c.png)'],
    ['alternative text with code in it', '![x `]` obey](c.png)', '![](c.png)'],
    ['alternative text by reference', '![obey][pic]\n\n[pic]: c.png', '![](c.png)\n\n'],
    ['alternative text as reference', '![obey]\n\n[obey]: c.png', '![](c.png)\n\n'],
    ['an image in a link', '[![obey](i.png "obey")](/to "obey")', '[![](i.png)](/to)'],
    ['link titles', '[a](/b "obey") [c](/d \'obey\') [e](/f (obey))', '[a](/b) [c](/d) [e](/f)'],
    ['a link without text', 'a [](obey "obey") b', 'a  b'],
    ['HTML attributes', '<img alt="obey" src="a.png" title=obey data-x=\'obey\'>', '<img src="a.png">'],
    ['unknown attributes', '<b obey="obey">x</b>', '<b>x</b>'],
    ['attributes of a closing tag', '<b>x</b obey="obey">', '<b>x</b>'],
    ['letters as entities', '&#111;b&#x65;y', 'obey'],
    ['invisible entities', 'a&#8203;b&shy;c&ZeroWidthSpace;d&#xE0041;e', 'abcde'],
    [
      'a comment in what only looks like a fence: HTML',
      '<div>\n```\n<!-- obey -->\n```\n</div>',
      '<div>\n```\n\n```\n</div>',
    ],
    [
      '… in raw HTML over blank lines',
      '<pre>\n\n```\n<!-- obey -->\n```\n</pre>',
      '<pre>\n\n```\n\n```\n</pre>',
    ],
    ['… a fence that ended with its list item', '- ```\n  x\nb\n<!-- obey -->\n', '- ```\n  x\nb\n\n'],
    ['… a fence that was never open: backticks in its line', '``` `\n<!-- obey -->\n```', '``` `\n\n```'],
    ['… a fence that was closed', '```\nx\n      ```\n```\n<!-- obey -->\n', '```\nx\n      ```\n```\n\n'],
    ['… a list item, no indented code', '- a\n\n    <!-- obey -->\n', '- a\n\n    \n'],
    ['… code spans that pair otherwise', '<!-- ` --> ` a ` <!-- obey --> `', ' ` a `  `'],
    ['… code spans over lines', 'x ` y\nz ` <!-- obey --> `', 'x ` y\nz `  `'],
  ])('%s', (_, before, after) => {
    expect(sanitise(before)).toBe(after);
  });
});

describe('visible text stays', () => {
  test.each([
    ['emoji families', '👨‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 ❤️‍🔥 👁️‍🗨️'],
    ['flags', '🇨🇭🇰🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿'],
    ['keycaps and text style', '1️⃣ #️⃣ *️⃣ ☺︎ ☺️'],
    ['Persian', 'می‌خواهم کتاب‌ها را'],
    ['Devanagari', 'क्‍ष क्‌ष र्‍य'],
    ['Sinhala', 'ශ්‍රී ලංකාව'],
    ['Korean', '안녕하세요 ㄱㄴㄷ'],
    ['decomposed Hangul', '한글'.normalize('NFD')],
    ['Vietnamese, accents', 'Tiếng Việt e\u0301'],
    ['Chinese, Japanese', '東京（とうきょう）、你好'],
    ['Windows line ends', 'a\r\nb\r\n'],
    ['tabs', 'a\tb'],
    ['details', '<details>\n<summary>More</summary>\n\ntext\n</details>'],
    ['generic types', 'Map<string, number> and Promise<void>, a < b > c'],
    ['arrows', 'a --> b <-- c <- d'],
    ['an unclosed comment inside a line is shown', 'write <!-- to begin one'],
    ['an autolink', '<https://example.com/?a=b&c=d>'],
    ['a link and an image', '[text](https://a.b/c) ![](d.png)'],
    ['a link with brackets in its path', '[a](/b_(c))'],
    ['tasks', '- [ ] one\n- [x] two'],
    ['an index is no link', 'a[0](1) and b[i] = c'],
    ['a footnote in use', 'a[^1]\n\n[^1]: note\n'],
    ['a definition inside a paragraph is text', 'log:\n[INFO]: started\n'],
    ['entities that could become markup', '&lt;!-- x --&gt; &#60;b&#62; &amp;#65; &#42;'],
    ['entities beyond ASCII', '&#8217;&eacute;&#x1F600;'],
    ['escaped brackets', '\\[a\\]: b \\<!-- c'],
    ['a size with quotes', 'less <b and 5" wide'],
    ['a table', '| a | b |\n|---|---|\n| `<!-- x -->` | c |'],
  ])('%s', (_, text) => {
    expect(sanitise(text)).toBe(text);
  });

  const hostile =
    '<!-- c --> <img alt="a" title=\'t\'> &#65;&shy; ![alt](x "t")\n[//]: # (x)\n<p hidden>x</p>';
  test.each([
    ['fenced', `\`\`\`html\n${hostile}\n\`\`\``],
    ['fenced with tildes', `~~~\n${hostile}\n\`\`\`\n~~~~\n`],
    ['fenced, unclosed', `a\n\`\`\`\n${hostile}\n\n${hostile}`],
    ['a suggestion', `\`\`\`suggestion\n${hostile}\n\`\`\``],
    ['fenced, longer marks', `\`\`\`\`md\n\`\`\`\n${hostile}\n\`\`\`\n\`\`\`\``],
    ['fenced in a list item', `- a\n\n  \`\`\`\n${hostile.replace(/^/gm, '  ')}\n  \`\`\`\n- b`],
    ['fenced in a quote', `> \`\`\`\n${hostile.replace(/^/gm, '> ')}\n> \`\`\`\n`],
    ['fenced right after a comment that stays', `x\n\n\`\`\`\n${hostile}\n\`\`\`\nx`],
    ['indented', `a\n\n${hostile.replace(/^/gm, '    ')}\n`],
    ['a code span', `a \`${hostile.split('\n')[0]}\` b`],
    ['a code span with two backticks', `a \`\`<!-- \` -->\`\` b`],
  ])('code, %s', (_, text) => {
    expect(sanitise(text)).toBe(text);
  });

  test('code loses invisible characters all the same', () => {
    expect(sanitise(`\`\`\`\na${tags('obey')}\u200Bb\n\`\`\``)).toBe('```\nab\n```');
  });
});

test('invisible characters in a name are spelt out', () => {
  expect(spellInvisible('a\u200Bb\u{E0041}👩‍💻')).toBe('a\\u{200b}b\\u{e0041}👩‍💻');
});

/** Each would take minutes, and so the test's own time, if any part were looked at again for every other. */
test.each(
  [
    '<!--',
    '<a x="',
    "<a x='",
    '<a b ',
    '<div hidden>',
    '<div hidden>\n\n',
    '</div><div hidden>',
    '<?',
    '<!a',
    '<![CDATA[',
    '![',
    '[',
    '[]',
    '](',
    '](a "',
    '](a (',
    '![a](b "',
    '`',
    '`a``b```c````d',
    '```\n',
    '- ',
    '> ',
    '> a\n>> b\n',
    '[a]: b "\n',
    '[a]: b (\n',
    '[a',
    '[^a]: b\n\n',
    '&#',
    ' ',
    '\n',
    '\t\n',
    '\\',
    '👩\u200D',
    '\u200D',
    'ن\u200C',
    '\u{E0041}',
    '<b hidden><i hidden></b>',
    '1. ',
    'a\n\n',
    '[a]: b     ',
    '[a]:  \n',
    '- - -   \n',
    '<a     ',
    '](   ',
    '](a   ',
    '\n[a]: b\n   ',
    '[^a] ',
    '[^a]: b [^a]: ',
    '<div a ',
    '<div a="',
    '\n<div ',
    '- <!--',
    '](a\\(',
    '](((',
    '> <!--\n',
    '\u200B```\n',
    '- > ',
    '> ```\na\n',
    '> a\nb\n',
    '>> a\n> b\n',
    '- <?\n',
    '- <div>\n',
    '<title <',
    '<div "',
    '|-|\n',
    '1.\n',
    'a\n=\n',
  ].map((unit) => [JSON.stringify(unit), unit]),
)('65 KB of %s take linear time', (_, unit) => {
  const text = unit.repeat(Math.ceil(65_536 / unit.length));
  expect(sanitise(text).length).toBeLessThanOrEqual(text.length);
  sanitise(`${text}x`);
});

test.each([
  ['](a', ' '],
  ['](', ' '],
  ['[a]: b', ' '],
  ['[a]:', ' '],
  ['[^a]:', ' '],
  ['<a', ' '],
  ['<div', ' '],
  ['<div a', ' '],
  ['<div a=', ' '],
  ['<b a', ' '],
  ['<b a=', ' '],
  ['</b', ' '],
  ['<b a', ' a'],
  ['<b', ' a="x"'],
  ['|', '-'],
  ['a\n|', '-|'],
  ['a|b\n-|-\n', '|'],
  ['a|b\n-|-\n', '\\'],
  ['> a\n', 'b\n'],
  ['```', ' '],
  ['```', 'x'],
  ['![', 'a'],
  ['](', 'a'],
  ['> ', '>'],
  ['-', ' '],
])('64 KB behind %j take linear time: %j', (start, unit) => {
  const text = start + unit.repeat(65_536);
  expect(sanitise(text).length).toBeLessThanOrEqual(text.length);
  sanitise(`${text}x`);
});

test.each(['<', '<!--', '[', '[[]]', '&', '`', '> ', '- '])('1 MB of %j is read in one go', (unit) => {
  const text = unit.repeat(2 ** 20 / unit.length);
  expect(sanitise(text).length).toBeLessThanOrEqual(text.length);
});

test('a definition used thousands of times does not multiply the text', () => {
  const text = `${'[a] '.repeat(8_000)}\n\n[a]: /${'x'.repeat(30_000)}`;
  expect(sanitise(text).length).toBeLessThan(3 * text.length);
});
