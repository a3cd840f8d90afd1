/** Workflow runs and jobs as GitHub's JSON shows them. */
import { readCommit } from '../git/history.ts';
import type { Job, Repository, WorkflowRun } from '../model.ts';
import type { Store } from '../store.ts';
import { renderMinimalRepository, repositoryPage, repositoryUrl } from './repository.ts';
import { renderUser } from './user.ts';

/** `workflow-run` */
export async function renderRun(store: Store, repository: Repository, run: WorkflowRun) {
  const url = `${repositoryUrl(store, repository)}/actions/runs/${run.id}`;
  const commit = await readCommit(repository.directory, run.headSha);
  const suite = `${repositoryUrl(store, repository)}/check-suites/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: run.nodeId,
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.path,
    display_title: run.displayTitle ?? commit?.message.split('\n')[0] ?? run.name,
    run_number: run.runNumber,
    run_attempt: 1,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.id,
    check_suite_id: run.id,
    check_suite_node_id: `CS_${run.id}`,
    url,
    html_url: `${repositoryPage(store, repository)}/actions/runs/${run.id}`,
    pull_requests: [],
    created_at: run.createdAt,
    updated_at: run.createdAt,
    run_started_at: run.createdAt,
    actor: renderUser(store, run.actor),
    triggering_actor: renderUser(store, run.actor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: suite,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: null,
    workflow_url: `${repositoryUrl(store, repository)}/actions/workflows/${run.id}`,
    head_commit: commit && {
      id: commit.sha,
      tree_id: commit.tree,
      message: commit.message,
      timestamp: commit.committer.date,
      author: { name: commit.author.name, email: commit.author.email },
      committer: { name: commit.committer.name, email: commit.committer.email },
    },
    repository: renderMinimalRepository(store, repository),
    head_repository: renderMinimalRepository(store, repository),
  };
}

/** Where people see a job; the address of the check run that it is, too. */
export function jobPage(store: Store, repository: Repository, run: WorkflowRun, job: Job): string {
  return `${repositoryPage(store, repository)}/actions/runs/${run.id}/job/${job.id}`;
}

/** `job` */
export function renderJob(store: Store, repository: Repository, run: WorkflowRun, job: Job) {
  const url = repositoryUrl(store, repository);
  const completedAt = job.status === 'completed' ? job.startedAt : null;
  return {
    id: job.id,
    run_id: run.id,
    run_url: `${url}/actions/runs/${run.id}`,
    run_attempt: 1,
    node_id: job.nodeId,
    head_sha: run.headSha,
    url: `${url}/actions/jobs/${job.id}`,
    html_url: jobPage(store, repository, run, job),
    status: job.status,
    conclusion: job.conclusion,
    created_at: job.startedAt,
    started_at: job.startedAt,
    completed_at: completedAt,
    name: job.name,
    steps: job.steps.map((step, index) => ({
      name: step.name,
      status: 'completed',
      conclusion: step.conclusion,
      number: index + 1,
      started_at: job.startedAt,
      completed_at: completedAt,
    })),
    check_run_url: `${url}/check-runs/${job.id}`,
    labels: ['ubuntu-latest'],
    runner_id: 1,
    runner_name: 'local',
    runner_group_id: 1,
    runner_group_name: 'Default',
    workflow_name: run.name,
    head_branch: run.headBranch,
  };
}
