/** Answers what a prompt alone lets Claude ask for on a discussion: what people wrote there, and nothing written since. */
import { readDiscussion } from '../../context/discussion.ts';
import { discussionAnswer } from '../../prompt/discussion.ts';
import type { TrackingComment } from '../../report/comment.ts';
import type { Discussion } from '../../words/event.ts';
import type { Task } from '../../words/task.ts';
import type { DiscussionThread } from '../../words/thread.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';
import { newMarkers } from '../markers.ts';

export interface DiscussionAnswersRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** This run's own, which is no material. */
  comment: TrackingComment | null;
}

/** Read once, when it is first asked for. */
export function discussionAnswers(
  { door, task, connection, comment }: DiscussionAnswersRequest,
  discussion: Discussion,
): (page: number) => Promise<string> {
  const markers = newMarkers();
  const read = (): Promise<DiscussionThread> =>
    readDiscussion({
      graphql: connection.client.graphql,
      discussion,
      item: task.trigger.kind === 'prompt' ? (task.trigger.item ?? null) : null,
      triggeredAt: task.triggeredAt,
      include: door.config.includeCommentsByActor,
      exclude: door.config.excludeCommentsByActor,
      trackingCommentId: comment?.ref()?.id ?? null,
    });
  let thread: Promise<DiscussionThread> | null = null;
  return async (page) => {
    thread ??= read();
    // What failed is tried again when it is asked for again.
    thread.catch(() => {
      thread = null;
    });
    return discussionAnswer(await thread, markers, page);
  };
}
