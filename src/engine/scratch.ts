/** The private directory of a run: where it is, and how `post` knows it again. */
import { chmod, mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** A directory of this run alone, for what must not be in the checkout. @param temp the job's temporary directory */
export function scratchPath({ temp }: { temp: string }, mark: string): string {
  return join(temp, `forgehand-${mark}`);
}

/**
 * Where Claude finds the images of a thread: beside the private directory, as that one is closed to Claude. Who removes
 * the one removes the other.
 */
export function imagesPath(scratch: string): string {
  return `${scratch}-images`;
}

/** Where Claude Code finds the configuration of a base branch, for the same reason and as long. */
export function configurationPath(scratch: string): string {
  return `${scratch}-configuration`;
}

/** Where plugins are installed, for the same reason and as long. */
export function pluginsPath(scratch: string): string {
  return `${scratch}-plugins`;
}

/** Where Claude finds the logs of jobs that it asked for, for the same reason and as long. */
export function logsPath(scratch: string): string {
  return `${scratch}-logs`;
}

/** There before the fence is opened, which shows it inside as it is then; its files may come later. Answers the path. */
export async function openPlace(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  // Whatever the umask: inside the fence Claude may be another user.
  await chmod(path, 0o755);
  return path;
}

/** Everything of a run that is removed at its end. */
export function placesOf(scratch: string): string[] {
  const places = [imagesPath, configurationPath, pluginsPath, logsPath];
  return [scratch, ...places.map((place) => place(scratch))];
}

/** True for a directory of that form: nothing else is ever removed or read because a memory names it. */
export function isOwnScratch({ temp }: { temp: string }, scratch: string): boolean {
  return resolve(dirname(scratch)) === resolve(temp) && /^forgehand-[0-9a-f-]{36}$/.test(basename(scratch));
}
