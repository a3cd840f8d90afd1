/** GraphQL mutations: reactions. */
import type { ReactionContent } from '../../model.ts';
import { react, unreact } from '../../state/written.ts';
import { nodeView, reactables, recordOf } from '../node.ts';
import { problem } from '../problem.ts';
import type { Request } from '../view/view.ts';
import { reactionFields, reactionNames, reactionView } from '../view/written.ts';
import { demandWrite, mutation, viewerOf } from './mutation.ts';

interface Input {
  subjectId: string;
  content: string;
}

export function reactionMutations(request: Request): Record<string, unknown> {
  const contentOf = (name: string) =>
    (Object.entries(reactionNames).find(([, graphql]) => graphql === name)?.[0] ?? '+1') as ReactionContent;
  const subjectOf = (id: string) => {
    const subject = recordOf(request, id, [...reactables]);
    demandWrite(request, subject);
    return subject;
  };
  return {
    addReaction: mutation(({ subjectId, content }: Input) => {
      const subject = subjectOf(subjectId);
      const { reaction } = react(request.store, subject, contentOf(content), viewerOf(request));
      return {
        reaction: reactionView(request, reaction),
        subject: () => nodeView(request, subjectId),
        reactionGroups: reactionFields(request, subject).reactionGroups,
      };
    }),
    removeReaction: mutation(({ subjectId, content }: Input) => {
      const subject = subjectOf(subjectId);
      const [viewer, wanted] = [viewerOf(request), contentOf(content)];
      const removed = unreact(subject, (reaction) => reaction.user === viewer && reaction.content === wanted);
      if (!removed) throw problem('UNPROCESSABLE', 'Could not remove reaction.');
      return { reaction: reactionView(request, removed), subject: () => nodeView(request, subjectId) };
    }),
  };
}
