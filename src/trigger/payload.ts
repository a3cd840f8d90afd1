/** The fields of webhook payloads that Forgehand reads, as one small zod schema per event; all other fields pass unread. */
import { z } from 'zod';

/** GitHub sends null for a deleted account. */
const user = z
  .object({ login: z.string().min(1), id: z.number().nullish(), type: z.string().nullish() })
  .nullish();

/** The name becomes part of URLs and file paths later: nothing but GitHub's own alphabet, and no `..` that climbs. */
export const fullName = z.string().regex(/^(?!\.+\/)[\w.-]+\/(?!\.+$)[\w.-]+$/, 'must be `owner/name`');

/** Context is cut at this moment; one that cannot be compared would let everything through. */
const moment = z.string().refine((value) => !Number.isNaN(Date.parse(value)), 'must be an ISO 8601 moment');

const written = {
  id: z.number(),
  node_id: z.string().nullish(),
  user,
  author_association: z.string().nullish(),
  body: z.string().nullish(),
  html_url: z.string(),
  updated_at: moment.nullish(),
};

const subject = {
  ...written,
  created_at: moment,
  number: z.int().positive(),
  title: z.string(),
  // issues that were pinned or unpinned come without it
  state: z.enum(['open', 'closed']).nullish(),
  labels: z.array(z.object({ name: z.string() })).nullish(),
};

const issue = z.object({ ...subject, pull_request: z.looseObject({}).nullish() });

const pullRequest = z.object({
  ...subject,
  head: z.object({
    ref: z.string(),
    sha: z.string(),
    // null once the fork is deleted
    repo: z.object({ full_name: fullName }).nullish(),
  }),
  base: z.object({ ref: z.string(), sha: z.string() }),
});

const comment = z.object({ ...written, created_at: moment });

const reviewComment = z.object({
  ...written,
  created_at: moment,
  path: z.string(),
  line: z.number().nullish(),
  diff_hunk: z.string().nullish(),
  pull_request_review_id: z.number().nullish(),
  in_reply_to_id: z.number().nullish(),
});

const review = z.object({ ...written, submitted_at: moment.nullish() });

const former = z.object({ from: z.string().nullish() }).nullish();
const changes = z.object({ body: former, title: former }).nullish();

const common = {
  action: z.string().nullish(),
  repository: z
    .object({ full_name: fullName, default_branch: z.string().nullish(), private: z.boolean().nullish() })
    .nullish(),
  sender: user,
};

const moved = { changes, label: z.object({ name: z.string() }).nullish(), assignee: user };

const otherEvent = z.object(common);
const issuesEvent = z.object({ ...common, ...moved, issue });
const pullRequestEvent = z.object({ ...common, ...moved, pull_request: pullRequest });

const byEvent: Record<string, z.ZodType<Payload>> = {
  issues: issuesEvent,
  issue_comment: z.object({ ...common, issue, comment, changes }),
  pull_request: pullRequestEvent,
  pull_request_target: pullRequestEvent,
  pull_request_review: z.object({ ...common, pull_request: pullRequest, review, changes }),
  pull_request_review_comment: z.object({
    ...common,
    pull_request: pullRequest,
    comment: reviewComment,
    changes,
  }),
  repository_dispatch: z.object({ ...common, client_payload: z.record(z.string(), z.unknown()).nullish() }),
  workflow_run: z.object({ ...common, workflow_run: z.object({ actor: user }) }),
};

export type PayloadUser = z.output<typeof user>;
export type PayloadSubject = z.output<typeof issue> &
  Partial<Pick<z.output<typeof pullRequest>, 'head' | 'base'>>;
/** A comment, a review comment or a review. */
export type PayloadItem = z.output<typeof comment> | z.output<typeof reviewComment> | z.output<typeof review>;

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
  workflow_run?: { actor?: PayloadUser };
}

/** The schema of an event's payload; an event that Forgehand does not know is read for repository and sender only. */
export function payloadSchema(event: string): z.ZodType<Payload> {
  return Object.hasOwn(byEvent, event) ? byEvent[event]! : otherEvent;
}
