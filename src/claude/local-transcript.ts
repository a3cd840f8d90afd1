/** The copy of a transcript that Claude Code keeps in its own configuration directory. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './environment.ts';

/**
 * Removes the copy of a session that is about to start from nothing: Claude Code refuses an id that is "already in use",
 * and a process that was killed before its first entry was stored has left one behind.
 */
export async function removeLocalTranscript(environment: Environment, sessionId: string): Promise<void> {
  const home = environment.HOME ?? '';
  const projects = join(environment.CLAUDE_CONFIG_DIR ?? join(home, '.claude'), 'projects');
  const names = await readdir(projects).catch(() => []);
  for (const name of names) {
    await rm(join(projects, name, `${sessionId}.jsonl`), { force: true });
    await rm(join(projects, name, sessionId), { recursive: true, force: true });
  }
}
