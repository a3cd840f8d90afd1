/** Asks the server where a branch is. */
import type { GitOptions, GitOutput } from './git.ts';
import type { Remote } from './remote.ts';

/** Null when there is no such branch. */
export async function remoteTip(
  run: (args: string[], options: GitOptions) => Promise<GitOutput>,
  { remote, branch }: { remote: Remote; branch: string },
): Promise<string | null> {
  const ref = `refs/heads/${branch}`;
  const { stdout } = await run(['ls-remote', '--refs', remote.url, ref], { remote });
  // A pattern also matches names that end in it.
  const line = stdout.split('\n').find((one) => one.slice(41) === ref);
  return line?.slice(0, 40) ?? null;
}
