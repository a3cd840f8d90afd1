/** GraphQL mutations: comments on discussions. */
import { commentOnDiscussion } from '../../state/discussions.ts';
import { edit } from '../../state/written.ts';
import { recordOf } from '../node.ts';
import { problem } from '../problem.ts';
import { discussionCommentView } from '../view/discussion.ts';
import type { Request } from '../view/view.ts';
import { demandLength } from './comments.ts';
import { demandWrite, mutation, viewerOf } from './mutation.ts';

interface NewComment {
  discussionId: string;
  body: string;
  replyToId?: string | null;
}

export function discussionMutations(request: Request): Record<string, unknown> {
  return {
    addDiscussionComment: mutation(({ discussionId, body, replyToId }: NewComment) => {
      const discussion = recordOf(request, discussionId, ['discussion']);
      demandWrite(request, discussion);
      demandLength(body);
      const replyTo = replyToId ? recordOf(request, replyToId, ['discussionComment']) : null;
      if (replyTo?.replyTo)
        throw problem('UNPROCESSABLE', 'Parent comment is already in a thread, cannot reply to it');
      const author = viewerOf(request).login;
      const comment = commentOnDiscussion(request.store, discussion, { body, author, replyTo });
      return { comment: discussionCommentView(request, comment) };
    }),
    updateDiscussionComment: mutation(({ commentId, body }: { commentId: string; body: string }) => {
      const comment = recordOf(request, commentId, ['discussionComment']);
      demandWrite(request, comment);
      demandLength(body);
      edit(comment, body, viewerOf(request).login);
      return { comment: discussionCommentView(request, comment) };
    }),
  };
}
