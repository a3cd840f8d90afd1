/** Check runs, commit statuses and workflow runs that tests seed. */
import type { CheckRun, CommitStatus, Job, Repository, WorkflowRun } from '../model.ts';
import { now, type Store, timeOf } from '../store.ts';

export interface NewCheckRun {
  name: string;
  /** Hash of the commit. */
  headSha: string;
  /** `completed` with success when absent. */
  status?: CheckRun['status'];
  conclusion?: string | null;
  title?: string;
  summary?: string;
}

export function createCheckRun(store: Store, repository: Repository, options: NewCheckRun): CheckRun {
  const status = options.status ?? 'completed';
  const check = store.identify(
    'CR',
    (id, nodeId): CheckRun => ({
      kind: 'checkRun',
      id,
      nodeId,
      headSha: options.headSha,
      name: options.name,
      status,
      conclusion: status === 'completed' ? (options.conclusion ?? 'success') : null,
      startedAt: now(),
      completedAt: status === 'completed' ? now() : null,
      detailsUrl: null,
      title: options.title ?? null,
      summary: options.summary ?? null,
    }),
  );
  repository.checks.push(check);
  return check;
}

export interface NewStatus {
  sha: string;
  state: CommitStatus['state'];
  context?: string;
  description?: string;
  targetUrl?: string;
  creator?: string;
}

export function createStatus(store: Store, repository: Repository, options: NewStatus): CommitStatus {
  const id = store.nextId();
  const status: CommitStatus = {
    id,
    nodeId: `SC_${id}`,
    sha: options.sha,
    state: options.state,
    context: options.context ?? 'default',
    description: options.description ?? null,
    targetUrl: options.targetUrl ?? null,
    creator: store.user(options.creator ?? repository.owner.login),
    createdAt: now(),
  };
  repository.statuses.push(status);
  return status;
}

/** GraphQL's combined state of a commit: null without checks. */
export function rollupOf(
  repository: Repository,
  sha: string,
): 'SUCCESS' | 'FAILURE' | 'PENDING' | 'ERROR' | null {
  const checks = repository.checks.filter((check) => check.headSha === sha);
  const statuses = latestStatuses(repository, sha);
  if (checks.length + statuses.length === 0) return null;
  const bad = ['failure', 'cancelled', 'timed_out', 'action_required', 'startup_failure'];
  if (statuses.some((status) => status.state === 'error')) return 'ERROR';
  if (
    checks.some((check) => bad.includes(check.conclusion ?? '')) ||
    statuses.some((one) => one.state === 'failure')
  ) {
    return 'FAILURE';
  }
  const waiting =
    checks.some((check) => check.status !== 'completed') || statuses.some((one) => one.state === 'pending');
  return waiting ? 'PENDING' : 'SUCCESS';
}

/** The newest status of each context. */
export function latestStatuses(repository: Repository, sha: string): CommitStatus[] {
  const ofCommit = repository.statuses.filter((status) => status.sha === sha);
  return [...new Map(ofCommit.map((status) => [status.context, status])).values()];
}

export interface NewWorkflowRun {
  name: string;
  /** What the workflow's `run-name` gives. */
  displayTitle?: string;
  headBranch: string;
  headSha: string;
  event?: string;
  status?: string;
  conclusion?: string | null;
  /** `.github/workflows/<name>.yml` when absent. */
  path?: string;
  actor?: string;
  createdAt?: Date | string;
  jobs?: {
    name: string;
    conclusion?: string | null;
    log?: string;
    steps?: { name: string; conclusion?: string | null }[];
  }[];
}

export function createWorkflowRun(
  store: Store,
  repository: Repository,
  options: NewWorkflowRun,
): WorkflowRun {
  const id = store.nextId();
  const createdAt = options.createdAt ? timeOf(options.createdAt) : now();
  const run: WorkflowRun = {
    id,
    nodeId: `WFR_${id}`,
    name: options.name,
    displayTitle: options.displayTitle ?? null,
    path: options.path ?? `.github/workflows/${options.name.toLowerCase()}.yml`,
    event: options.event ?? 'push',
    status: options.status ?? 'completed',
    conclusion: options.conclusion === undefined ? 'success' : options.conclusion,
    headBranch: options.headBranch,
    headSha: options.headSha,
    runNumber: repository.runs.length + 1,
    actor: store.user(options.actor ?? repository.owner.login),
    createdAt,
    jobs: (options.jobs ?? []).map((job): Job => {
      const jobId = store.nextId();
      const conclusion = job.conclusion === undefined ? 'success' : job.conclusion;
      return {
        id: jobId,
        nodeId: `CR_${jobId}`,
        name: job.name,
        status: conclusion === null ? 'in_progress' : 'completed',
        conclusion,
        log: job.log ?? '',
        steps: (job.steps ?? []).map((step) => ({
          name: step.name,
          conclusion: step.conclusion ?? 'success',
        })),
        startedAt: createdAt,
      };
    }),
  };
  repository.runs.push(run);
  return run;
}
