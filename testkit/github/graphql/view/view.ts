/** What every view of a record needs. */
import type { Identity } from '../../access.ts';
import type { Kit } from '../../kit.ts';
import type {
  Comment,
  Discussion,
  DiscussionComment,
  Issue,
  Label,
  PullRequest,
  Reaction,
  Repository,
  Review,
  ReviewComment,
  ReviewThread,
  User,
} from '../../model.ts';
import type { Store } from '../../store.ts';

/** One GraphQL request. */
export interface Request {
  kit: Kit;
  store: Store;
  identity: Identity;
  /** The view of any record: views name one another in circles, so they meet here and not by import. */
  show(record: Shown): View | Promise<View> | null;
}

/** Records that have a view and a node id. */
export type Shown =
  | Comment
  | Discussion
  | DiscussionComment
  | Issue
  | Label
  | PullRequest
  | Reaction
  | Repository
  | Review
  | ReviewComment
  | ReviewThread
  | User;

/** Fields by GraphQL's names; functions are called with the field's arguments. */
export type View = { __typename: string } & Record<string, unknown>;
