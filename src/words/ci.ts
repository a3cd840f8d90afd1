/** What ran on a commit: workflow runs, check runs and commit statuses, in one shape. */

/** The permissions under which GitHub shows them. */
export type CiPermission = 'actions' | 'checks' | 'statuses';

/** One thing that ran, or runs. Its texts are other people's. */
export interface CommitCheck {
  kind: 'workflow run' | 'check run' | 'status';
  /** Of a workflow run: what its jobs are found by. */
  id: number | null;
  name: string;
  /** What it came to, else how far it is, as GitHub says it: `failure`, `timed_out`, `in_progress`. */
  result: string;
  /** A few words more: the event of a workflow run, the summary of a check. */
  detail: string;
}

export interface CommitChecks {
  sha: string;
  list: CommitCheck[];
  /** What the credential is not shown. */
  withheld: CiPermission[];
  /** How many there are beyond what is read. */
  unread: number;
}

export interface CiJob {
  id: number;
  name: string;
  result: string;
  failedSteps: { number: number; name: string; result: string }[];
}

/** The latest attempt of a workflow run. */
export interface CiRun {
  id: number;
  name: string;
  event: string;
  branch: string | null;
  sha: string;
  result: string;
  attempt: number;
  jobs: CiJob[];
  unread: number;
}

/** What a check is for who asks whether all is well. */
export type CheckOutcome = 'failed' | 'pending' | 'passed' | 'neutral';

const outcomes: Record<string, CheckOutcome | undefined> = {
  success: 'passed',
  neutral: 'neutral',
  skipped: 'neutral',
  // GitHub's ways to say that something ended and did not pass; `error` is a commit status's.
  ...Object.fromEntries(
    ['failure', 'cancelled', 'timed_out', 'action_required', 'startup_failure', 'stale', 'error'].map(
      (result) => [result, 'failed'],
    ),
  ),
};

/** Whatever is not known to have ended is pending: `queued`, `waiting`, `in_progress`. */
export function outcomeOf(result: string): CheckOutcome {
  return (Object.hasOwn(outcomes, result) && outcomes[result]) || 'pending';
}
