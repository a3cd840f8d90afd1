/** GitHub's own log of webhook deliveries: what it sent, how that was answered, and what was in it. */
import type { GitHubClient } from './client.ts';

/** Whose deliveries: the App's (with a client that is the App), or those of one hook of a repository. */
export type DeliverySource = { kind: 'app' } | { kind: 'hook'; owner: string; repo: string; hookId: number };

export interface DeliveryEntry {
  id: number;
  /** `X-GitHub-Delivery`; a redelivery keeps it. */
  guid: string;
  deliveredAt: string;
  /** 0 when nobody answered. */
  statusCode: number;
  event: string;
  action: string | null;
}

interface RawEntry {
  id: number;
  guid: string;
  delivered_at: string;
  status_code: number;
  event: string;
  action: string | null;
}

/** One page, newest first. GitHub keeps them for three days. */
export async function deliveryPage(
  client: GitHubClient,
  source: DeliverySource,
  cursor: string | null,
): Promise<{ entries: DeliveryEntry[]; next: string | null }> {
  const { data, next } = await client.page<RawEntry[]>(`GET ${pathOf(source)}`, {
    ...placeOf(source),
    per_page: 100,
    ...(cursor && { cursor }),
  });
  const entries = data.map((raw) => ({
    id: raw.id,
    guid: raw.guid,
    deliveredAt: raw.delivered_at,
    statusCode: raw.status_code,
    event: raw.event,
    action: raw.action,
  }));
  return { entries, next };
}

/** What was sent: the webhook payload, null where GitHub has kept none. */
export async function deliveryPayload(
  client: GitHubClient,
  source: DeliverySource,
  id: number,
): Promise<Record<string, unknown> | null> {
  const delivery = await client.rest<{ request: { payload: Record<string, unknown> | null } }>(
    `GET ${pathOf(source)}/{delivery_id}`,
    { ...placeOf(source), delivery_id: id },
  );
  return delivery.request.payload;
}

/** The repository's webhooks and where they lead. @throws AppError `github_auth` when the token may not see them. */
export async function repositoryHooks(
  client: GitHubClient,
  { owner, repo }: { owner: string; repo: string },
): Promise<{ id: number; url: string }[]> {
  const hooks = await client.rest<{ id: number; active: boolean; config: { url?: string } }[]>(
    'GET /repos/{owner}/{repo}/hooks',
    { owner, repo, per_page: 100 },
  );
  return hooks
    .filter(({ active, config }) => active && config.url)
    .map(({ id, config }) => ({ id, url: config.url! }));
}

function pathOf(source: DeliverySource): string {
  return source.kind === 'app' ? '/app/hook/deliveries' : '/repos/{owner}/{repo}/hooks/{hook_id}/deliveries';
}

function placeOf(source: DeliverySource): Record<string, unknown> {
  return source.kind === 'app' ? {} : { owner: source.owner, repo: source.repo, hook_id: source.hookId };
}
