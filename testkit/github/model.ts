/** The records that the local GitHub remembers: what every answer, payload and page is drawn from. */

import type { Hook } from './hook-model.ts';

/** A person's permission on one repository, weakest first. */
export const roles = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Role = (typeof roles)[number];

export const reactionContents = [
  '+1',
  '-1',
  'laugh',
  'confused',
  'heart',
  'hooray',
  'rocket',
  'eyes',
] as const;
export type ReactionContent = (typeof reactionContents)[number];

/** All times are ISO 8601 in UTC with seconds, as GitHub writes them. */
export type Time = string;

/** `login` is REST's: a bot's ends in `[bot]`. */
export interface User {
  kind: 'user';
  id: number;
  nodeId: string;
  login: string;
  name: string | null;
  type: 'User' | 'Bot' | 'Organization';
  createdAt: Time;
}

export interface Label {
  kind: 'label';
  id: number;
  nodeId: string;
  name: string;
  color: string;
  description: string | null;
  repository: Repository;
}

export interface Milestone {
  kind: 'milestone';
  id: number;
  nodeId: string;
  number: number;
  title: string;
  creator: User;
  createdAt: Time;
  repository: Repository;
}

export interface Repository {
  kind: 'repository';
  id: number;
  nodeId: string;
  owner: User;
  name: string;
  description: string | null;
  private: boolean;
  defaultBranch: string;
  /** The bare repository on disk. */
  directory: string;
  parent: Repository | null;
  collaborators: Map<User, Role>;
  labels: Label[];
  milestones: Milestone[];
  /** Issues and pull requests share their numbers, as on GitHub. */
  subjects: Map<number, Subject>;
  /** These too. */
  discussions: Map<number, Discussion>;
  checks: CheckRun[];
  statuses: CommitStatus[];
  runs: WorkflowRun[];
  hooks: Hook[];
  /** Branches that refuse every push. */
  protectedBranches: Set<string>;
  createdAt: Time;
  updatedAt: Time;
}

export interface Reaction {
  kind: 'reaction';
  id: number;
  nodeId: string;
  content: ReactionContent;
  user: User;
  createdAt: Time;
}

/** One state that a text was in, oldest first; the last one is the present. */
interface Revision {
  body: string;
  at: Time;
  by: string;
}

/** What everything written has in common. `author` null is a deleted account ("ghost"). */
export interface Written {
  id: number;
  nodeId: string;
  author: User | null;
  authorAssociation: string;
  body: string;
  createdAt: Time;
  updatedAt: Time;
  lastEditedAt: Time | null;
  history: Revision[];
  reactions: Reaction[];
  /** Why it is hidden (`SPAM`, `OUTDATED`, …); null when shown. */
  minimized: string | null;
  deleted: boolean;
}

export interface IssueEvent {
  id: number;
  nodeId: string;
  event:
    | 'labeled'
    | 'unlabeled'
    | 'assigned'
    | 'unassigned'
    | 'closed'
    | 'reopened'
    | 'merged'
    | 'renamed'
    | 'locked';
  actor: User;
  createdAt: Time;
  label?: Label;
  assignee?: User;
  rename?: { from: string; to: string };
}

interface SubjectFields extends Written {
  repository: Repository;
  number: number;
  title: string;
  state: 'open' | 'closed';
  locked: boolean;
  labels: Label[];
  assignees: User[];
  milestone: Milestone | null;
  /** In the order of creation; deleted ones stay, marked. */
  comments: Comment[];
  events: IssueEvent[];
  closedAt: Time | null;
  closedBy: User | null;
}

export interface Issue extends SubjectFields {
  kind: 'issue';
  stateReason: 'completed' | 'not_planned' | 'reopened' | null;
}

export interface PullRequest extends SubjectFields {
  kind: 'pull';
  /** The id of the issue beside the pull request: REST's issue routes answer with it. */
  issueId: number;
  base: { ref: string; sha: string };
  /** `repository` null: the fork was deleted. `sha` stays when the branch goes. */
  head: { ref: string; sha: string; repository: Repository | null; owner: User };
  draft: boolean;
  maintainerCanModify: boolean;
  mergedAt: Time | null;
  mergedBy: User | null;
  mergeCommitSha: string | null;
  reviews: Review[];
  threads: ReviewThread[];
  requestedReviewers: User[];
}

export type Subject = Issue | PullRequest;

export interface Comment extends Written {
  kind: 'comment';
  subject: Subject;
}

/** Its comments have one level of replies. */
export interface Discussion extends Written {
  kind: 'discussion';
  repository: Repository;
  number: number;
  title: string;
  category: string;
  /** Top-level ones and replies, in the order of creation; deleted ones stay, marked. */
  comments: DiscussionComment[];
}

export interface DiscussionComment extends Written {
  kind: 'discussionComment';
  discussion: Discussion;
  /** The top-level comment that this one answers. */
  replyTo: DiscussionComment | null;
}

export type ReviewState = 'PENDING' | 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED';

export interface Review extends Written {
  kind: 'review';
  pull: PullRequest;
  state: ReviewState;
  commitId: string;
  submittedAt: Time | null;
  comments: ReviewComment[];
}

export type Side = 'LEFT' | 'RIGHT';

export interface ReviewThread {
  kind: 'thread';
  id: number;
  nodeId: string;
  pull: PullRequest;
  path: string;
  line: number | null;
  startLine: number | null;
  originalLine: number | null;
  originalStartLine: number | null;
  side: Side;
  subjectType: 'line' | 'file';
  resolvedBy: User | null;
  outdated: boolean;
  comments: ReviewComment[];
}

export interface ReviewComment extends Written {
  kind: 'reviewComment';
  thread: ReviewThread;
  review: Review;
  diffHunk: string;
  commitId: string;
  inReplyTo: ReviewComment | null;
}

/** What can be reacted to, and what can be edited. */
export type Reactable = Subject | Comment | Review | ReviewComment | Discussion | DiscussionComment;

export interface CheckRun {
  kind: 'checkRun';
  id: number;
  nodeId: string;
  headSha: string;
  name: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  startedAt: Time;
  completedAt: Time | null;
  detailsUrl: string | null;
  title: string | null;
  summary: string | null;
  /** Its check suite; one of its own when absent. What a job makes by itself has that of a workflow run. */
  suite?: number;
}

export interface CommitStatus {
  id: number;
  nodeId: string;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: User;
  createdAt: Time;
}

/** Tests finish a run by writing to its `status` and `conclusion`. */
export interface WorkflowRun {
  id: number;
  nodeId: string;
  name: string;
  /** What the workflow's `run-name` gave; null: the subject of the commit, or the name. */
  displayTitle: string | null;
  path: string;
  event: string;
  status: string;
  conclusion: string | null;
  headBranch: string;
  headSha: string;
  runNumber: number;
  actor: User;
  createdAt: Time;
  jobs: Job[];
}

export interface Job {
  id: number;
  nodeId: string;
  name: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  log: string;
  steps: { name: string; conclusion: string | null }[];
  startedAt: Time;
}
