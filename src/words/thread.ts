/** One issue or pull request, whole: what `context/` gathers and `prompt/` shows to Claude. */
import type { Actor } from './event.ts';

export interface ThreadComment {
  id: number;
  /** GraphQL's id; absent where it is not known. */
  nodeId?: string;
  author: Actor;
  authorAssociation: string;
  body: string;
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601 of the last edit; null when never edited. */
  editedAt: string | null;
  url: string;
}

export interface Review {
  id: number;
  nodeId?: string;
  author: Actor;
  authorAssociation: string;
  /** GitHub's: APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING. */
  state: string;
  body: string;
  createdAt: string;
  editedAt: string | null;
  url: string;
}

/** A comment on a line of the diff with its replies, oldest first. */
export interface ReviewThread {
  path: string;
  line: number | null;
  startLine: number | null;
  diffHunk: string;
  resolved: boolean;
  outdated: boolean;
  comments: (ThreadComment & { reviewId: number | null })[];
}

export interface ChangedFile {
  path: string;
  /** GitHub's: ADDED, MODIFIED, DELETED, RENAMED, COPIED, CHANGED. */
  change: string;
  additions: number;
  deletions: number;
}

export interface PullRequestFacts {
  base: { ref: string; sha: string };
  head: { ref: string; sha: string; repository: string | null };
  /** True when the head is in another repository. */
  fork: boolean;
  maintainerCanModify: boolean;
  draft: boolean;
  merged: boolean;
  additions: number;
  deletions: number;
  commits: { sha: string; headline: string; author: string }[];
  commitCount: number;
  files: ChangedFile[];
  reviews: Review[];
  reviewThreads: ReviewThread[];
  linkedIssues: { number: number; title: string }[];
  /** The head's combined check state (SUCCESS, FAILURE, PENDING, …); null when there are no checks. */
  checks: string | null;
}

export interface Thread {
  kind: 'issue' | 'pull_request';
  number: number;
  nodeId: string;
  title: string;
  body: string;
  author: Actor;
  authorAssociation: string;
  state: 'open' | 'closed';
  labels: string[];
  assignees: string[];
  milestone: string | null;
  createdAt: string;
  /** ISO 8601 of the description's last edit; null when never edited, absent where it is not known. */
  editedAt?: string | null;
  url: string;
  comments: ThreadComment[];
  pullRequest: PullRequestFacts | null;
  /** What was left out and why, for the prompt: later than the trigger, filtered by actor, minimised. */
  leftOut: { what: string; count: number; why: string }[];
  /** Repository facts that came with the same request. */
  defaultBranch: { name: string; sha: string | null };
}
