/** Who may do what: the requester's identity, roles on repositories, and GitHub's refusals. */
import type { App } from './app-model.ts';
import type { Repository, Role, User } from './model.ts';
import { roles } from './model.ts';
import { HttpProblem } from './rest/problem.ts';
import type { Token } from './tokens.ts';

export type Identity = { kind: 'anonymous' } | { kind: 'token'; token: Token } | { kind: 'app'; app: App };

/** `issues:write`; several are alternatives, as pull request comments take either of two. */
export type Need = `${string}:${'read' | 'write' | 'admin'}`;

/** The role a user has, from ownership, collaboration, or the repository being public. */
export function roleOf(repository: Repository, user: User): Role {
  if (repository.owner === user) return 'admin';
  return repository.collaborators.get(user) ?? (repository.private ? 'none' : 'read');
}

export function atLeast(role: Role, wanted: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(wanted);
}

/** GitHub's `author_association`. */
export function associationOf(repository: Repository, user: User | null): string {
  if (!user) return 'NONE';
  if (repository.owner === user) return 'OWNER';
  if (!atLeast(repository.collaborators.get(user) ?? 'none', 'read')) return 'NONE';
  return repository.owner.type === 'Organization' ? 'MEMBER' : 'COLLABORATOR';
}

/** Whether the repository exists at all for the requester. */
export function canSee(identity: Identity, repository: Repository): boolean {
  if (!repository.private) return true;
  if (identity.kind !== 'token') return false;
  return reaches(identity.token, repository);
}

/** Whether the token is for this repository: by its list, its installation, or its user's role. */
export function reaches(token: Token, repository: Repository): boolean {
  if (token.repositories && !token.repositories.has(repository)) return false;
  if (token.kind === 'pat') return atLeast(roleOf(repository, token.user), 'read');
  if (token.installation) {
    const { account, repositories } = token.installation;
    return account === repository.owner && (!repositories || repositories.has(repository));
  }
  return token.repositories !== null;
}

/** Whether the token's own permissions include one of the alternatives. */
export function grants(token: Token, needs: Need[]): boolean {
  const permissions = token.permissions;
  if (!permissions) return true;
  const levels = ['read', 'write', 'admin'];
  return needs.some((need) => {
    const [name, level] = need.split(':') as [string, string];
    if (name === 'metadata' && level === 'read') return true;
    return levels.indexOf(permissions[name] ?? '') >= levels.indexOf(level);
  });
}

/**
 * Refuses as GitHub does when the requester may not.
 * @param role what a person (not an App) must be on the repository to write.
 * @throws HttpProblem 401, 403 or 404
 */
export function demand(identity: Identity, repository: Repository, needs: Need[], role: Role): void {
  const writes = needs.every((need) => !need.endsWith(':read'));
  if (!canSee(identity, repository)) throw new HttpProblem(404, 'Not Found');
  if (identity.kind !== 'token') {
    if (writes) throw new HttpProblem(401, 'Requires authentication');
    return;
  }
  const { token } = identity;
  if (!writes && !repository.private) return;
  const refusal =
    token.kind === 'pat'
      ? 'Resource not accessible by personal access token'
      : 'Resource not accessible by integration';
  if (!grants(token, needs) || !reaches(token, repository)) throw new HttpProblem(403, refusal);
  if (token.kind === 'pat' && writes && !atLeast(roleOf(repository, token.user), role)) {
    throw new HttpProblem(403, 'Must have admin rights to Repository.');
  }
}

/** Apps need a permission of its own to write workflow files. @throws HttpProblem 403 */
export function demandWorkflows(identity: Identity, paths: string[]): void {
  const permissions = identity.kind === 'token' ? identity.token.permissions : null;
  const workflow = paths.find((path) => path.startsWith('.github/workflows/'));
  if (!workflow || !permissions || permissions.workflows === 'write') return;
  throw new HttpProblem(
    403,
    `refusing to allow a GitHub App to create or update workflow \`${workflow}\` without \`workflows\` permission`,
  );
}

/** The login that a request acts as; null for nobody. */
export function loginOf(identity: Identity): string | null {
  if (identity.kind === 'token') return identity.token.user.login;
  return identity.kind === 'app' ? identity.app.bot.login : null;
}
