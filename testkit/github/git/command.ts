/** Runs git on the bare repositories, cut off from whatever the machine's own configuration says. */
import { spawn } from 'node:child_process';

/** Environment of every git process of the local GitHub; root may serve what another user owns. */
export const gitEnvironment: Record<string, string> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_COUNT: '4',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'core.quotePath',
  GIT_CONFIG_VALUE_1: 'false',
  GIT_CONFIG_KEY_2: 'gc.auto',
  GIT_CONFIG_VALUE_2: '0',
  GIT_CONFIG_KEY_3: 'receive.autogc',
  GIT_CONFIG_VALUE_3: 'false',
};

export class GitError extends Error {}

/**
 * Runs git in `directory` and gives its output.
 * @throws GitError with git's own words when it exits non-zero.
 */
export function gitBytes(directory: string, args: string[], input?: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      cwd: directory,
      env: gitEnvironment,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.stdin.on('error', () => {}); // git may end before it has read everything; its exit code tells
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else
        reject(new GitError(`git ${args[0]}: ${Buffer.concat(errors).toString().trim() || `exit ${code}`}`));
    });
    child.stdin.end(input);
  });
}

/** As `gitBytes`, as text. */
export async function git(directory: string, args: string[], input?: string | Buffer): Promise<string> {
  return (await gitBytes(directory, args, input)).toString('utf8');
}
