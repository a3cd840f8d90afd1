/** How a task goes and ends: progress, conclusion, reason, result, and who is told. */

export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped';

/** The one closed list of reasons; empty on success. Outputs, comments, errors and deliveries use it alike. */
export const reasons = [
  'not_mentioned',
  'unsupported_event',
  'switched_off',
  'handed_over',
  'not_permitted',
  'own_activity',
  'invalid_input',
  'github_auth',
  'github_unavailable',
  'model_auth',
  'model_unavailable',
  'git_failed',
  'gate_refused',
  'sandbox_unavailable',
  'claude_crashed',
  'timed_out',
  'budget',
  'turns',
  'cancelled',
  'internal',
] as const;

export type Reason = (typeof reasons)[number];

/** One report of work under way. `message` is markdown, what the tracking comment's body shows. */
export interface Progress {
  status: 'queued' | 'in_progress';
  message: string;
  completedTasks?: string[];
  currentTask?: string;
}

/** What a run used. Costs are US dollars as Claude Code counts them; times are milliseconds. */
export interface Usage {
  /** Null when Claude Code did not come to say: of a process that was killed. */
  costUsd: number | null;
  turns: number;
  durationMs: number;
  /** Those from the cache included. */
  inputTokens: number;
  /** Null like the cost. */
  outputTokens: number | null;
}

/** Claude Code's own account, in which nothing is unknown. */
export interface FullUsage extends Usage {
  costUsd: number;
  outputTokens: number;
}

/** A branch that holds the task's commits. `commits` counts those that this run published. */
export interface PublishedBranch {
  name: string;
  base: string;
  sha: string;
  commits: number;
  /** `owner/repo` that the branch is in (a fork's for a fork pull request). */
  repository: string;
}

export interface Result {
  conclusion: Conclusion;
  reason: Reason | '';
  /** Claude's last words on success; what happened, in one or two sentences, otherwise. Markdown. */
  summary: string;
  /** What Claude said last, when it succeeded and yet `summary` has to say what went wrong after that. Markdown. */
  lastWords?: string;
  /** What the reader can do about it; empty on success. */
  remedy: string;
  /** Things worth knowing that did not change the conclusion (work kept as a patch, a second branch, …). */
  notes: string[];
  sessionId: string | null;
  branch: PublishedBranch | null;
  pullRequestUrl: string | null;
  /** Unset where no review was posted. */
  reviewUrl?: string;
  commentUrl: string | null;
  /** Unset where there is no comment. */
  commentId?: number;
  usage: Usage | null;
  structuredOutput?: unknown;
}

/**
 * Somebody who is told how the task goes: tracking comment, step summary, Progress API, dashboard.
 * The engine catches what a reporter throws: a failing one never fails the task.
 */
export interface Reporter {
  name: string;
  /** Called once, as soon as the task is granted. */
  started(): Promise<void>;
  progress(progress: Progress): Promise<void>;
  /** Called once with the terminal state, whatever the conclusion. */
  finished(result: Result): Promise<void>;
}
