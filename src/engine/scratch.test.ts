import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isOwnScratch, openPlace, placesOf, scratchPath } from './scratch.ts';

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
    `${scratch}-logs`,
  ]);
});

test('and can be read there whatever the umask of the runner is', async () => {
  const root = mkdtempSync(join(tmpdir(), 'forgehand-test-'));
  const umask = process.umask(0o077);
  onTestFinished(() => {
    process.umask(umask);
    rmSync(root, { recursive: true });
  });
  expect(statSync(await openPlace(join(root, 'images'))).mode & 0o777).toBe(0o755);
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
