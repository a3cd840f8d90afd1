/** Hands values from main to post: through the runner's state, the large ones through files beside the run's others. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Memory } from '../engine/door.ts';
import { isOwnScratch } from '../engine/scratch.ts';
import type { Commands } from './commands.ts';
import type { JobEnvironment } from './job.ts';

/**
 * Bytes. State becomes an environment variable of post, and Linux starts no process with one over 128 KiB: then nothing
 * would be finished at all.
 */
const largestState = 16_384;

interface Elsewhere {
  inFile: string;
}

/** @param scratch the run's private directory; must exist once a value is large. */
export function remember(
  { commands, scratch }: { commands: Commands; scratch: string },
  name: string,
  value: unknown,
): void {
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) <= largestState) {
    commands.state(name, json);
    return;
  }
  const file = join(scratch, fileName(name));
  // Moved there whole: a kill in between leaves the former value.
  writeFileSync(`${file}.new`, json, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  commands.state(name, JSON.stringify({ inFile: file } satisfies Elsewhere));
}

/** @throws Error when what was remembered cannot be read; undefined when there is nothing. */
export function recall<Name extends keyof Memory>(
  environment: JobEnvironment,
  temp: string,
  name: Name,
): Memory[Name] | undefined {
  const text = environment[`STATE_${name}`];
  if (!text) return undefined;
  const value: Memory[Name] | Elsewhere = JSON.parse(text);
  const file = (value as Partial<Elsewhere> | null)?.inFile;
  if (file === undefined) return value as Memory[Name];
  // State can be forged by Claude's processes; nothing else than our own files is opened for it.
  if (basename(file) !== fileName(name) || !isOwnScratch({ temp }, dirname(file)))
    throw new Error(`\`${file}\` is not a file of this run`);
  return JSON.parse(readFileSync(file, 'utf8'));
}

function fileName(name: string): string {
  return `memory-${name}.json`;
}
