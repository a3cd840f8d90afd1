/** One connection that hears PostgreSQL's notifications, and comes back by itself when it breaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

type Heard = (payload: string) => void;

/** A connection that died without a word (a firewall, a pulled cable) is noticed after about this long. */
const heartbeatMs = 15_000;

export interface Listener {
  listen(channel: string, heard: Heard): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export function createListener(url: string): Listener {
  const channels = new Map<string, Set<Heard>>();
  let client: pg.Client | null = null;
  let connecting: Promise<pg.Client> | null = null;
  let closed = false;

  const tell = (channel: string, payload: string) => {
    for (const heard of channels.get(channel) ?? []) {
      try {
        heard(payload);
      } catch {
        // A listener's own affair; the others are to hear all the same.
      }
    }
  };

  const connectOnce = async (): Promise<pg.Client> => {
    const fresh = new pg.Client({
      connectionString: url,
      application_name: 'forgehand listen',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    });
    fresh.on('error', () => {});
    fresh.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''));
    try {
      await fresh.connect();
      for (const channel of channels.keys()) await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await fresh.end().catch(() => {});
      throw error;
    }
    const beat = setInterval(() => void heartbeat(fresh), heartbeatMs);
    beat.unref();
    fresh.once('end', () => {
      clearInterval(beat);
      if (client === fresh) client = null;
      if (!closed && channels.size) void reconnect();
    });
    client = fresh;
    return fresh;
  };

  const connected = (): Promise<pg.Client> => {
    if (client) return Promise.resolve(client);
    connecting ??= untilConnected().finally(() => {
      connecting = null;
    });
    return connecting;
  };

  const untilConnected = async (): Promise<pg.Client> => {
    for (let pause = 50; ; pause = Math.min(pause * 2, 2_000)) {
      if (closed) throw new Error('The database is closed.');
      try {
        return await connectOnce();
      } catch {
        await sleep(pause, undefined, { ref: false });
      }
    }
  };

  const reconnect = async () => {
    await connected().catch(() => null);
    if (!closed) for (const channel of channels.keys()) tell(channel, '');
  };

  return {
    listen: async (channel, heard) => {
      const others = channels.get(channel);
      if (others) others.add(heard);
      else channels.set(channel, new Set([heard]));
      const open = await connected();
      if (!others) await open.query(`listen ${pg.escapeIdentifier(channel)}`).catch(() => {});
      return async () => {
        const left = channels.get(channel);
        left?.delete(heard);
        if (left?.size !== 0) return;
        channels.delete(channel);
        await client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
      };
    },
    close: async () => {
      closed = true;
      const last = client;
      client = null;
      await last?.end().catch(() => {});
    },
  };
}

async function heartbeat(client: pg.Client): Promise<void> {
  const answered = client.query('select 1').then(
    () => true,
    () => false,
  );
  const late = sleep(heartbeatMs / 2, false, { ref: false });
  if (!(await Promise.race([answered, late]))) await client.end().catch(() => {});
}
