/** The fields of webhook payloads that Forgehand reads, as one small zod schema per event; all other fields pass unread. */

import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';

// The small zod has no words of its own.
z.config(en());

/** GitHub sends null for a deleted account. */
const user = z.nullish(
  z.object({
    login: z.string().check(z.minLength(1)),
    id: z.nullish(z.number()),
    type: z.nullish(z.string()),
  }),
);

/** The name becomes part of URLs and file paths later: nothing but GitHub's own alphabet, and no `..` that climbs. */
export const fullName = z
  .string()
  .check(z.regex(/^(?!\.+\/)[\w.-]+\/(?!\.+$)[\w.-]+$/, 'must be `owner/name`'));

/** Context is cut at this moment; one that cannot be compared would let everything through. */
const moment = z
  .string()
  .check(z.refine((value) => !Number.isNaN(Date.parse(value)), 'must be an ISO 8601 moment'));

const written = {
  id: z.number(),
  node_id: z.nullish(z.string()),
  user,
  author_association: z.nullish(z.string()),
  body: z.nullish(z.string()),
  html_url: z.string(),
  updated_at: z.nullish(moment),
};

const subject = {
  ...written,
  created_at: moment,
  number: z.int().check(z.positive()),
  title: z.string(),
  // issues that were pinned or unpinned come without it
  state: z.nullish(z.enum(['open', 'closed'])),
  labels: z.nullish(z.array(z.object({ name: z.string() }))),
};

const issue = z.object({ ...subject, pull_request: z.nullish(z.looseObject({})) });

const pullRequest = z.object({
  ...subject,
  head: z.object({
    ref: z.string(),
    sha: z.string(),
    // null once the fork is deleted
    repo: z.nullish(z.object({ full_name: fullName })),
  }),
  base: z.object({ ref: z.string(), sha: z.string() }),
});

const comment = z.object({ ...written, created_at: moment });

const reviewComment = z.object({
  ...written,
  created_at: moment,
  path: z.string(),
  line: z.nullish(z.number()),
  start_line: z.nullish(z.number()),
  // where the lines are in the commit that was commented on, of which the newest may know nothing
  original_line: z.nullish(z.number()),
  original_start_line: z.nullish(z.number()),
  diff_hunk: z.nullish(z.string()),
  pull_request_review_id: z.nullish(z.number()),
  in_reply_to_id: z.nullish(z.number()),
});

const discussion = z.object({
  ...written,
  // what an answer is posted to
  node_id: z.string(),
  created_at: moment,
  number: z.int().check(z.positive()),
  title: z.string(),
});

const discussionComment = z.object({
  ...written,
  node_id: z.string(),
  created_at: moment,
  parent_id: z.nullish(z.number()),
});

const review = z.object({ ...written, submitted_at: z.nullish(moment) });

const former = z.nullish(z.object({ from: z.nullish(z.string()) }));
const changes = z.nullish(z.object({ body: former, title: former }));

const repository = z.object({
  id: z.nullish(z.number()),
  full_name: fullName,
  default_branch: z.nullish(z.string()),
  private: z.nullish(z.boolean()),
});
const common = { action: z.nullish(z.string()), repository: z.nullish(repository), sender: user };

const moved = { changes, label: z.nullish(z.object({ name: z.string() })), assignee: user };

const sha = z.string().check(z.regex(/^[0-9a-f]{40,64}$/, 'must be the hash of a commit'));
const checked = {
  head_sha: sha,
  status: z.nullish(z.string()),
  conclusion: z.nullish(z.string()),
  pull_requests: z.nullish(
    z.array(z.object({ number: z.number(), base: z.object({ repo: z.object({ id: z.number() }) }) })),
  ),
};
const named = { ...checked, id: z.number(), name: z.nullish(z.string()) };
const ofBranch = { head_branch: z.nullish(z.string()) };
const workflowRun = z.object({ ...named, ...ofBranch, actor: user });
const checkSuite = z.object({
  ...checked,
  ...ofBranch,
  app: z.nullish(z.object({ name: z.nullish(z.string()) })),
});
const checkRun = z.object({ ...named, check_suite: z.nullish(z.object(ofBranch)) });
const commitStatus = {
  sha,
  state: z.string(),
  context: z.string(),
  branches: z.nullish(z.array(z.object({ name: z.string() }))),
};

const otherEvent = z.object(common);
const pullRequestEvent = () => z.object({ ...common, ...moved, pull_request: pullRequest });

/** Made when they are needed: a run reads one event. */
const byEvent: Record<string, () => z.ZodMiniType<Payload>> = {
  issues: () => z.object({ ...common, ...moved, issue }),
  issue_comment: () => z.object({ ...common, issue, comment, changes }),
  pull_request: pullRequestEvent,
  pull_request_target: pullRequestEvent,
  pull_request_review: () => z.object({ ...common, pull_request: pullRequest, review, changes }),
  pull_request_review_comment: () =>
    z.object({ ...common, pull_request: pullRequest, comment: reviewComment, changes }),
  repository_dispatch: () =>
    z.object({ ...common, client_payload: z.nullish(z.record(z.string(), z.unknown())) }),
  workflow_run: () => z.object({ ...common, workflow_run: workflowRun }),
  check_suite: () => z.object({ ...common, check_suite: checkSuite }),
  check_run: () => z.object({ ...common, check_run: checkRun }),
  status: () => z.object({ ...common, ...commitStatus }),
  discussion: () => z.object({ ...common, changes, discussion }),
  discussion_comment: () => z.object({ ...common, changes, discussion, comment: discussionComment }),
  merge_group: () =>
    z.object({
      ...common,
      merge_group: z.object({
        base_ref: z.string().check(z.regex(/^refs\/heads\/./, 'must be `refs/heads/…`')),
      }),
    }),
};

export type PayloadUser = z.output<typeof user>;
export type PayloadSubject = z.output<typeof issue> &
  Partial<Pick<z.output<typeof pullRequest>, 'head' | 'base'>>;
/** A comment of any kind, or a review. */
export type PayloadItem =
  | z.output<typeof comment>
  | z.output<typeof reviewComment>
  | z.output<typeof discussionComment>
  | z.output<typeof review>;
export type PayloadDiscussion = z.output<typeof discussion>;

/** What any event may hold; which of it is there is settled by the event's own schema. */
export interface Payload extends z.output<typeof otherEvent> {
  issue?: PayloadSubject;
  pull_request?: PayloadSubject;
  comment?: PayloadItem;
  review?: PayloadItem;
  changes?: z.output<typeof changes>;
  label?: { name: string } | null;
  assignee?: PayloadUser;
  client_payload?: Record<string, unknown> | null;
  workflow_run?: z.output<typeof workflowRun>;
  check_suite?: z.output<typeof checkSuite>;
  check_run?: z.output<typeof checkRun>;
  /** These four are `status`'s own. */
  sha?: string;
  state?: string;
  context?: string;
  branches?: { name: string }[] | null;
  discussion?: PayloadDiscussion;
  merge_group?: { base_ref: string };
}

/** The schema of one thing that somebody wrote, which REST lists as webhooks bring it. */
export function writtenSchema(
  kind: 'issue_comment' | 'review_comment' | 'review',
): z.ZodMiniType<PayloadItem> {
  return { issue_comment: comment, review_comment: reviewComment, review }[kind];
}

/** The schema of an event's payload; an event that Forgehand does not know is read for repository and sender only. */
export function payloadSchema(event: string): z.ZodMiniType<Payload> {
  return Object.hasOwn(byEvent, event) ? byEvent[event]!() : otherEvent;
}
