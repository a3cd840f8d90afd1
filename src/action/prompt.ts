/** The prompt of the base-action: one of two inputs. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../words/errors.ts';

export interface GivenPrompt {
  /** Input `prompt`. */
  prompt: string;
  /** Input `prompt_file`. */
  file: string;
  /** Where a relative path starts. */
  directory: string;
}

/** @throws AppError `invalid_input` unless exactly one of both is given and says something. */
export async function promptOf({ prompt, file, directory }: GivenPrompt): Promise<string> {
  const path = file.trim();
  if (prompt.trim() && path) {
    throw new AppError('invalid_input', 'Inputs `prompt` and `prompt_file` contradict each other.', {
      remedy: 'Give one of them.',
    });
  }
  if (!path && !prompt.trim()) {
    throw new AppError('invalid_input', 'There is no prompt.', { remedy: 'Give `prompt` or `prompt_file`.' });
  }
  if (!path) return prompt;
  const text = await readFile(resolve(directory, path), 'utf8').catch((error: Error) => {
    throw new AppError(
      'invalid_input',
      `Input \`prompt_file\`: \`${path}\` cannot be read: ${error.message}`,
    );
  });
  if (text.trim()) return text;
  throw new AppError('invalid_input', `Input \`prompt_file\`: \`${path}\` is empty.`);
}
