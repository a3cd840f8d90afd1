/** Credential files of a cloud provider, for the fence: the one exception to "no credential inside", as the provider's chain is Claude Code's own. */
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Copies, as the fence's user may not read the originals. @returns the variables that name the copies. */
export async function copyCredentials(
  files: Record<string, string>,
  home: string,
): Promise<Record<string, string>> {
  const copies: Record<string, string> = {};
  for (const [variable, path] of Object.entries(files)) {
    const to = join(home, '.provider', variable.toLowerCase(), basename(path));
    await mkdir(join(to, '..'), { recursive: true, mode: 0o700 });
    await copyFile(path, to);
    copies[variable] = to;
  }
  return copies;
}
