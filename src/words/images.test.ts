import { expect, test } from 'vitest';
import { imagesIn, replaceImages } from './images.ts';

const a = 'https://github.com/user-attachments/assets/1';

test.each([
  ['markdown', `![](${a})`, '![](/1.png)'],
  ['markdown in angle brackets', `![](<${a}>)`, '![](</1.png>)'],
  ['HTML', `<img width="6" src="${a}" height='7'>`, `<img width="6" src="/1.png" height='7'>`],
  ['HTML in single quotes', `<IMG src='${a}'/>`, `<IMG src='/1.png'/>`],
  ['HTML without quotes', `<img src=${a} width=6>`, '<img src=/1.png width=6>'],
  ['two on a line', `![](${a}) ![](${a})`, '![](/1.png) ![](/1.png)'],
])('%s', (_, text, expected) => {
  expect(imagesIn(text)[0]).toBe(a);
  expect(replaceImages(text, (address) => (address === a ? '/1.png' : null))).toBe(expected);
});

test.each([
  ['a link', `[see](${a})`],
  ['an address alone', a],
  ['another attribute', `<img data-src="${a}">`],
  ['another element', `<video src="${a}">`],
  ['a file of the machine', '![](/etc/passwd)'],
])('%s is no image', (_, text) => {
  expect(imagesIn(text)).toEqual([]);
  expect(replaceImages(text, () => '/1.png')).toBe(text);
});

test('an address that nobody knows stays', () => {
  expect(replaceImages(`![](${a})`, () => null)).toBe(`![](${a})`);
});

test('hostile texts take linear time', () => {
  for (const piece of ['<img ', '![](https://', '<img src', '<img src=   ', '![](<'])
    expect(imagesIn(piece.repeat(200_000)).length).toBeLessThan(200_001);
});
