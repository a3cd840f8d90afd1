/** Writes what happens in this machine's sessions into the server's log, so that a delivery can be followed by its id. */
import type { ServerContext } from '../context.ts';
import { inTurn } from '../in-turn.ts';
import { lastSessionEvent, type SessionEvent, sessionEventsSince } from '../store/session-events.ts';

/** @returns stops it. */
export async function logSessions({ store, log }: ServerContext, host: string): Promise<() => Promise<void>> {
  const { database } = store;
  let last = await lastSessionEvent(database);
  const read = inTurn(async () => {
    const events = await sessionEventsSince(database, { id: last, host }).catch(() => []);
    for (const event of events) {
      write(log, event);
      last = event.id;
    }
  });
  const stop = await database.listen('session_events', read);
  return async () => {
    await stop();
    await read.settled();
  };
}

function write(log: ServerContext['log'], { threadKey, kind, data }: SessionEvent): void {
  const { host: _, deliveries, ...rest } = data;
  const about = { task: threadKey, event: kind, ...rest };
  const ids = Array.isArray(deliveries) && deliveries.length > 0 ? (deliveries as string[]) : [null];
  for (const delivery of ids) log.info(`Session: ${kind}`, { ...about, ...(delivery && { delivery }) });
}
