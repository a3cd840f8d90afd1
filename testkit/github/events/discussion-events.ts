/** Payloads of events about a discussion and what is written there. */
import type { WebhookEvent } from '../deliveries.ts';
import type { Discussion, DiscussionComment } from '../model.ts';
import { renderDiscussion, renderDiscussionComment } from '../render/discussion.ts';
import type { Store } from '../store.ts';
import { type EventOptions, frame } from './frame.ts';

export function discussionEvents(store: Store) {
  return {
    /** @param action `created`, `edited`, `labeled`, `answered`, … */
    async discussion(
      discussion: Discussion,
      action = 'created',
      options: EventOptions = {},
    ): Promise<WebhookEvent> {
      const sender = discussion.author ?? store.user('ghost');
      const rest = frame(store, discussion.repository, sender, options);
      const payload = { action, discussion: renderDiscussion(store, discussion), ...rest };
      return { name: 'discussion', payload };
    },

    /** @param action `created`, `edited` or `deleted` */
    async discussionComment(
      comment: DiscussionComment,
      action = 'created',
      options: EventOptions = {},
    ): Promise<WebhookEvent> {
      const { discussion } = comment;
      const sender = comment.author ?? store.user('ghost');
      const payload = {
        action,
        comment: renderDiscussionComment(store, comment),
        discussion: renderDiscussion(store, discussion),
        ...frame(store, discussion.repository, sender, options),
      };
      return { name: 'discussion_comment', payload };
    },
  };
}
