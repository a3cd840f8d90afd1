/** Follows a task without a server: by the run of GitHub Actions whose name holds the correlation id. */
import { createClient, type GitHubClient, statusOf } from '../github/client.ts';
import { defaultPolicy, type RetryPolicy } from '../github/retry.ts';
import { AppError } from '../words/errors.ts';
import { isTerminal, type ProgressStatus } from '../words/progress.ts';
import { type Clock, isWaiting, type Step } from './dispatch-step.ts';

export interface RunToFollow {
  /** `owner/repo` */
  repository: string;
  correlationId: string;
  /** May read the repository's Actions. */
  token: string;
  apiUrl: string;
}

/** As GitHub's `workflow-run` has it. */
interface Run {
  id: number;
  name: string | null;
  display_title: string;
  status: string | null;
  conclusion: string | null;
  html_url: string;
  run_attempt?: number;
  updated_at: string;
}

const firstPauseMs = 2_000;
const longestPauseMs = 30_000;
const hintAfterMs = 60_000;
/** GitHub lists a run within seconds, also one that waits for a runner. */
const giveUpAfterMs = 10 * 60_000;
/** A run that began long ago may be behind others. */
const pages = 3;
const pageSize = 100;
/** GitHub may be away for a while: each failure has been tried four times. */
const mostFailures = 5;

/** Ends with the run. @throws AppError when GitHub refuses, stays away, or has no such run. */
export async function* followRun(
  run: RunToFollow,
  clock: Clock,
  policy: RetryPolicy = defaultPolicy,
): AsyncGenerator<Step> {
  const look = steps(run, clock, policy);
  let [pause, shown] = [firstPauseMs, ''];
  for (;;) {
    const step = await look();
    const key = isWaiting(step) ? step.waitingFor : `${step.run_id} ${step.run_attempt} ${step.message}`;
    if (key !== shown) {
      yield step;
      [pause, shown] = [firstPauseMs, key];
    }
    if (!isWaiting(step) && isTerminal(step.status)) return;
    await clock.wait(pause);
    pause = Math.min(pause * 1.5, longestPauseMs);
  }
}

/** Each call looks once. */
function steps(run: RunToFollow, clock: Clock, policy: RetryPolicy): () => Promise<Step> {
  const host = { apiUrl: run.apiUrl, graphqlUrl: `${run.apiUrl}/graphql`, serverUrl: run.apiUrl };
  const client = createClient(host, async () => run.token, policy);
  const begun = clock.now();
  let known: number | null = null;
  let failures = 0;
  return async () => {
    try {
      const found: Run | null = known === null ? await find(client, run) : await get(client, run, known);
      failures = 0;
      known = found?.id ?? null;
      return found ? seen(run, found) : notYet(run, clock.now() - begun);
    } catch (error) {
      failures += 1;
      const mayPass = error instanceof AppError && error.reason === 'github_unavailable';
      if (!mayPass || failures > mostFailures) throw inWords(error, run);
      return { waitingFor: 'GitHub, which does not answer' };
    }
  };
}

async function find(client: GitHubClient, { repository, correlationId }: RunToFollow): Promise<Run | null> {
  const [owner, repo] = repository.split('/');
  for (let page = 1; page <= pages; page += 1) {
    const { workflow_runs: runs } = await client.rest<{ workflow_runs: Run[] }>(
      'GET /repos/{owner}/{repo}/actions/runs',
      { owner, repo, event: 'repository_dispatch', per_page: pageSize, page },
    );
    const found = runs.find(({ name, display_title: title }) =>
      [title, name ?? ''].some((text) => holds(text, correlationId)),
    );
    if (found) return found;
    if (runs.length < pageSize) return null;
  }
  return null;
}

/** As a word of its own: `req-1` is not in `req-12`. */
function holds(text: string, correlationId: string): boolean {
  const inWord = (character: string | undefined) => character !== undefined && /[\w-]/.test(character);
  for (let at = text.indexOf(correlationId); at >= 0; at = text.indexOf(correlationId, at + 1)) {
    if (!inWord(text[at - 1]) && !inWord(text[at + correlationId.length])) return true;
  }
  return false;
}

function get(client: GitHubClient, { repository }: RunToFollow, id: number): Promise<Run> {
  const [owner, repo] = repository.split('/');
  return client.rest<Run>('GET /repos/{owner}/{repo}/actions/runs/{run_id}', { owner, repo, run_id: id });
}

function seen({ repository, correlationId }: RunToFollow, run: Run): Step {
  return {
    repository,
    run_id: String(run.id),
    correlation_id: correlationId,
    status: statusOfRun(run),
    message: wordsOf(run),
    completed_tasks: [],
    current_task: '',
    timestamp: run.updated_at,
    run_attempt: run.run_attempt ?? 1,
    result: null,
    run_url: run.html_url,
  };
}

function wordsOf({ status, conclusion }: Run): string {
  const words = conclusion ? `ended with ${conclusion}` : `is ${status ?? 'queued'}`;
  return `The run ${words.replaceAll('_', ' ')}.`;
}

function statusOfRun({ status, conclusion }: Run): ProgressStatus {
  if (status !== 'completed') return status === 'in_progress' ? 'in_progress' : 'queued';
  if (conclusion === 'success' || conclusion === 'neutral') return 'completed';
  return conclusion === 'cancelled' || conclusion === 'skipped' ? 'cancelled' : 'failed';
}

function notYet({ correlationId }: RunToFollow, waitedMs: number): Step {
  if (waitedMs < hintAfterMs) return { waitingFor: 'the run to begin' };
  if (waitedMs < giveUpAfterMs) {
    return {
      waitingFor:
        'a run whose name holds the correlation id. The workflow must be on the default branch, listen to this type of ' +
        '`repository_dispatch`, and have `github.event.client_payload.correlation_id` in its `run-name`',
    };
  }
  throw new AppError('timed_out', `No run has \`${correlationId}\` in its name.`, {
    remedy: 'See docs/dispatch.md for a workflow, or follow through a server with `--server`.',
  });
}

function inWords(error: unknown, { repository }: RunToFollow): unknown {
  const status = statusOf(error);
  if (status === null) return error;
  return new AppError('github_auth', `GitHub answered ${status} when asked for the runs of ${repository}.`, {
    cause: error,
    remedy: 'Give a token that may read the Actions of the repository.',
  });
}
