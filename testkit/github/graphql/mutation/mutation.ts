/** What mutations have in common: the input, who acts, and the permission on what is written to. */
import { loginOf, type Need } from '../../access.ts';
import type { Reactable, User } from '../../model.ts';
import { repositoryBehind } from '../node.ts';
import { mayWrite } from '../permission.ts';
import { problem } from '../problem.ts';
import type { Request } from '../view/view.ts';

/** A mutation's resolver over its `input`; `clientMutationId` is given back by itself. */
export function mutation<I>(run: (input: I) => Record<string, unknown> | Promise<Record<string, unknown>>) {
  return async ({ input }: { input: I & { clientMutationId?: string | null } }) => ({
    clientMutationId: input.clientMutationId ?? null,
    ...(await run(input)),
  });
}

/** @throws GraphQLError when nobody is signed in */
export function viewerOf(request: Request): User {
  const login = loginOf(request.identity);
  if (!login) throw problem('FORBIDDEN', 'Requires authentication');
  return request.store.user(login);
}

/** Issues and their comments take the issues permission; pull requests and discussions take their own. */
export function demandWrite(
  request: Request,
  record: Reactable,
  role: 'read' | 'triage' | 'write' = 'read',
): void {
  mayWrite(request, repositoryBehind(record)!, needsOf(record), role);
}

function needsOf({ kind }: Reactable): Need[] {
  if (kind === 'review' || kind === 'reviewComment') return ['pull_requests:write'];
  if (kind === 'discussion' || kind === 'discussionComment') return ['discussions:write'];
  return ['issues:write', 'pull_requests:write'];
}
