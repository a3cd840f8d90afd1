/** Claude Code with a prompt and nothing of GitHub: no event, no comment, no branch; what Claude does stays where it works. */
import { mkdirSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { SessionResult } from '../claude/session.ts';
import { AppError } from '../words/errors.ts';
import { promptWarnings } from './claude.ts';
import { ClaudeRun } from './claude-run.ts';
import type { ClaudeDoor } from './door.ts';
import { placesOf } from './scratch.ts';

/**
 * Works on the prompt until the end, and leaves no process and no file of ours behind. The directory is the caller's to
 * trust: what it says about Claude Code counts.
 * @throws AppError for what keeps Claude from starting: `invalid_input`, `model_auth`, `sandbox_unavailable`, `cancelled`.
 */
export async function runPrompt(prompt: string, door: ClaudeDoor): Promise<SessionResult> {
  const { directory, scratch, mark } = door;
  door.signal.throwIfAborted();
  if (!prompt.trim()) throw new AppError('invalid_input', 'The prompt is empty.');
  if (!(await stat(directory).catch(() => null))?.isDirectory())
    throw new AppError('invalid_input', `Claude cannot work in \`${directory}\`: it is not a directory.`);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  door.remember('run', { mark, scratch });
  const claude = new ClaudeRun({ door, task: null, servers: [], github: null, onFirstMessage: () => {} });
  try {
    for (const warning of promptWarnings(door)) door.warn(warning);
    await claude.prepare(Promise.resolve({ directory, isTrusted: true }));
    await claude.begin({
      systemAppend: null,
      configuration: 'checkout',
      forwarded: null,
      continuation: null,
    });
    return await claude.work({ text: prompt, request: null, verbatim: false });
  } finally {
    await claude.end().catch(() => {});
    await claude.closeFence().catch((error: Error) => door.warn(error.message));
    for (const path of placesOf(scratch)) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}
