/** Writes what happens in this machine's sessions into the server's log, so that a delivery can be followed by its id. */
import type { ServerContext } from '../context.ts';
import { lastSessionEvent, type SessionEvent, sessionEventsSince } from '../store/session-events.ts';

/** @returns stops it. */
export async function logSessions({ store, log }: ServerContext, host: string): Promise<() => Promise<void>> {
  const { database } = store;
  let last = await lastSessionEvent(database);
  let reading: Promise<void> | null = null;
  let again = false;
  const read = async () => {
    do {
      again = false;
      const events = await sessionEventsSince(database, { id: last, host }).catch(() => []);
      for (const event of events) {
        write(log, event);
        last = event.id;
      }
    } while (again);
    reading = null;
  };
  const stop = await database.listen('session_events', () => {
    if (reading) again = true;
    else reading = read();
  });
  return async () => {
    await stop();
    await reading;
  };
}

function write(log: ServerContext['log'], { threadKey, kind, data }: SessionEvent): void {
  const { host: _, deliveries, ...rest } = data;
  const about = { task: threadKey, event: kind, ...rest };
  const ids = Array.isArray(deliveries) && deliveries.length > 0 ? (deliveries as string[]) : [null];
  for (const delivery of ids) log.info(`Session: ${kind}`, { ...about, ...(delivery && { delivery }) });
}
