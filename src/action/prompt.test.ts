import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { promptOf } from './prompt.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prompt-'));
  await writeFile(join(directory, 'prompt.md'), 'Write notes.\n');
  await writeFile(join(directory, 'empty.md'), '\n');
});
afterAll(() => rm(directory, { recursive: true }));

test.each([
  ['prompt', 'Write.', '', 'Write.'],
  ['prompt_file', '', ' prompt.md ', 'Write notes.\n'],
])('%s is the prompt', async (_, prompt, file, expected) => {
  expect(await promptOf({ prompt, file, directory })).toBe(expected);
});

test.each([
  ['none', ' ', '', /There is no prompt/, /Give `prompt` or `prompt_file`/],
  ['both', 'Write.', 'prompt.md', /contradict each other/, /Give one of them/],
  ['a file that is not there', '', 'b.md', /`prompt_file`: `b.md` cannot be read: ENOENT/, /Correct/],
  ['an empty file', '', 'empty.md', /`prompt_file`: `empty.md` is empty/, /Correct/],
])('%s is an error that says what to do', async (_, prompt, file, message, remedy) => {
  await expect(promptOf({ prompt, file, directory })).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
  });
});
