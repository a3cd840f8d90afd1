/** GraphQL: every mutation that the local GitHub knows. */
import type { Request } from '../view/view.ts';
import { commentMutations } from './comments.ts';
import { discussionMutations } from './discussions.ts';
import { gitMutations } from './git.ts';
import { reactionMutations } from './reactions.ts';
import { reviewMutations } from './reviews.ts';
import { subjectMutations } from './subjects.ts';

export function mutationRoot(request: Request): Record<string, unknown> {
  return {
    ...reactionMutations(request),
    ...commentMutations(request),
    ...discussionMutations(request),
    ...subjectMutations(request),
    ...reviewMutations(request),
    ...gitMutations(request),
  };
}
