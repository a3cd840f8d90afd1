/** One issue or pull request, whole: what `context/` gathers and `prompt/` shows to Claude. */
import type { Actor, Discussion } from './event.ts';

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

/** A check run or a commit status of one commit. */
export interface Check {
  name: string;
  /** What it came to, else how far it is: `failure`, `success`, `in_progress`. */
  result: string;
  /** A few words of the program that checks; empty for most. */
  title: string;
}

export interface Commit {
  sha: string;
  headline: string;
  author: string;
  /** ISO 8601, as the one who committed says. */
  committedAt: string;
  /** True when that is after the trigger. Only the trigger's view of a thread says so. */
  late?: boolean;
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
  commits: Commit[];
  commitCount: number;
  files: ChangedFile[];
  reviews: Review[];
  reviewThreads: ReviewThread[];
  linkedIssues: (Titled & { number: number })[];
  /** Those of the head, with GitHub's combined state (SUCCESS, FAILURE, PENDING, …); null when there are none. */
  checks: { state: string; list: Check[] } | null;
}

export interface LeftOut {
  what: string;
  count: number;
  why: string;
  /** How Claude can have it; absent where it cannot. */
  by?: string;
}

/** A title with the titles before it, the newest last; absent where they are not known. */
export interface Titled {
  title: string;
  /** @property at ISO 8601 of the moment from which on it was this one no more. */
  formerTitles?: { title: string; at: string }[];
}

export interface Thread extends Titled {
  kind: 'issue' | 'pull_request';
  number: number;
  nodeId: string;
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
  leftOut: LeftOut[];
  /** Repository facts that came with the same request. */
  defaultBranch: { name: string; sha: string | null };
}

/** A comment on a discussion, or a reply to one: then `replyTo` is the id of that one. */
export interface DiscussionReply extends ThreadComment {
  replyTo: number | null;
  isAnswer: boolean;
}

/** One discussion, whole, as of the trigger: each comment is followed by its replies. */
export interface DiscussionThread extends Discussion {
  comments: DiscussionReply[];
  leftOut: LeftOut[];
}
