/** What a server answers to a push: taken, moved (another name may do), or refused with its own words. */
import { AppError } from '../../words/errors.ts';
import { shown } from '../../words/shown.ts';
import type { GitOutput } from '../git.ts';
import { withoutCredentials } from '../git-failure.ts';
import type { Remote } from '../remote.ts';
import type { Target } from './gate-state.ts';

/** For `GitOptions`: `git push --porcelain` ends with 1 for a refusal and for a failure alike. */
export const pushAnswers = {
  allowedCodes: [0, 1],
  isAnswer: ({ code, stdout }: GitOutput) => code === 0 || refusalIn(stdout) !== '',
};

/**
 * `moved`: the branch is not where the push expected it; nothing was changed.
 * @throws AppError `github_auth`, or `git_failed` when the server has a rule against it (its words are in the message).
 */
export function pushAnswer(
  { code, stdout, stderr }: GitOutput,
  { target, remote }: { target: Target; remote: Remote },
): 'pushed' | 'moved' {
  if (code === 0) return 'pushed';
  const line = refusalIn(stdout);
  if (
    /\[rejected\]|\[remote rejected\] \((?:cannot lock ref|failed to update ref|fetch first|reference already exists|directory file conflict)/.test(
      line,
    )
  )
    return 'moved';
  const words = `${line.split('\t').pop() ?? ''}\n${remoteLines(stderr)}`.trim();
  throw rejected(target, withoutCredentials(words, remote));
}

/** The line in which the server says no; '' when it has not said anything about the branch. */
function refusalIn(stdout: string): string {
  return stdout.split('\n').find((line) => line.startsWith('!') && !line.includes('[remote failure]')) ?? '';
}

function rejected(target: Target, words: string): AppError {
  const message = `GitHub refused the push to ${shown(target.branch)} of ${target.repository}: ${words || 'it said nothing.'}`;
  if (/without `?workflows?`? (?:permission|scope)/i.test(words)) {
    return new AppError('github_auth', message, {
      remedy: 'Use a token with the `workflows` permission, or leave workflow files as they are.',
    });
  }
  return new AppError('git_failed', message, {
    remedy: 'See the rules of the repository (branch protection, rulesets, push protection).',
  });
}

function remoteLines(stderr: string): string {
  return stderr
    .split(/[\r\n]+/)
    .filter((line) => line.startsWith('remote:') && line.replace('remote:', '').trim())
    .slice(-12)
    .join('\n');
}
