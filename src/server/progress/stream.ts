/** Progress as Server-Sent Events: what was accepted after the last one seen, then what comes, until the run has ended. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Database } from '../store/database.ts';
import { hasEnded, progressSince } from '../store/progress.ts';
import type { Followers } from './followers.ts';

export interface Following {
  correlationId: string;
  /** The id of the last event that was seen; 0 for none. */
  after: string;
}

export interface StreamOptions {
  database: Database;
  followers: Followers;
  /** Milliseconds between two signs of life: proxies cut what is silent. */
  heartbeatMs: number;
}

/** Events that are held for a client that reads slowly. */
const pageSize = 20;

/**
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @throws what the database throws; the client comes back and names the last event that it has seen.
 */
export async function stream(raw: ServerResponse, following: Following, options: StreamOptions) {
  const bell = createBell();
  raw.on('close', bell.ring);
  raw.on('error', bell.ring);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // nginx would keep events back until it has a bufferful.
    'x-accel-buffering': 'no',
  });
  const beat = () => void (isOpen(raw) && raw.write(':\n\n'));
  beat();
  const beats = setInterval(beat, options.heartbeatMs);
  let leave = () => {};
  try {
    leave = await options.followers.follow(following.correlationId, bell.ring);
    await sendAll(raw, following, { ...options, bell });
  } finally {
    leave();
    clearInterval(beats);
    raw.end();
  }
}

async function sendAll(
  raw: ServerResponse,
  { correlationId, after }: Following,
  { database, bell }: StreamOptions & { bell: Bell },
): Promise<void> {
  let last = after;
  while (isOpen(raw)) {
    const page = await progressSince(database, { correlationId, after: last, limit: pageSize });
    for (const { id, event } of page) {
      if (!isOpen(raw)) return;
      last = id;
      if (!raw.write(`id: ${id}\nevent: progress\ndata: ${event}\n\n`)) await drained(raw);
    }
    if (page.length === pageSize) continue;
    if (await hasEnded(database, correlationId, last)) return;
    await bell.rung();
  }
}

function isOpen(raw: ServerResponse): boolean {
  return !raw.destroyed && !raw.writableEnded;
}

/** Until the client has read, or is gone. */
async function drained(raw: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const { signal } = gone;
  await Promise.race([once(raw, 'drain', { signal }), once(raw, 'close', { signal })]).catch(() => {});
  gone.abort();
}

interface Bell {
  ring(): void;
  /** At once when it was rung since the last time. */
  rung(): Promise<void>;
}

function createBell(): Bell {
  let next = Promise.withResolvers<void>();
  return {
    ring: () => next.resolve(),
    rung: async () => {
      await next.promise;
      next = Promise.withResolvers();
    },
  };
}
