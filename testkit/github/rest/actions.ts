/** REST: workflow runs, jobs and their logs. */
import type { Job, WorkflowRun } from '../model.ts';
import { renderJob, renderRun } from '../render/run.ts';
import { type Answer, type Call, noContent, numberOf, ok, paginate, type Route } from './call.ts';
import { notFound } from './problem.ts';

const actions = '/repos/{owner}/{repo}/actions';

export const actionRoutes: Route[] = [
  { method: 'GET', path: `${actions}/runs`, need: ['actions:read'], handle: list },
  {
    method: 'GET',
    path: `${actions}/runs/{run_id}`,
    need: ['actions:read'],
    handle: async (call) => ok(await renderRun(call.store, call.repository, runOf(call))),
  },
  { method: 'DELETE', path: `${actions}/runs/{run_id}`, need: ['actions:write'], handle: remove },
  { method: 'GET', path: `${actions}/runs/{run_id}/jobs`, need: ['actions:read'], handle: jobs },
  { method: 'GET', path: `${actions}/jobs/{job_id}`, need: ['actions:read'], handle: job },
  { method: 'GET', path: `${actions}/jobs/{job_id}/logs`, need: ['actions:read'], handle: logs },
];

function runOf(call: Call): WorkflowRun {
  const found = call.repository.runs.find((run) => run.id === numberOf(call, 'run_id'));
  if (!found) throw notFound();
  return found;
}

function jobOf(call: Call): { run: WorkflowRun; job: Job } {
  const id = numberOf(call, 'job_id');
  for (const run of call.repository.runs) {
    const found = run.jobs.find((one) => one.id === id);
    if (found) return { run, job: found };
  }
  throw notFound();
}

async function list(call: Call): Promise<Answer> {
  const { query } = call;
  const matches = (name: string, value: string | null) => !query.get(name) || query.get(name) === value;
  const found = call.repository.runs.filter(
    (run) =>
      matches('branch', run.headBranch) &&
      matches('event', run.event) &&
      matches('head_sha', run.headSha) &&
      matches('actor', run.actor.login) &&
      (matches('status', run.status) || matches('status', run.conclusion)),
  );
  const rendered = await Promise.all(
    found.reverse().map((run) => renderRun(call.store, call.repository, run)),
  );
  return paginate(
    call,
    rendered,
    (run) => run,
    (page, total) => ({ total_count: total, workflow_runs: page }),
  );
}

function remove(call: Call) {
  const found = runOf(call);
  call.repository.runs = call.repository.runs.filter((run) => run !== found);
  return noContent();
}

function jobs(call: Call) {
  const run = runOf(call);
  const render = (one: Job) => renderJob(call.store, call.repository, run, one);
  return paginate(call, run.jobs, render, (page, total) => ({ total_count: total, jobs: page }));
}

function job(call: Call) {
  const { run, job: found } = jobOf(call);
  return ok(renderJob(call.store, call.repository, run, found));
}

/** GitHub sends to a short-lived address that needs no credentials; a job that still runs has no log yet. */
function logs(call: Call): Answer {
  const { job: found } = jobOf(call);
  if (found.status !== 'completed') throw notFound();
  return { status: 302, headers: { location: `${call.store.site.serverUrl}/_actions/logs/${found.nodeId}` } };
}
