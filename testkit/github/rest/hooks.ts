/** REST: webhooks of repositories, and the deliveries of hooks and Apps. */
import type { Delivery } from '../deliveries.ts';
import type { Hook } from '../hook-model.ts';
import { repositoryUrl } from '../render/repository.ts';
import { now } from '../store.ts';
import { type Answer, type Call, created, numberOf, ok, type Route, textsOf } from './call.ts';
import { invalid, notFound } from './problem.ts';

const hooks = '/repos/{owner}/{repo}/hooks';
const ofHook = `${hooks}/{hook_id}/deliveries`;
const ofApp = '/app/hook/deliveries';
const one = '{delivery_id}';

export const hookRoutes: Route[] = [
  {
    method: 'GET',
    path: hooks,
    need: ['repository_hooks:read'],
    handle: (call) => ok(call.repository.hooks.map((hook) => renderHook(call, hook))),
  },
  { method: 'POST', path: hooks, need: ['repository_hooks:write'], role: 'admin', handle: create },
  { method: 'GET', path: ofHook, need: ['repository_hooks:read'], handle: list },
  { method: 'GET', path: `${ofHook}/${one}`, need: ['repository_hooks:read'], handle: get },
  {
    method: 'POST',
    path: `${ofHook}/${one}/attempts`,
    need: ['repository_hooks:write'],
    role: 'admin',
    handle: redeliver,
  },
  { method: 'GET', path: ofApp, need: 'app', handle: list },
  { method: 'GET', path: `${ofApp}/${one}`, need: 'app', handle: get },
  { method: 'POST', path: `${ofApp}/${one}/attempts`, need: 'app', handle: redeliver },
];

function create(call: Call) {
  const config = (call.body.config ?? {}) as { url?: string; secret?: string };
  if (!config.url) throw invalid('Hook', 'url', 'missing_field');
  const hook: Hook = {
    id: call.store.nextId(),
    url: config.url,
    secret: config.secret ?? null,
    events: textsOf(call, 'events') ?? ['push'],
    active: call.body.active !== false,
    createdAt: now(),
  };
  call.repository.hooks.push(hook);
  return created(renderHook(call, hook));
}

function renderHook(call: Call, hook: Hook) {
  const url = `${repositoryUrl(call.store, call.repository)}/hooks/${hook.id}`;
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: hook.events,
    config: {
      url: hook.url,
      content_type: 'json',
      insecure_ssl: '0',
      ...(hook.secret ? { secret: '********' } : {}),
    },
    updated_at: hook.createdAt,
    created_at: hook.createdAt,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  };
}

/** The deliveries that the requester may see, newest first. */
function mine(call: Call): Delivery[] {
  const { identity, kit } = call;
  const all = kit.deliveries.list.toReversed();
  if (call.params.hook_id) return all.filter((delivery) => delivery.hook?.id === numberOf(call, 'hook_id'));
  return all.filter((delivery) => identity.kind === 'app' && delivery.app === identity.app);
}

/** Pages by cursor, the id of the next delivery, as GitHub's deliveries API does. */
function list(call: Call): Answer {
  const status = call.query.get('status');
  const found = mine(call).filter(
    (delivery) =>
      !status || (status === 'success') === (delivery.statusCode >= 200 && delivery.statusCode < 400),
  );
  const perPage = Math.min(100, Number(call.query.get('per_page')) || 30);
  const cursor = call.query.get('cursor');
  const start = cursor ? found.findIndex((delivery) => String(delivery.id) === cursor) : 0;
  const page = start < 0 ? [] : found.slice(start, start + perPage);
  const next = start < 0 ? undefined : found[start + perPage];
  const query = new URLSearchParams(call.query);
  if (next) query.set('cursor', String(next.id));
  return {
    ...ok(page.map(renderItem)),
    ...(next ? { headers: { link: `<${call.url}?${query}>; rel="next"` } } : {}),
  };
}

function find(call: Call): Delivery {
  const found = mine(call).find((delivery) => delivery.id === numberOf(call, 'delivery_id'));
  if (!found) throw notFound();
  return found;
}

function get(call: Call) {
  const delivery = find(call);
  const { request, response, url } = delivery;
  return ok({ ...renderItem(delivery), url, request, response });
}

function redeliver(call: Call): Answer {
  void call.kit.deliveries.redeliver(find(call)); // GitHub too answers before it has sent it
  return { status: 202, body: {} };
}

function renderItem(delivery: Delivery) {
  const payload = delivery.request.payload as { installation?: { id: number }; repository?: { id: number } };
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: payload.installation?.id ?? null,
    repository_id: payload.repository?.id ?? null,
    throttled_at: null,
  };
}
