/** REST: users and rate limits. */

import { renderProfile } from '../render/user.ts';
import { actor, type Call, ok, type Route, textOf } from './call.ts';
import { HttpProblem, notFound } from './problem.ts';

export const userRoutes: Route[] = [
  { method: 'GET', path: '/user', need: 'any', handle: me },
  { method: 'PATCH', path: '/user', need: 'any', handle: rename },
  { method: 'GET', path: '/users/{username}', need: 'nobody', handle: one },
  { method: 'GET', path: '/rate_limit', need: 'nobody', handle: () => ok(rateLimits()) },
];

/** GitHub refuses Apps here: an installation is nobody. */
function me(call: Call) {
  if (call.identity.kind !== 'token' || call.identity.token.kind !== 'pat') {
    throw new HttpProblem(403, 'Resource not accessible by integration');
  }
  return ok(renderProfile(call.store, actor(call)));
}

function rename(call: Call) {
  const user = actor(call);
  user.name = textOf(call, 'name') ?? user.name;
  const privately = {
    collaborators: 0,
    disk_usage: 0,
    owned_private_repos: 0,
    private_gists: 0,
    total_private_repos: 0,
    two_factor_authentication: true,
  };
  return ok({ ...renderProfile(call.store, user), ...privately });
}

function one(call: Call) {
  const user = call.store.users.get(call.params.username!.toLowerCase());
  if (!user) throw notFound();
  return ok(renderProfile(call.store, user));
}

function rateLimits() {
  const reset = Math.floor(Date.now() / 1000) + 3600;
  const limit = { limit: 5000, remaining: 4999, reset, used: 1 };
  return {
    resources: { core: limit, graphql: limit, search: { ...limit, limit: 30, remaining: 30, used: 0 } },
    rate: limit,
  };
}
