/** Pushes one commit from the gate to one branch of one repository, with a credential that only this process gets. */
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { newCommits } from './changes.ts';
import { type GateContext, setPublished, type Target, trustedCommits } from './gate-state.ts';
import type { GitOutput } from './git.ts';
import { withoutCredentials } from './git-failure.ts';
import type { Remote } from './remote.ts';

export interface PushRequest {
  target: Target;
  /** The target repository's URL, spelled out: no remote's name is ever used. */
  remote: Remote;
  sha: string;
  /** What the target holds already, when it is not what the gate was made for; only for the count. */
  trusted?: string[];
  retryDelaysMs?: number[];
  /** Milliseconds that one attempt may take. */
  timeoutMs?: number;
}

export type Pushed =
  | { outcome: 'pushed'; sha: string; commits: number }
  /** The branch has commits that this work does not build on: nothing was changed; another name may do. */
  | { outcome: 'moved' };

/**
 * Never forces.
 * @throws AppError `gate_refused` for a branch that is not the task's; `github_auth`; `github_unavailable`;
 * `git_failed` when the server has a rule against it (its words are in the message).
 */
export async function pushCommit(context: GateContext, request: PushRequest): Promise<Pushed> {
  const { target, remote, sha } = request;
  allowTarget(context, target, remote);
  const { length: commits } = await newCommits(context, sha, await trustedCommits(context, request.trusted));
  const ref = `refs/heads/${target.branch}`;
  const args = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-recurse-submodules',
    '--no-signed',
    remote.url,
    `${sha}:${ref}`,
  ];
  const { retryDelaysMs, timeoutMs } = request;
  const isAnswer = ({ code, stdout }: GitOutput) => code === 0 || refusalIn(stdout) !== '';
  const pushing = { remote, allowedCodes: [0, 1], isAnswer, retryDelaysMs, timeoutMs };
  const { code, stdout, stderr } = await context.run(args, pushing);
  if (code !== 0) {
    const line = refusalIn(stdout);
    if (/\[rejected\]|\[remote rejected\] \((?:cannot lock ref|failed to update ref|fetch first)/.test(line))
      return { outcome: 'moved' };
    throw rejected({
      target,
      words: withoutCredentials(`${line.split('\t').pop() ?? ''}\n${remoteLines(stderr)}`.trim(), remote),
    });
  }
  await setPublished(context, sha);
  return { outcome: 'pushed', sha, commits };
}

/** The target is the host's own choice, made before Claude had the workspace; this holds it to that. */
function allowTarget({ state }: GateContext, target: Target, remote: Remote): void {
  const same = (other: Target) =>
    other.repository.toLowerCase() === target.repository.toLowerCase() && other.branch === target.branch;
  const path = decodeURIComponent(new URL(remote.url).pathname)
    .toLowerCase()
    .replace(/\.git$/, '');
  const right = path.endsWith(`/${target.repository.toLowerCase()}`);
  if (right && state.targets.some(same) && !state.neverTo.some(same)) return;
  const why = state.neverTo.some(same) ? 'is the base or default branch' : 'is not the branch of this task';
  throw new AppError(
    'gate_refused',
    `${shown(target.branch)} of ${target.repository} ${right ? why : 'is not where this URL leads'}.`,
    {
      remedy: `Work on ${shown(state.branch)}; only ${state.targets.map(({ branch }) => shown(branch)).join(', ')} may be published.`,
    },
  );
}

/** The line in which the server says no; '' when it has not said anything about the branch. */
function refusalIn(stdout: string): string {
  return stdout.split('\n').find((line) => line.startsWith('!') && !line.includes('[remote failure]')) ?? '';
}

function rejected({ target, words }: { target: Target; words: string }): AppError {
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
