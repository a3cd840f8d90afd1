/** GraphQL: the fields of the query root. */
import { canSee, loginOf } from '../access.ts';
import { nodeView } from './node.ts';
import { mayRead, repositoryNamed } from './permission.ts';
import { problem } from './problem.ts';
import { actorView, userView } from './view/actor.ts';
import { repositoryView } from './view/repository.ts';
import type { Request } from './view/view.ts';

export function queryRoot(request: Request): Record<string, unknown> {
  const { store, identity } = request;
  const person = (login: string, what: 'User' | 'Organization') => {
    const found = store.users.get(login.toLowerCase());
    if (found?.type === what) return found;
    throw problem(
      'NOT_FOUND',
      `Could not resolve to ${what === 'User' ? 'a User' : 'an Organization'} with the login of '${login}'.`,
    );
  };
  return {
    /** Apps see their bot here, with the login that REST uses. */
    viewer: () => userView(request, store.user(loginOf(identity)!)),
    repository: ({ owner, name }: { owner: string; name: string }) =>
      repositoryView(request, repositoryNamed(request, `${owner}/${name}`)),
    user: ({ login }: { login: string }) => userView(request, person(login, 'User')),
    organization: ({ login }: { login: string }) => actorView(request, person(login, 'Organization')),
    repositoryOwner: ({ login }: { login: string }) =>
      actorView(request, store.users.get(login.toLowerCase()) ?? null),
    node: ({ id }: { id: string }) => nodeView(request, id),
    // Of those that are not there each is null with an error of its own.
    nodes: ({ ids }: { ids: string[] }) => ids.map(async (id) => nodeView(request, id)),
    resource: ({ url }: { url: string }) => resource(request, url),
    rateLimit: () => ({
      limit: 5000,
      cost: 1,
      remaining: 4999,
      used: 1,
      nodeCount: 0,
      resetAt: new Date(Date.now() + 3_600_000).toISOString(),
    }),
  };
}

function resource(request: Request, url: string) {
  const match = /\/([^/]+\/[^/]+)\/(?:issues|pull)\/(\d+)/.exec(new URL(url).pathname);
  const repository = match && request.store.findRepository(match[1]!);
  if (!repository || !canSee(request.identity, repository)) return null;
  mayRead(request, repository, ['issues:read', 'pull_requests:read']);
  const subject = repository.subjects.get(Number(match[2]));
  return subject ? request.show(subject) : null;
}
