/** Fetches what GitHub could not deliver, or what never arrived, from its own log of deliveries. */

import { type GitHubClient, statusOf } from '../../github/client.ts';
import {
  type DeliveryEntry,
  type DeliverySource,
  deliveryPage,
  deliveryPayload,
  repositoryHooks,
} from '../../github/deliveries.ts';
import { AppError } from '../../words/errors.ts';
import type { ServerContext } from '../context.ts';
import { appOf, ownClient } from '../github.ts';
import { knownDeliveries, knownRepositories, readCursor, writeCursor } from '../store/deliveries.ts';
import type { Accepted } from './accept.ts';
import type { RawDelivery } from './classify.ts';
import { isHandled } from './payload-decision.ts';

/** Takes a fetched delivery the way of every other. */
export type Take = (raw: RawDelivery, payload: Record<string, unknown>) => Promise<Accepted>;

/** How far back the first look goes, for a server that was not there yet; only at what failed. Milliseconds. */
const firstLookMs = 24 * 3_600_000;
/** Entries appear in the log a little late, and clocks differ. Milliseconds. */
const overlapMs = 10 * 60_000;

interface Cursor {
  /** Newest entry that was looked at; ISO 8601. */
  deliveredAt: string;
}

/** @returns how many were taken in. @throws AppError when GitHub does not answer; the next run begins at the same point. */
export async function recoverDeliveries(context: ServerContext, take: Take): Promise<number> {
  const { configuration, log } = context;
  const client = await ownClient(configuration);
  if (appOf(configuration)) return recoverFrom(context, { client, source: { kind: 'app' }, take });
  let taken = 0;
  for (const repository of await knownRepositories(context.store.database)) {
    for (const source of await hooksOf(context, client, repository)) {
      const count = await recoverFrom(context, { client, source, take });
      if (count > 0) log.notice(`${count} missed deliveries of ${repository} were fetched.`);
      taken += count;
    }
  }
  return taken;
}

/** The hooks that lead to us: by `PUBLIC_URL`, or because something of theirs has arrived here. */
async function hooksOf(
  { configuration, store, log }: ServerContext,
  client: GitHubClient,
  repository: string,
): Promise<DeliverySource[]> {
  const [owner, repo] = repository.split('/') as [string, string];
  const { publicUrl } = configuration.server;
  try {
    const hooks = await repositoryHooks(client, { owner, repo });
    const ours: DeliverySource[] = [];
    for (const { id, url } of hooks) {
      const source: DeliverySource = { kind: 'hook', owner, repo, hookId: id };
      if (publicUrl !== null) {
        if (url === `${publicUrl}/webhook`) ours.push(source);
      } else if (url.endsWith('/webhook')) {
        const { entries } = await deliveryPage(client, source, null);
        const known = await knownDeliveries(
          store.database,
          entries.map(({ guid }) => guid),
        );
        if (known.size > 0) ours.push(source);
      }
    }
    return ours;
  } catch (error) {
    const barred = statusOf(error) === 404 || (error instanceof AppError && error.reason === 'github_auth');
    if (!barred) throw error;
    log.debug(`The token may not see the webhooks of ${repository}: missed deliveries are not fetched.`);
    return [];
  }
}

interface From {
  client: GitHubClient;
  source: DeliverySource;
  take: Take;
}

async function recoverFrom(context: ServerContext, from: From): Promise<number> {
  const { database } = context.store;
  const { source } = from;
  const name = source.kind === 'app' ? 'deliveries app' : `deliveries hook ${source.hookId}`;
  const cursor = await readCursor<Cursor>(database, name);
  const since = cursor ? Date.parse(cursor.deliveredAt) - overlapMs : Date.now() - firstLookMs;
  const entries = await entriesSince(from, since);
  // The first look does not know what another server has had already, only what nobody has taken.
  const wanted = oncePerId(entries).filter(
    (one) => isHandled(one.event, one.action) && (cursor || failed(one)),
  );
  const known = await knownDeliveries(
    database,
    wanted.map(({ guid }) => guid),
  );
  let taken = 0;
  for (const entry of wanted) {
    if (!known.has(entry.guid) && (await takeIn(context, from, entry))) taken += 1;
  }
  const newest = entries.at(-1)?.deliveredAt ?? cursor?.deliveredAt ?? new Date(since).toISOString();
  await writeCursor(database, name, { deliveredAt: newest } satisfies Cursor);
  return taken;
}

/** Oldest first: the order in which things happened. */
async function entriesSince({ client, source }: From, since: number): Promise<DeliveryEntry[]> {
  const found: DeliveryEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await deliveryPage(client, source, cursor);
    const fresh = page.entries.filter(({ deliveredAt }) => Date.parse(deliveredAt) >= since);
    found.push(...fresh);
    if (fresh.length < page.entries.length || page.next === null) return found.reverse();
    cursor = page.next;
  }
}

/** Redeliveries keep the id; the first time counts for the order. One that was taken at last has not failed. */
function oncePerId(entries: DeliveryEntry[]): DeliveryEntry[] {
  const byId = new Map<string, DeliveryEntry>();
  for (const entry of entries) {
    const first = byId.get(entry.guid);
    byId.set(entry.guid, first ? { ...first, statusCode: entry.statusCode } : entry);
  }
  return [...byId.values()];
}

function failed({ statusCode }: DeliveryEntry): boolean {
  return statusCode < 200 || statusCode >= 400;
}

async function takeIn(
  context: ServerContext,
  { client, source, take }: From,
  entry: DeliveryEntry,
): Promise<boolean> {
  const log = context.log.with({ delivery: entry.guid });
  const payload = await deliveryPayload(client, source, entry.id).catch((error) => {
    if (statusOf(error) !== 404) throw error;
    return null; // dropped from the log meanwhile
  });
  if (!payload) {
    log.warning('A missed delivery is not in the log of GitHub any more.', { event: entry.event });
    return false;
  }
  const raw: RawDelivery = {
    id: entry.guid,
    event: entry.event,
    payload: JSON.stringify(payload),
    source: 'fetched',
  };
  const accepted = await take(raw, payload);
  if (accepted === 'stored') log.notice('A missed delivery was fetched.', { event: entry.event });
  return accepted === 'stored';
}
