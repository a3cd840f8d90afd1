/** Turns a failed git process into an AppError: which reason, git's own last lines without credentials, what to do. */
import { AppError } from '../words/errors.ts';
import type { Remote } from './remote.ts';

interface Failed {
  stdout: string;
  stderr: string;
  code: number;
}

/** Git's own words (the locale is C), as there is no exit code that says them. */
const refused =
  /requested URL returned error: 40[13]|Authentication failed|could not read (?:Username|Password)|Repository not found|repository '[^']*' not found|Permission to \S+ denied/i;
const unavailable =
  /requested URL returned error: (?:5\d\d|429)|Could not resolve host|Failed to connect|Connection (?:refused|reset|timed out)|Operation timed out|Empty reply from server|RPC failed|early EOF|remote end hung up|SSL_ERROR_SYSCALL|Recv failure/i;
const moved = /requested URL returned error: 30[12378]|unable to update url base from redirection/i;

/** @param output of a process that ended with a code that is no answer. */
export function gitFailure(args: string[], output: Failed, remote: Remote | undefined): AppError {
  const words = withoutCredentials(lastLines(output.stderr), remote);
  const message = `\`git ${args[0]}\` failed (exit code ${output.code}): ${words || 'it said nothing.'}`;
  if (!remote) return new AppError('git_failed', message);
  if (refused.test(words)) return new AppError('github_auth', message, { remedy: authRemedy(args) });
  if (moved.test(words)) {
    return new AppError('git_failed', message, {
      remedy: 'The repository was renamed or moved: run again under its new name.',
    });
  }
  if (unavailable.test(words)) return new AppError('github_unavailable', message);
  return new AppError('git_failed', message);
}

/** Takes out user information of URLs and the token in both of its forms. */
export function withoutCredentials(text: string, remote: Remote | undefined): string {
  let clean = text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi, '$1')
    .replace(/(authorization:).*/gi, '$1 ***');
  const token = remote?.token?.reveal();
  if (token) {
    clean = clean.replaceAll(token, '***');
    clean = clean.replaceAll(Buffer.from(`x-access-token:${token}`).toString('base64'), '***');
  }
  return clean;
}

function authRemedy(args: string[]): string {
  return args[0] === 'push'
    ? 'Give the job `permissions: contents: write`, or a token that may push to this repository.'
    : 'Give the job `permissions: contents: read`, or a token that may read this repository.';
}

function lastLines(stderr: string): string {
  return stderr
    .split(/[\r\n]+/)
    .filter((line) => line.trim() && !line.startsWith('hint:'))
    .slice(-8)
    .join('\n');
}
