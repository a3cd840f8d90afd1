/** GraphQL mutations: comments on issues and pull requests. */
import type { Comment, Review, ReviewComment } from '../../model.ts';
import { checkBodyLength } from '../../rest/problem.ts';
import { createComment } from '../../state/issues.ts';
import { edit } from '../../state/written.ts';
import { nodeView, recordOf } from '../node.ts';
import { problem, translated } from '../problem.ts';
import { commentView } from '../view/issue.ts';
import type { Request } from '../view/view.ts';
import { demandWrite, mutation, viewerOf } from './mutation.ts';

export function commentMutations(request: Request): Record<string, unknown> {
  const minimizable = (id: string): Comment | Review | ReviewComment => {
    const found = recordOf(request, id, ['comment', 'review', 'reviewComment']);
    demandWrite(request, found, 'triage');
    return found;
  };
  return {
    addComment: mutation(({ subjectId, body }: { subjectId: string; body: string }) => {
      const subject = recordOf(request, subjectId, ['issue', 'pull']);
      demandWrite(request, subject);
      demandLength(body);
      const comment = createComment(request.store, subject, { body, author: viewerOf(request).login });
      return {
        commentEdge: { cursor: '', node: commentView(request, comment) },
        subject: () => request.show(subject),
      };
    }),
    updateIssueComment: mutation(({ id, body }: { id: string; body: string }) => {
      const comment = recordOf(request, id, ['comment']);
      demandWrite(request, comment);
      demandLength(body);
      edit(comment, body, viewerOf(request).login);
      return { issueComment: commentView(request, comment) };
    }),
    deleteIssueComment: mutation(({ id }: { id: string }) => {
      const comment = recordOf(request, id, ['comment']);
      demandWrite(request, comment);
      comment.deleted = true;
      return {};
    }),
    minimizeComment: mutation(({ subjectId, classifier }: { subjectId: string; classifier: string }) => {
      minimizable(subjectId).minimized = classifier;
      return { minimizedComment: nodeView(request, subjectId) };
    }),
    unminimizeComment: mutation(({ subjectId }: { subjectId: string }) => {
      minimizable(subjectId).minimized = null;
      return { unminimizedComment: nodeView(request, subjectId) };
    }),
  };
}

/** @throws GraphQLError UNPROCESSABLE */
export function demandLength(body: string): void {
  if (body.trim() === '') throw problem('UNPROCESSABLE', "Body can't be blank");
  translated(() => checkBodyLength('Comment', body));
}
