/** A job as GitHub describes it to a step: the event and repository, as environment variables. */
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import type { CacheService } from './cache-service.ts';

export interface Job {
  event: { name: string; payload: Record<string, unknown> };
  /** What the event file holds instead of the payload: for payloads that are broken. */
  eventFile?: string | Buffer;
  /** `owner/name`. */
  repository: string;
  /** Directory of the checkout; the step's working directory. */
  workspace: string;
  /** The GitHub that the job belongs to. */
  github: { serverUrl: string; apiUrl: string; graphqlUrl: string };
  /** Login of who started the run; the payload's sender by default. */
  actor?: string;
  runId?: number | string;
  runAttempt?: number;
  workflow?: string;
  job?: string;
  /** By default what GitHub would choose for the event, see {@link refOf}. */
  ref?: string;
  /** By default the payload's commit, else the HEAD of the workspace. */
  sha?: string;
  /** Where OIDC tokens are requested, for a job with `id-token: write`. */
  oidc?: { url: string; token: string };
  /** The runner's cache; none for a runner without one. */
  cache?: CacheService;
  /** The job's own token (`github.token`): what `${{ github.token }}` in a default means. Always masked. */
  token?: string;
}

/** Directories of a runner, all private to the run. */
export interface RunnerPaths {
  home: string;
  temp: string;
  toolCache: string;
  eventFile: string;
}

interface PullRequest {
  number?: number;
  merge_commit_sha?: string | null;
  head?: { ref?: string; sha?: string };
  base?: { ref?: string };
}

/** The variables of a runner without a job: from scratch, so that nothing of this machine leaks in but its PATH's usual places. */
export function runnerEnvironment(paths: RunnerPaths, node: string, marker: string): Record<string, string> {
  const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return {
    PATH: [...usual, dirname(node)].join(delimiter),
    HOME: paths.home,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    RUNNER_TEMP: paths.temp,
    RUNNER_TOOL_CACHE: paths.toolCache,
    RUNNER_OS: { darwin: 'macOS', win32: 'Windows' }[process.platform as string] ?? 'Linux',
    RUNNER_ARCH: process.arch.toUpperCase(),
    RUNNER_NAME: 'mini-runner',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_TRACKING_ID: marker,
  };
}

/** The `GITHUB_*` variables of a job's step. */
export function jobEnvironment(job: Job, paths: RunnerPaths, actionPath: string): Record<string, string> {
  const [owner = ''] = job.repository.split('/');
  const ref = job.ref ?? refOf(job.event.name, job.event.payload);
  const branches = branchesOf(job.event);
  const actor = job.actor ?? senderOf(job.event.payload);
  const workflow = job.workflow ?? 'Claude';
  const repository = job.event.payload.repository as { id?: number; owner?: { id?: number } } | undefined;
  return {
    GITHUB_WORKSPACE: job.workspace,
    GITHUB_EVENT_PATH: paths.eventFile,
    GITHUB_EVENT_NAME: job.event.name,
    GITHUB_REPOSITORY: job.repository,
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_ID: String(repository?.id ?? 1),
    GITHUB_REPOSITORY_OWNER_ID: String(repository?.owner?.id ?? 1),
    GITHUB_ACTOR: actor,
    GITHUB_TRIGGERING_ACTOR: actor,
    GITHUB_RUN_ID: String(job.runId ?? 1),
    GITHUB_RUN_NUMBER: '1',
    GITHUB_RUN_ATTEMPT: String(job.runAttempt ?? 1),
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_WORKFLOW: workflow,
    GITHUB_WORKFLOW_REF: `${job.repository}/.github/workflows/claude.yml@${ref}`,
    GITHUB_JOB: job.job ?? 'claude',
    GITHUB_ACTION: '__self',
    GITHUB_ACTION_PATH: actionPath,
    GITHUB_REF: ref,
    GITHUB_REF_NAME: shortRef(ref),
    GITHUB_REF_TYPE: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_HEAD_REF: branches?.head?.ref ?? '',
    GITHUB_BASE_REF: branches?.base?.ref ?? '',
    GITHUB_SHA: job.sha ?? shaOf(job),
    GITHUB_SERVER_URL: job.github.serverUrl,
    GITHUB_API_URL: job.github.apiUrl,
    GITHUB_GRAPHQL_URL: job.github.graphqlUrl,
    ...(job.oidc
      ? { ACTIONS_ID_TOKEN_REQUEST_URL: job.oidc.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: job.oidc.token }
      : {}),
    ...(job.cache && {
      ACTIONS_RESULTS_URL: `${job.cache.url}/`,
      ACTIONS_RUNTIME_TOKEN: runtimeToken(job, job.cache),
      ACTIONS_CACHE_SERVICE_V2: 'true',
    }),
  };
}

/** The job's token for the services of the runner. */
export function runtimeToken(job: Job, cache: CacheService): string {
  const repository = job.event.payload.repository as { default_branch?: string } | undefined;
  return cache.token({
    repository: job.repository,
    ref: job.ref ?? refOf(job.event.name, job.event.payload),
    defaultRef: `refs/heads/${repository?.default_branch ?? 'main'}`,
  });
}

/** The ref that GitHub runs an event on: a pull request's merge ref, what was pushed, queued or released, else the default branch. */
export function refOf(event: string, payload: Record<string, unknown>): string {
  const pull = pullRequestOf({ name: event, payload });
  if (pull?.number !== undefined) return `refs/pull/${pull.number}/merge`;
  const base = (payload.pull_request as PullRequest | undefined)?.base?.ref;
  if (event === 'pull_request_target' && base) return `refs/heads/${base}`;
  const { merge_group: group, release } = payload as {
    merge_group?: { head_ref: string };
    release?: { tag_name: string };
  };
  if (group) return group.head_ref;
  if (release) return `refs/tags/${release.tag_name}`;
  if (typeof payload.ref === 'string' && payload.ref.startsWith('refs/')) return payload.ref;
  const branch = (payload.repository as { default_branch?: string } | undefined)?.default_branch;
  return `refs/heads/${branch ?? 'main'}`;
}

/** `main` of `refs/heads/main`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags|pull)\//, '');
}

/** The pull request of the events that GitHub runs on its merge ref. */
function pullRequestOf(event: Job['event']): PullRequest | undefined {
  const onMergeRef = ['pull_request', 'pull_request_review', 'pull_request_review_comment'];
  return onMergeRef.includes(event.name)
    ? (event.payload.pull_request as PullRequest | undefined)
    : undefined;
}

/** GitHub names head and base branch in the environment for these two events only. */
function branchesOf(event: Job['event']): PullRequest | undefined {
  const named = ['pull_request', 'pull_request_target'].includes(event.name);
  return named ? (event.payload.pull_request as PullRequest | undefined) : undefined;
}

function senderOf(payload: Record<string, unknown>): string {
  return (payload.sender as { login?: string } | undefined)?.login ?? 'octocat';
}

function shaOf(job: Job): string {
  const named = pullRequestOf(job.event)?.merge_commit_sha ?? job.event.payload.after;
  if (typeof named === 'string') return named;
  try {
    const git = { cwd: job.workspace, stdio: ['ignore', 'pipe', 'ignore'] } satisfies ExecFileSyncOptions;
    return execFileSync('git', ['rev-parse', 'HEAD'], git).toString().trim();
  } catch {
    return '0'.repeat(40);
  }
}
