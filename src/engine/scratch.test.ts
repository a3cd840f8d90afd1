import { expect, test } from 'vitest';
import { isOwnScratch, placesOf, scratchPath } from './scratch.ts';

const job = { temp: '/runner/_temp' };
const mark = 'c9c9ad0c-6f9b-4f5c-9d3b-0d1f4f1c2a3b';

test('a directory of this run alone, known again by its form', () => {
  const scratch = scratchPath(job, mark);
  expect(scratch).toBe(`/runner/_temp/forgehand-${mark}`);
  expect(isOwnScratch(job, scratch)).toBe(true);
});

test('what Claude may see is beside it, where the rules that close it do not reach', () => {
  const scratch = `/runner/_temp/forgehand-${mark}`;
  expect(placesOf(scratch)).toEqual([
    scratch,
    `${scratch}-images`,
    `${scratch}-configuration`,
    `${scratch}-plugins`,
  ]);
});

test.each([
  '/runner/_temp',
  '/runner/_temp/other',
  `/runner/_temp/deeper/forgehand-${mark}`,
  `/elsewhere/forgehand-${mark}`,
  `/runner/_temp/forgehand-${mark}/..`,
  `/runner/_temp/forgehand-${mark}/../../precious`,
])('%s is not one', (path) => {
  expect(isOwnScratch(job, path)).toBe(false);
});
