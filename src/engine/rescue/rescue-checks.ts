/** Holds what `post` was told against what the job and GitHub say: Claude's processes could write where main remembered it. */
import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { GitHubClient } from '../../github/client.ts';
import type { Sent } from '../../report/progress-api.ts';
import type { Config } from '../../words/config.ts';
import { AppError } from '../../words/errors.ts';
import { progressEvent } from '../../words/progress.ts';
import { type CollectedReview, collectedReview } from '../../words/review.ts';
import { mayBeOurs } from '../../workspace/branch.ts';
import type { Target } from '../../workspace/gate/gate-state.ts';
import type { SavedCheckout } from '../../workspace/saved-checkout.ts';
import { type Publishing, patchPath } from '../publish.ts';
import { isOwnScratch } from '../scratch.ts';

/** The job's own facts, as the runner says them. */
export interface JobFacts {
  config: Config;
  /** `owner/repo` */
  repository: string;
  run: { workflow: string; job: string; id: string; attempt: string };
  temp: string;
  /** The checkout. */
  directory: string;
  /** The branch that the event itself named. */
  namedBranch: string | null;
  /** The issue or pull request that the event itself is about. */
  subject: number | null;
}

/** @throws AppError `gate_refused` for a checkout that is not the job's, or copies that main did not make. */
export async function checkSaved(job: JobFacts, saved: SavedCheckout, scratch: string): Promise<void> {
  requireIn(job, saved.store, scratch);
  if (saved.directory !== (await realpath(job.directory)))
    throw refused(saved.directory, "the job's checkout");
}

/** With what the job itself says put in the place of what was told. @throws AppError `gate_refused` */
export async function checkedPublishing(
  job: JobFacts & { serverUrl: string },
  told: Publishing,
  scratch: string,
): Promise<Publishing> {
  requireIn(job, told.gate.directory, scratch);
  if (told.gate.workspace !== (await realpath(job.directory)))
    throw refused(told.gate.workspace, "the job's checkout");
  return {
    ...told,
    serverUrl: job.serverUrl,
    patchFile: patchPath(job.temp, job.run),
    gate: { ...told.gate, limits: job.config },
  };
}

/**
 * A branch of this repository that is named as the task's branches are, or the head of an open pull request of this
 * repository; never the default branch. @throws AppError `gate_refused`
 */
export async function checkTargets(job: JobFacts, targets: Target[], github: GitHubClient): Promise<void> {
  const [owner, repo] = job.repository.split('/');
  const { default_branch } = await github.rest<{ default_branch: string }>('GET /repos/{owner}/{repo}', {
    owner,
    repo,
  });
  const naming = { prefix: job.config.branchPrefix, template: job.config.branchNameTemplate };
  for (const { repository, branch } of targets) {
    const own = repository === job.repository;
    if (own && [default_branch, job.config.baseBranch].includes(branch))
      throw refused(branch, 'a branch of this task');
    if (own && (branch === job.namedBranch || mayBeOurs(branch, naming))) continue;
    // Any name that Git takes; GitHub itself must know it, as a malformed filter finds everything.
    const pulls = await github.rest<{ head: { ref: string; repo: { full_name: string } | null } }[]>(
      'GET /repos/{owner}/{repo}/pulls',
      { owner, repo, state: 'open', head: `${repository.split('/')[0]}:${branch}` },
    );
    if (!pulls.some(({ head }) => head.ref === branch && head.repo?.full_name === repository))
      throw refused(`${repository} ${branch}`, 'a branch of this task');
  }
}

/** An event that is none of this run's is not sent in its name. */
export function checkedSent(job: JobFacts, { sequence, unacknowledged, completedTasks }: Sent): Sent {
  const event = progressEvent.safeParse(unacknowledged).data;
  const isOurs =
    event?.repository === job.repository &&
    event.run_id === job.run.id &&
    String(event.run_attempt) === job.run.attempt;
  return {
    sequence: Number.isSafeInteger(sequence) && sequence > 0 ? sequence : 0,
    unacknowledged: isOurs ? event : null,
    completedTasks: progressEvent.shape.completed_tasks.safeParse(completedTasks).data ?? [],
    ended: false,
  };
}

/** A review of another pull request, or an approval that nobody allowed, is none of this run's. @throws AppError `gate_refused` */
export function checkedReview(job: JobFacts, told: unknown): CollectedReview {
  const { data } = collectedReview.safeParse(told);
  if (!data || data.number !== job.subject) throw refused(`review of #${data?.number}`, "this run's own");
  const { conclusion } = data;
  if (!conclusion || job.config.reviewEvents.includes(conclusion.event)) return data;
  return { ...data, conclusion: { ...conclusion, event: 'COMMENT' } };
}

function requireIn(job: JobFacts, directory: string, scratch: string): void {
  if (!isOwnScratch(job, scratch) || !resolve(directory).startsWith(resolve(scratch) + sep))
    throw refused(directory, "this run's own directory");
}

function refused(what: string, expected: string): AppError {
  return new AppError(
    'gate_refused',
    `What main remembered is not believed: \`${what}\` is not ${expected}.`,
  );
}
