/** The typed methods by which tests and the demo fill and change a local GitHub. */
import { attach } from './attachments.ts';
import type {
  CheckRun,
  Comment,
  CommitStatus,
  Discussion,
  DiscussionComment,
  Issue,
  PullRequest,
  Reactable,
  Reaction,
  ReactionContent,
  Repository,
  Review,
  ReviewComment,
  ReviewThread,
  Subject,
  User,
  WorkflowRun,
  Written,
} from './model.ts';
import { type RepositoryView, repositoryView } from './repository-view.ts';
import {
  createCheckRun,
  createStatus,
  createWorkflowRun,
  type NewCheckRun,
  type NewStatus,
  type NewWorkflowRun,
} from './state/checks.ts';
import { commentOnDiscussion, createDiscussion, type NewDiscussion } from './state/discussions.ts';
import {
  changeSubject,
  createComment,
  createIssue,
  type NewIssue,
  type SubjectChange,
  setAssignees,
  setLabels,
} from './state/issues.ts';
import { createPullRequest, mergePullRequest, type NewPullRequest } from './state/pulls.ts';
import { createRepository, forkRepository, type NewRepository } from './state/repositories.ts';
import {
  createReview,
  createReviewComment,
  type NewReview,
  type NewReviewComment,
  replyTo,
} from './state/reviews.ts';
import { edit, react, unreact, type Writing } from './state/written.ts';
import type { Store } from './store.ts';

/** `owner/name`, or what `createRepository` gave. */
export type RepositoryName = string | RepositoryView | Repository;

/** Who does it (login; the owner of the repository when absent) and when (now when absent). */
interface Act {
  by?: string;
  at?: Date | string;
}

export function authoring(store: Store) {
  const find = (of: RepositoryName): Repository => {
    if (typeof of === 'string') return store.repository(of);
    return 'record' in of ? of.record : of;
  };
  return {
    ...peopleAndRepositories(store, find),
    ...checksAndRuns(store, find),
    ...talk(store),
    ...changes(store),
    ...marks(store),

    createIssue: (of: RepositoryName, issue: NewIssue): Issue => createIssue(store, find(of), issue),
    createDiscussion: (of: RepositoryName, discussion: NewDiscussion): Discussion =>
      createDiscussion(store, find(of), discussion),
    /** Uploads a file; gives the address that a text names it by. */
    attach: (bytes: Uint8Array): string => attach(store, bytes),
    /** The branches must exist: `repository.addCommit` makes them. */
    createPullRequest: (of: RepositoryName, pull: NewPullRequest): Promise<PullRequest> =>
      createPullRequest(store, find(of), pull),
    merge: (pull: PullRequest, by?: string): Promise<string> =>
      mergePullRequest(store, pull, actorOf(store, pull, { by })),
  };
}

function peopleAndRepositories(store: Store, find: (of: RepositoryName) => Repository) {
  return {
    /** Unknown logins are made users on first mention; this is for a name, an id, or an organisation. */
    createUser: (options: { login: string; name?: string; type?: User['type']; id?: number }): User =>
      store.users.get(options.login.toLowerCase()) ?? store.addUser(options),
    user: (login: string): User => store.user(login),
    createRepository: async (options: NewRepository): Promise<RepositoryView> =>
      repositoryView(store, await createRepository(store, options)),
    fork: async (of: RepositoryName, owner: string, name?: string): Promise<RepositoryView> =>
      repositoryView(store, await forkRepository(store, find(of), owner, name)),
    /** @param name `owner/name` @throws when there is none */
    repository: (name: string): RepositoryView => repositoryView(store, store.repository(name)),
  };
}

function checksAndRuns(store: Store, find: (of: RepositoryName) => Repository) {
  return {
    createCheckRun: (of: RepositoryName, check: NewCheckRun): CheckRun =>
      createCheckRun(store, find(of), check),
    createStatus: (of: RepositoryName, status: NewStatus): CommitStatus =>
      createStatus(store, find(of), status),
    createWorkflowRun: (of: RepositoryName, run: NewWorkflowRun): WorkflowRun =>
      createWorkflowRun(store, find(of), run),
  };
}

/** Comments, reviews, replies. */
function talk(store: Store) {
  return {
    comment: (subject: Subject, writing: Writing): Comment => createComment(store, subject, writing),
    /** @param writing `replyTo`: the top-level comment whose thread it goes into. */
    discuss: (
      discussion: Discussion,
      writing: Writing & { replyTo?: DiscussionComment },
    ): DiscussionComment => commentOnDiscussion(store, discussion, writing),
    /** With `comments`, one thread each. */
    review: (pull: PullRequest, review: NewReview): Promise<Review> => createReview(store, pull, review),
    /** Starts a thread; the diff hunk is worked out from git when not given. */
    reviewComment: (pull: PullRequest, comment: NewReviewComment): Promise<ReviewComment> =>
      createReviewComment(store, pull, comment),
    reply: (comment: ReviewComment, writing: Writing): ReviewComment => replyTo(store, comment, writing),
    resolve: (thread: ReviewThread, by: string): void => {
      thread.resolvedBy = store.user(by);
    },
  };
}

/** What changes a text or a subject. */
function changes(store: Store) {
  return {
    /** Edits the body of anything written; the former text stays in `history`. */
    editBody: (text: Written, body: string, act: Act = {}): void =>
      edit(text, body, act.by ?? text.author?.login ?? 'ghost', act.at),
    /** The same, by the name that reads well for comments. */
    editComment: (comment: Comment | ReviewComment, body: string, act: Act = {}): void =>
      edit(comment, body, act.by ?? comment.author?.login ?? 'ghost', act.at),
    deleteComment: (comment: Comment | ReviewComment | DiscussionComment): void => {
      comment.deleted = true;
    },
    minimize: (text: Comment | Review | ReviewComment | DiscussionComment, reason = 'OUTDATED'): void => {
      text.minimized = reason;
    },
    change: (subject: Subject, change: SubjectChange, act: Act = {}): void =>
      changeSubject(store, subject, change, actorOf(store, subject, act)),
  };
}

/** Labels, assignees, reactions. */
function marks(store: Store) {
  return {
    addLabel: (subject: Subject, name: string, act: Act = {}): void =>
      setLabels(
        store,
        subject,
        [...subject.labels.map((label) => label.name), name],
        actorOf(store, subject, act),
        act.at,
      ),
    removeLabel: (subject: Subject, name: string, act: Act = {}): void => {
      const rest = subject.labels.map((label) => label.name).filter((own) => own !== name);
      setLabels(store, subject, rest, actorOf(store, subject, act), act.at);
    },
    assign: (subject: Subject, login: string, act: Act = {}): void =>
      setAssignees(
        store,
        subject,
        [...subject.assignees.map((user) => user.login), login],
        actorOf(store, subject, act),
        act.at,
      ),

    react: (subject: Reactable, content: ReactionContent, by: string): Reaction =>
      react(store, subject, content, store.user(by)).reaction,
    unreact: (subject: Reactable, content: ReactionContent, by: string): boolean =>
      unreact(subject, (reaction) => reaction.content === content && reaction.user.login === by) !==
      undefined,
    /** Who reacted how, in order. */
    reactions: (subject: Reactable): { content: ReactionContent; login: string }[] =>
      subject.reactions.map((reaction) => ({ content: reaction.content, login: reaction.user.login })),
  };
}

function actorOf(store: Store, subject: Subject, act: Act): User {
  return store.user(act.by ?? subject.repository.owner.login);
}
