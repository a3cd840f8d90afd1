/** Texts put together at random from beginnings and ends of markup, the same ones for the same seed. */

const pieces = [
  ...['\n', '\n', '\n', '\n\n', '\n\n', ' ', ' ', '  ', '    ', '\t', '\n    ', '\n  ', '\r\n'],
  ...[
    '- ',
    '\n- ',
    '\n-\n',
    '* ',
    '\n1. ',
    '\n2) ',
    '\n  - ',
    '> ',
    '\n> ',
    '\n>',
    '\n- > ',
    '\n>> ',
    '\n> - ',
  ],
  ...['# ', '\n---\n', '\n===\n', '***', '| a | b |\n|---|---|\n| ', ' | ', '\n|-|\n'],
  ...['```', '\n```\n', '\n```\n', '\n  ```\n', '\n> ```\n', '~~~', '\n~~~~\n', '`', '``', '` ` '],
  ...['<!--', '-->', '<!-- ', ' -->', '--!>', '<!->', '<!-->', '<!--->', '<!--!>', '\n<!--\n', '\n-->\n'],
  ...['<?', '?>', '<![CDATA[', ']]>', '<!A', '<!', '</', '</ ', '</>', '<', '>', '/>', '"', "'", '=', ' = '],
  ...['<b title="', '<b ', "<i class='", '<div ', '<div title="', '<div>', '</div>', '\n<div>\n', '</div>\n'],
  ...['<pre>', '</pre>', '\n<pre>\n', '<p>', '<table><tr><td>', '<details>\n<summary>', '<img alt="', '</b '],
  ...[
    '<script>',
    '</script>',
    '<style>',
    '<title ',
    '<x-y z=',
    '<a href="/x" title="',
    '<svg><desc ',
    '<br>',
  ],
  ...['[', ']', '![', '](', '](/y "', '")', ')', '(', '[x](/y "', "](</y z> '", "')", '](/y (', '))', '[]'],
  ...[
    ']: /y "',
    '[x]: /y "',
    '"\n',
    '[x]: /y\n',
    '[x]',
    '[x][',
    '![a][',
    '[x]: <',
    '\n\n[x]: /u\n\n',
    '\n[x]:\n',
  ],
  ...[
    '\\',
    '\\[',
    '\\<',
    '\\`',
    '&lt;',
    '&#60;',
    '&gt;',
    '**',
    '_',
    '*',
    '<https://a.b/',
    'https://a.b/',
    'a<',
  ],
];

/** @returns a source of texts in which words like `K7q` stand here and there. */
export function mixer(seed: number): () => string {
  const random = numbers(seed);
  const pick = () => pieces[Math.floor(random() * pieces.length)]!;
  return () => {
    let text = '';
    let words = 0;
    for (let left = 3 + Math.floor(random() * 14); left > 0; left -= 1) {
      text += pick();
      if (random() < 0.45) text += `K${words++}q`;
    }
    return text;
  };
}

/** The generator called mulberry32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const wordsOf = (text: string) => text.match(/K\d+q/g) ?? [];
