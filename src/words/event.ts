/** What GitHub said happened: the one shape that every door hands to the engine. */

/** One person or program as GitHub names it. `type` is GitHub's: `User`, `Bot`, `Organization` or `Mannequin`. */
export interface Actor {
  login: string;
  id?: number;
  type?: string;
}

/** A repository as the event names it. `defaultBranch` is absent where the event has none (for example `schedule`). */
export interface Repository {
  owner: string;
  name: string;
  defaultBranch?: string;
  private?: boolean;
}

/** The issue or pull request that an event is about. */
export interface Subject {
  kind: 'issue' | 'pull_request';
  number: number;
  nodeId?: string;
  title: string;
  body: string;
  author: Actor;
  authorAssociation?: string;
  state: 'open' | 'closed';
  labels: string[];
  htmlUrl: string;
  /** ISO 8601. */
  createdAt?: string;
  updatedAt?: string;
  /** Only where the payload itself carries the pull request (not in `issue_comment`). */
  head?: { ref: string; sha: string; repository: string | null };
  base?: { ref: string; sha: string };
}

/** The discussion that an event is about. It has no branch, and only GraphQL writes to it. */
export interface Discussion {
  number: number;
  nodeId: string;
  title: string;
  body: string;
  author: Actor;
  /** ISO 8601. */
  createdAt: string;
  htmlUrl: string;
}

/** The comment, review or body whose words started the run; its text is the event's, never refetched. */
export interface Item {
  kind:
    | 'issue_comment'
    | 'review_comment'
    | 'review'
    | 'issue'
    | 'pull_request'
    | 'discussion'
    | 'discussion_comment';
  id: number;
  nodeId?: string;
  author: Actor;
  authorAssociation?: string;
  body: string;
  htmlUrl: string;
  /** ISO 8601. */
  createdAt?: string;
  updatedAt?: string;
  /** Review comments only. */
  path?: string;
  line?: number | null;
  /** The first of several lines. */
  startLine?: number | null;
  diffHunk?: string;
  reviewId?: number | null;
  /** Comments of reviews and discussions: the comment that this one answers. */
  inReplyToId?: number | null;
}

/** A commit that something was run on, and what came of it, as `workflow_run` and the like tell. */
export interface CheckedCommit {
  sha: string;
  /** What ran: the workflow, the check, the context of the status. */
  name: string;
  /** `failure`, `success`; how far it is (`in_progress`) as long as that is not known. */
  result: string;
  /** Null where GitHub names none, as for a fork's. */
  branch: string | null;
  /** `workflow_run` only. */
  runId: number | null;
  /** Numbers of this repository's pull requests that have it as their head. */
  pullRequests: number[];
}

/**
 * One GitHub event. `payload` is the webhook payload (the file at `GITHUB_EVENT_PATH` *is* it), validated for the
 * fields that Forgehand uses; the other members are read out of it once, by `trigger/event.ts`.
 */
export interface GitHubEvent {
  name: string;
  action: string | null;
  /** `X-GitHub-Delivery` for a webhook; null in an Action. */
  deliveryId: string | null;
  repository: Repository;
  sender: Actor;
  subject: Subject | null;
  discussion?: Discussion;
  item: Item | null;
  /** `labeled`: the label's name. */
  label?: string;
  /** `assigned`: who was assigned. */
  assignee?: Actor;
  /** `edited`: the former text of what was edited. */
  formerBody?: string;
  formerTitle?: string;
  /** `repository_dispatch`: GitHub's `client_payload`, unchecked. */
  clientPayload?: Record<string, unknown>;
  /** `workflow_run`: who started the upstream run. */
  upstreamActor?: Actor;
  /** `workflow_run`, `check_suite`, `check_run`, `status`. */
  checked?: CheckedCommit;
  /** `merge_group`: the branch that the group is to be merged into. */
  mergesInto?: string;
  payload: Record<string, unknown>;
}
