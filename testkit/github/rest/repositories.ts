/** REST: repositories, their branches, collaborators' permissions, and dispatches. */
import { roleOf } from '../access.ts';
import { readCommit } from '../git/history.ts';
import { branchTip, listRefs } from '../git/refs.ts';
import type { Repository, Role } from '../model.ts';
import { renderCommit } from '../render/commit.ts';
import {
  renderFullRepository,
  renderLabel,
  renderPermissions,
  repositoryPage,
  repositoryUrl,
} from '../render/repository.ts';
import { renderUser } from '../render/user.ts';
import { fullName } from '../store.ts';
import { actor, type Call, noContent, ok, paginate, type Route, requiredText, textOf } from './call.ts';
import { HttpProblem } from './problem.ts';

const repository = '/repos/{owner}/{repo}';

export const repositoryRoutes: Route[] = [
  {
    method: 'GET',
    path: repository,
    need: ['metadata:read'],
    handle: (call) => ok(renderFullRepository(call.store, call.repository, requesterRole(call))),
  },
  { method: 'PATCH', path: repository, need: ['administration:write'], role: 'admin', handle: update },
  { method: 'DELETE', path: repository, need: ['administration:write'], role: 'admin', handle: remove },
  { method: 'GET', path: `${repository}/branches`, need: ['contents:read'], handle: branches },
  { method: 'GET', path: `${repository}/branches/{branch}`, need: ['contents:read'], handle: branch },
  {
    method: 'GET',
    path: `${repository}/collaborators/{username}/permission`,
    need: ['metadata:read'],
    handle: permission,
  },
  {
    method: 'GET',
    path: `${repository}/labels`,
    need: ['issues:read', 'pull_requests:read'],
    handle: (call) => paginate(call, call.repository.labels, (label) => renderLabel(call.store, label)),
  },
  { method: 'POST', path: `${repository}/dispatches`, need: ['contents:write'], handle: dispatch },
];

function requesterRole(call: Call): Role | undefined {
  if (call.identity.kind !== 'token') return undefined;
  const { token } = call.identity;
  if (token.kind === 'pat') return roleOf(call.repository, token.user);
  return token.permissions?.contents === 'write' ? 'write' : 'read';
}

function update(call: Call) {
  const { repository: changed, body } = call;
  changed.description = textOf(call, 'description') ?? changed.description;
  changed.defaultBranch = textOf(call, 'default_branch') ?? changed.defaultBranch;
  if (typeof body.private === 'boolean') changed.private = body.private;
  return ok(renderFullRepository(call.store, changed, requesterRole(call)));
}

function remove(call: Call) {
  call.store.repositories.delete(fullName(call.repository).toLowerCase());
  return noContent();
}

function branches(call: Call) {
  const prefix = 'refs/heads/';
  const found = [...listRefs(call.repository.directory, prefix)];
  return paginate(call, found, ([ref, sha]) => ({
    name: ref.slice(prefix.length),
    commit: { sha, url: `${repositoryUrl(call.store, call.repository)}/commits/${sha}` },
    protected: isProtected(call.repository, ref.slice(prefix.length)),
  }));
}

async function branch(call: Call) {
  const name = call.params.branch!;
  const tip = branchTip(call.repository.directory, name);
  const commit = tip && (await readCommit(call.repository.directory, tip));
  if (!commit) throw new HttpProblem(404, 'Branch not found');
  const url = `${repositoryUrl(call.store, call.repository)}/branches/${name}`;
  return ok({
    name,
    commit: renderCommit(call.store, call.repository, commit),
    _links: { self: url, html: `${repositoryPage(call.store, call.repository)}/tree/${name}` },
    protected: isProtected(call.repository, name),
    protection: { enabled: isProtected(call.repository, name) },
    protection_url: `${url}/protection`,
  });
}

function isProtected(of: Repository, name: string): boolean {
  return of.protectedBranches.has(name);
}

/** The five old words, beside the finer role. */
const legacy: Record<Role, string> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

function permission(call: Call) {
  actor(call);
  const login = call.params.username!;
  const user = call.store.users.get(login.toLowerCase());
  // GitHub has no permission for Apps: their bots are not users to it
  if (!user || user.type === 'Bot') throw new HttpProblem(404, `${login} is not a user`);
  const role = roleOf(call.repository, user);
  return ok({
    permission: legacy[role],
    role_name: role,
    user: { ...renderUser(call.store, user), permissions: renderPermissions(role), role_name: role },
  });
}

function dispatch(call: Call) {
  const clientPayload = (call.body.client_payload ?? {}) as Record<string, unknown>;
  if (typeof clientPayload !== 'object' || Array.isArray(clientPayload))
    throw new HttpProblem(422, 'Invalid request.');
  const members = Object.keys(clientPayload).length;
  if (members > 10) {
    throw new HttpProblem(
      422,
      `Invalid request.\n\nNo more than 10 properties are allowed; ${members} were supplied.`,
    );
  }
  if (Buffer.byteLength(JSON.stringify(clientPayload)) >= 65_536)
    throw new HttpProblem(422, 'client_payload is too large.');
  const wanted = {
    repository: call.repository,
    eventType: requiredText(call, 'event_type'),
    clientPayload,
    sender: actor(call),
  };
  call.kit.dispatches.push(wanted);
  for (const listener of call.kit.dispatchListeners) listener(wanted);
  return noContent();
}
