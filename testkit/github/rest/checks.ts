/** REST: check runs and statuses of commits. */
import type { CheckRun, CommitStatus } from '../model.ts';
import { renderMinimalRepository, repositoryPage, repositoryUrl } from '../render/repository.ts';
import { jobPage } from '../render/run.ts';
import { renderUser } from '../render/user.ts';
import { createStatus, latestStatuses, rollupOf } from '../state/checks.ts';
import { actor, type Call, created, paginate, type Route, requiredText, textOf } from './call.ts';
import { commitOf } from './commits.ts';
import { invalid } from './problem.ts';

const commit = '/repos/{owner}/{repo}/commits/{ref}';

export const checkRoutes: Route[] = [
  { method: 'GET', path: `${commit}/check-runs`, need: ['checks:read'], handle: checkRuns },
  { method: 'GET', path: `${commit}/status`, need: ['statuses:read'], handle: combined },
  { method: 'GET', path: `${commit}/statuses`, need: ['statuses:read'], handle: statuses },
  { method: 'POST', path: '/repos/{owner}/{repo}/statuses/{sha}', need: ['statuses:write'], handle: create },
];

async function checkRuns(call: Call) {
  const { sha } = await commitOf(call, call.params.ref!);
  const name = call.query.get('check_name');
  const status = call.query.get('status');
  const found = [...call.repository.checks, ...jobChecks(call)].filter(
    (check) =>
      check.headSha === sha && (!name || check.name === name) && (!status || check.status === status),
  );
  return paginate(
    call,
    found,
    (check) => renderCheckRun(call, check),
    (page, total) => ({ total_count: total, check_runs: page }),
  );
}

type ListedCheck = Omit<CheckRun, 'kind'>;

/** GitHub shows each job of a workflow run as a check run too. */
function jobChecks({ store, repository }: Call): ListedCheck[] {
  return repository.runs.flatMap((run) =>
    run.jobs.map((job) => ({
      ...job,
      headSha: run.headSha,
      completedAt: job.status === 'completed' ? job.startedAt : null,
      detailsUrl: jobPage(store, repository, run, job),
      title: null,
      summary: null,
      suite: run.id,
    })),
  );
}

function renderCheckRun(call: Call, check: ListedCheck) {
  const url = `${repositoryUrl(call.store, call.repository)}/check-runs/${check.id}`;
  const page = `${repositoryPage(call.store, call.repository)}/runs/${check.id}`;
  return {
    id: check.id,
    name: check.name,
    node_id: check.nodeId,
    head_sha: check.headSha,
    external_id: '',
    url,
    html_url: page,
    details_url: check.detailsUrl ?? page,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      title: check.title,
      summary: check.summary,
      text: null,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: check.suite ?? check.id },
    app: null,
    pull_requests: [],
  };
}

async function combined(call: Call) {
  const { sha } = await commitOf(call, call.params.ref!);
  const found = latestStatuses(call.repository, sha);
  const url = `${repositoryUrl(call.store, call.repository)}/commits/${sha}`;
  const state = rollupOf({ ...call.repository, checks: [] }, sha)?.toLowerCase() ?? 'pending';
  const render = (status: CommitStatus) => renderStatus(call, status);
  return paginate(call, found, render, (page, total) => ({
    state: state === 'error' ? 'failure' : state,
    statuses: page,
    sha,
    total_count: total,
    repository: renderMinimalRepository(call.store, call.repository),
    commit_url: url,
    url: `${url}/status`,
  }));
}

async function statuses(call: Call) {
  const { sha } = await commitOf(call, call.params.ref!);
  const found = call.repository.statuses.filter((status) => status.sha === sha).reverse();
  return paginate(call, found, (status) => renderStatus(call, status));
}

async function create(call: Call) {
  const { sha } = await commitOf(call, call.params.sha!);
  const state = requiredText(call, 'state') as CommitStatus['state'];
  if (!['error', 'failure', 'pending', 'success'].includes(state))
    throw invalid('Status', 'state', 'inclusion');
  const status = createStatus(call.store, call.repository, {
    sha,
    state,
    context: textOf(call, 'context'),
    description: textOf(call, 'description'),
    targetUrl: textOf(call, 'target_url'),
    creator: actor(call).login,
  });
  return created(renderStatus(call, status));
}

function renderStatus(call: Call, status: CommitStatus) {
  const creator = renderUser(call.store, status.creator);
  return {
    url: `${repositoryUrl(call.store, call.repository)}/statuses/${status.sha}`,
    avatar_url: creator.avatar_url,
    id: status.id,
    node_id: status.nodeId,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    creator,
  };
}
