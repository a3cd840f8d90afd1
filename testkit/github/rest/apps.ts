/** REST: Apps, their installations, and installation tokens. */
import type { Installation, Permissions } from '../app-model.ts';
import type { Repository } from '../model.ts';
import { renderRepository } from '../render/repository.ts';
import { renderApp, renderInstallation } from '../render/user.ts';
import { installationToken, repositoriesOf } from '../state/apps.ts';
import { timeOf } from '../store.ts';
import { type Call, created, noContent, numberOf, ok, paginate, type Route, textsOf } from './call.ts';
import { HttpProblem, notFound } from './problem.ts';

export const appRoutes: Route[] = [
  { method: 'GET', path: '/app', need: 'app', handle: (call) => ok(renderApp(call.store, appOf(call))) },
  {
    method: 'GET',
    path: '/app/installations',
    need: 'app',
    handle: (call) => paginate(call, installationsOf(call), (one) => renderInstallation(call.store, one)),
  },
  { method: 'POST', path: '/app/installations/{installation_id}/access_tokens', need: 'app', handle: mint },
  { method: 'GET', path: '/repos/{owner}/{repo}/installation', need: 'app', handle: ofRepository },
  { method: 'GET', path: '/installation/repositories', need: 'any', handle: repositories },
  { method: 'DELETE', path: '/installation/token', need: 'any', handle: revoke },
];

function appOf(call: Call) {
  if (call.identity.kind !== 'app') throw new HttpProblem(401, 'A JSON web token could not be decoded');
  return call.identity.app;
}

function installationsOf(call: Call): Installation[] {
  const app = appOf(call);
  return call.store.installations.filter((one) => one.app === app);
}

function ofRepository(call: Call) {
  const found = installationsOf(call).find((one) =>
    repositoriesOf(call.store, one).includes(call.repository),
  );
  if (!found) throw notFound();
  return ok(renderInstallation(call.store, found));
}

function mint(call: Call) {
  const { store } = call;
  const installation = installationsOf(call).find((one) => one.id === numberOf(call, 'installation_id'));
  if (!installation) throw notFound();
  const permissions = call.body.permissions as Permissions | undefined;
  demandGranted(installation, permissions ?? {});
  const chosen = chosenRepositories(call, installation);
  const token = installationToken(store, installation, { permissions, repositories: chosen });
  return created({
    token: token.value,
    expires_at: timeOf(new Date(token.expiresAt!)),
    permissions: token.permissions,
    repository_selection: chosen || installation.repositories ? 'selected' : 'all',
    ...(chosen ? { repositories: chosen.map((one) => renderRepository(store, one)) } : {}),
  });
}

/** @throws HttpProblem 422 as GitHub does when more is asked than was granted */
function demandGranted(installation: Installation, permissions: Permissions): void {
  const levels = ['read', 'write', 'admin'];
  for (const [name, level] of Object.entries(permissions)) {
    if (name === 'metadata' && level === 'read') continue;
    if (levels.indexOf(installation.permissions[name] ?? '') >= levels.indexOf(level)) continue;
    throw new HttpProblem(422, 'The permissions requested are not granted to this installation.');
  }
}

function chosenRepositories(call: Call, installation: Installation): Repository[] | undefined {
  const names = textsOf(call, 'repositories');
  const ids = textsOf(call, 'repository_ids');
  if (!names && !ids) return undefined;
  const reachable = repositoriesOf(call.store, installation);
  const chosen = reachable.filter((one) => names?.includes(one.name) || ids?.includes(String(one.id)));
  if (chosen.length === (names?.length ?? 0) + (ids?.length ?? 0)) return chosen;
  throw new HttpProblem(
    422,
    'There is at least one repository that does not exist or is not accessible to the parent installation.',
  );
}

function tokenOf(call: Call) {
  const token = call.identity.kind === 'token' ? call.identity.token : null;
  if (!token || token.kind === 'pat')
    throw new HttpProblem(403, 'Resource not accessible by personal access token');
  return token;
}

function repositories(call: Call) {
  const token = tokenOf(call);
  const reachable = token.installation
    ? repositoriesOf(call.store, token.installation)
    : [...(token.repositories ?? [])];
  const found = reachable.filter((one) => token.repositories?.has(one) ?? true);
  return paginate(
    call,
    found,
    (one) => renderRepository(call.store, one),
    (page, total) => ({ total_count: total, repositories: page }),
  );
}

function revoke(call: Call) {
  tokenOf(call).revoked = true;
  return noContent();
}
