/** What ran on a commit, read whole: workflow runs with their jobs, check runs, commit statuses. */
import {
  type CiJob,
  type CiPermission,
  type CiRun,
  type CommitCheck,
  type CommitChecks,
  outcomeOf,
} from '../words/ci.ts';
import { AppError } from '../words/errors.ts';
import type { Repository } from '../words/event.ts';
import { type GitHubClient, statusOf } from './client.ts';

export interface ChecksSource {
  client: GitHubClient;
  repository: Repository;
}

/** Of each kind; GitHub itself lists no more than a thousand runs of one commit. */
const mostPages = 10;
const pageSize = 100;

interface RawResult {
  status: string | null;
  conclusion: string | null;
}

interface RawRun extends RawResult {
  id: number;
  name?: string | null;
  event: string;
  head_branch: string | null;
  head_sha: string;
  check_suite_id?: number;
  run_attempt?: number;
}

interface RawCheck extends RawResult {
  name: string;
  details_url: string | null;
  output?: { title: string | null } | null;
  check_suite: { id: number } | null;
}

interface RawStatus {
  context: string;
  state: string;
  description: string | null;
}

interface RawJob extends RawResult {
  id: number;
  name: string;
  steps?: { name: string; number: number; conclusion: string | null }[];
}

/**
 * What the credential may not see is named in `withheld`. @param ownRun id of the workflow run that we are part of,
 * which is left out: it is at work.
 */
export async function readChecks(
  source: ChecksSource,
  sha: string,
  ownRun: string | null,
): Promise<CommitChecks> {
  const [runs, checks, statuses] = await Promise.all([
    shown('actions', pages<RawRun>(source, 'actions/runs', { head_sha: sha }, 'workflow_runs')),
    shown('checks', pages<RawCheck>(source, 'commits/{sha}/check-runs', { sha }, 'check_runs')),
    shown('statuses', pages<RawStatus>(source, 'commits/{sha}/status', { sha }, 'statuses')),
  ]);
  const list: CommitCheck[] = [
    ...runs.items.filter(({ id }) => String(id) !== ownRun).map(toRun),
    ...checks.items.filter((check) => !isJob(check, runs.items)).map(toCheck),
    ...statuses.items.map(toStatus),
  ];
  const read = [runs, checks, statuses];
  return {
    sha,
    list,
    withheld: read.flatMap(({ withheld }) => withheld ?? []),
    unread: read.reduce((sum, { unread }) => sum + unread, 0),
  };
}

/** The latest attempt of a workflow run of this repository, with all its jobs. */
export async function readRun(source: ChecksSource, id: number): Promise<CiRun> {
  const { client, repository } = source;
  const [run, jobs] = await Promise.all([
    client.rest<RawRun>('GET /repos/{owner}/{repo}/actions/runs/{run_id}', {
      ...placeOf(repository),
      run_id: id,
    }),
    pages<RawJob>(source, 'actions/runs/{run_id}/jobs', { run_id: id }, 'jobs'),
  ]);
  return {
    id: run.id,
    name: run.name ?? '',
    event: run.event,
    branch: run.head_branch,
    sha: run.head_sha,
    result: resultOf(run),
    attempt: run.run_attempt ?? 1,
    jobs: jobs.items.map(toJob),
    unread: jobs.unread,
  };
}

/** The commit that a pull request stands at now. */
export async function readHead({ client, repository }: ChecksSource, number: number): Promise<string> {
  const place = { ...placeOf(repository), pull_number: number };
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';
  return (await client.rest<{ head: { sha: string } }>(route, place)).head.sha;
}

/** True for how GitHub answers a credential that lacks a permission, or asks for what is not there. */
export function isRefused(error: unknown): boolean {
  if (error instanceof AppError) return error.reason === 'github_auth' && statusOf(error.cause) === 403;
  return statusOf(error) === 404;
}

interface Read<T> {
  items: T[];
  unread: number;
  withheld?: CiPermission;
}

async function shown<T>(permission: CiPermission, reading: Promise<Read<T>>): Promise<Read<T>> {
  try {
    return await reading;
  } catch (error) {
    if (!isRefused(error)) throw error;
    return { items: [], unread: 0, withheld: permission };
  }
}

/** A list that is paged by number and says how long it is. */
async function pages<T>(
  { client, repository }: ChecksSource,
  path: string,
  parameters: Record<string, unknown>,
  member: string,
): Promise<Read<T>> {
  const items: T[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await client.rest<{ total_count: number }>(`GET /repos/{owner}/{repo}/${path}`, {
      ...placeOf(repository),
      ...parameters,
      per_page: pageSize,
      page,
    });
    const found = (answer as unknown as Record<string, T[]>)[member] ?? [];
    items.push(...found);
    if (found.length < pageSize || page === mostPages)
      return { items, unread: Math.max(0, answer.total_count - items.length) };
  }
}

function placeOf({ owner, name }: Repository) {
  return { owner, repo: name };
}

/**
 * Jobs of Actions are check runs too, and stand for their run. Suite and address together: a report that a job makes by
 * itself has the suite alone, and whatever an App writes as the address cannot make its check one of ours.
 */
function isJob({ check_suite, details_url }: RawCheck, runs: RawRun[]): boolean {
  const run = /\/actions\/runs\/(\d+)\/job\/\d+$/.exec(details_url ?? '')?.[1];
  return runs.some(({ id, check_suite_id }) => String(id) === run && check_suite_id === check_suite?.id);
}

function resultOf({ conclusion, status }: RawResult): string {
  return conclusion ?? status ?? 'unknown';
}

function toRun(run: RawRun): CommitCheck {
  return {
    kind: 'workflow run',
    id: run.id,
    name: run.name ?? '',
    result: resultOf(run),
    detail: run.event,
  };
}

function toCheck(check: RawCheck): CommitCheck {
  const detail = check.output?.title ?? '';
  return { kind: 'check run', id: null, name: check.name, result: resultOf(check), detail };
}

function toStatus({ context, state, description }: RawStatus): CommitCheck {
  return { kind: 'status', id: null, name: context, result: state, detail: description ?? '' };
}

function toJob({ id, name, steps = [], ...job }: RawJob): CiJob {
  return {
    id,
    name,
    result: resultOf(job),
    failedSteps: steps.flatMap(({ number, name: step, conclusion }) =>
      conclusion && outcomeOf(conclusion) === 'failed' ? [{ number, name: step, result: conclusion }] : [],
    ),
  };
}
