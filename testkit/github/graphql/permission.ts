/** Who may read and write through GraphQL, by the same rules as REST. */
import { canSee, demand, type Need } from '../access.ts';
import type { Repository, Role } from '../model.ts';
import { problem, translated } from './problem.ts';
import type { Request } from './view/view.ts';

/** The repository, as far as it exists for the requester. @throws GraphQLError NOT_FOUND */
export function repositoryNamed(request: Request, name: string): Repository {
  // As GitHub does unless `followRenames` forbids it.
  const found = request.store.findRepository(name) ?? request.store.movedRepository(name);
  if (found && canSee(request.identity, found)) return found;
  throw problem('NOT_FOUND', `Could not resolve to a Repository with the name '${name}'.`);
}

/** @throws GraphQLError FORBIDDEN or NOT_FOUND */
export function mayRead(request: Request, repository: Repository, needs: Need[]): void {
  translated(() => demand(request.identity, repository, needs, 'read'));
}

/** @throws GraphQLError FORBIDDEN or NOT_FOUND */
export function mayWrite(
  request: Request,
  repository: Repository,
  needs: Need[],
  role: Role = 'write',
): void {
  translated(() => demand(request.identity, repository, needs, role));
}
