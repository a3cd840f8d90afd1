/** Payloads of events about an issue or pull request and what is written on it. */
import type { WebhookEvent } from '../deliveries.ts';
import type { Comment, PullRequest, Review, ReviewComment, Subject, User } from '../model.ts';
import { renderComment, renderIssue } from '../render/issue.ts';
import { renderFullPull, renderPull, renderReview, renderReviewComment } from '../render/pull.ts';
import { renderLabel } from '../render/repository.ts';
import { renderUser } from '../render/user.ts';
import { followBranch } from '../state/pulls.ts';
import { ensureLabel } from '../state/repositories.ts';
import type { Store } from '../store.ts';
import { type EventOptions, frame, type SubjectEventOptions } from './frame.ts';

export function subjectEvents(store: Store) {
  return {
    ...reviewEvents(store),
    /** @param action `created`, `edited` or `deleted` */
    async issueComment(
      comment: Comment,
      action = 'created',
      options: SubjectEventOptions = {},
    ): Promise<WebhookEvent> {
      const { subject } = comment;
      const payload = {
        action,
        ...(action === 'edited' ? { changes: bodyChange(options, comment) } : {}),
        issue: renderIssue(store, subject),
        comment: renderComment(store, comment),
        ...frame(store, subject.repository, authorOf(store, comment), options),
      };
      return { name: 'issue_comment', payload };
    },

    /** @param action `opened`, `edited`, `labeled`, `unlabeled`, `assigned`, `unassigned`, `closed`, … */
    async issues(
      issue: Subject,
      action = 'opened',
      options: SubjectEventOptions = {},
    ): Promise<WebhookEvent> {
      const payload = {
        action,
        issue: renderIssue(store, issue),
        ...particulars(store, issue, action, options),
        ...frame(store, issue.repository, authorOf(store, issue), options),
      };
      return { name: 'issues', payload };
    },

    /**
     * @param action `opened`, `synchronize`, `labeled`, `assigned`, `ready_for_review`, `closed`, …
     * @param options `before` is the former head of a `synchronize`; `target` makes it `pull_request_target`.
     */
    async pullRequest(
      pull: PullRequest,
      action = 'opened',
      options: SubjectEventOptions & { target?: boolean; before?: string } = {},
    ): Promise<WebhookEvent> {
      const payload = {
        action,
        number: pull.number,
        pull_request: await renderFullPull(store, pull),
        ...(action === 'synchronize'
          ? { before: options.before ?? pull.base.sha, after: pull.head.sha }
          : {}),
        ...particulars(store, pull, action, options),
        ...frame(store, pull.repository, authorOf(store, pull), options),
      };
      return { name: options.target ? 'pull_request_target' : 'pull_request', payload };
    },
  };
}

function reviewEvents(store: Store) {
  return {
    /** @param action `submitted`, `edited` or `dismissed` */
    async pullRequestReview(
      review: Review,
      action = 'submitted',
      options: SubjectEventOptions = {},
    ): Promise<WebhookEvent> {
      await followBranch(review.pull);
      const rendered = {
        ...renderReview(store, review),
        state: review.state.toLowerCase(),
        body: review.body || null,
      };
      const payload = {
        action,
        ...(action === 'edited' ? { changes: bodyChange(options, review) } : {}),
        review: rendered,
        pull_request: renderPull(store, review.pull),
        ...frame(store, review.pull.repository, authorOf(store, review), options),
      };
      return { name: 'pull_request_review', payload };
    },

    /** @param action `created`, `edited` or `deleted` */
    async pullRequestReviewComment(
      comment: ReviewComment,
      action = 'created',
      options: SubjectEventOptions = {},
    ): Promise<WebhookEvent> {
      const { pull } = comment.thread;
      await followBranch(pull);
      const payload = {
        action,
        ...(action === 'edited' ? { changes: bodyChange(options, comment) } : {}),
        comment: renderReviewComment(store, comment),
        pull_request: renderPull(store, pull),
        ...frame(store, pull.repository, authorOf(store, comment), options),
      };
      return { name: 'pull_request_review_comment', payload };
    },
  };
}

/** Who an event is by unless it is told otherwise. */
function authorOf(store: Store, written: { author: User | null }): User {
  return written.author ?? store.user('ghost');
}

/** `label`, `assignee` or `changes`, where the action has one. */
function particulars(store: Store, subject: Subject, action: string, options: SubjectEventOptions) {
  if (action === 'labeled' || action === 'unlabeled') {
    const named = options.label ?? subject.labels.at(-1);
    if (!named) throw new Error(`A ${action} event needs a label.`);
    const label = typeof named === 'string' ? ensureLabel(store, subject.repository, named) : named;
    return { label: renderLabel(store, label) };
  }
  if (action === 'assigned' || action === 'unassigned') {
    const assignee = options.assignee ? store.user(options.assignee) : subject.assignees.at(-1);
    if (!assignee) throw new Error(`A ${action} event needs an assignee.`);
    return { assignee: renderUser(store, assignee) };
  }
  if (action !== 'edited') return {};
  const title = options.formerTitle === undefined ? {} : { title: { from: options.formerTitle } };
  const body =
    options.formerTitle !== undefined && options.formerBody === undefined ? {} : bodyChange(options, subject);
  return { changes: { ...title, ...body } };
}

/** The former text: as told, or the last but one state that is remembered. */
function bodyChange(
  options: EventOptions & { formerBody?: string },
  text: { body: string; history: { body: string }[] },
) {
  return { body: { from: options.formerBody ?? text.history.at(-2)?.body ?? text.body } };
}
