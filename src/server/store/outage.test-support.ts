/** A database that can go away and come back: a relay in front of the real one, which a test cuts and mends. */

import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Socket } from 'node:net';

export interface Relay {
  /** The database's address by way of the relay. */
  url: string;
  /** Ends every connection and takes no new one. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** @param url of a PostgreSQL that listens on a Unix socket, as the embedded one does. */
export async function relayTo(url: string): Promise<Relay> {
  const target = new URL(url.replace(/^postgres(ql)?:\/\/([^@/]*@)?\//, 'postgres://$2localhost/'));
  const directory = target.searchParams.get('host');
  const path = `${directory}/.s.PGSQL.${target.port || target.searchParams.get('port') || 5432}`;
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((incoming) => {
    if (!open) {
      incoming.resetAndDestroy();
      return;
    }
    const outgoing = createConnection(path);
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const user = `${target.username}${target.password ? `:${target.password}` : ''}`;
  const end = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `postgres://${user}@127.0.0.1:${port}${target.pathname}`,
    cut: () => {
      open = false;
      end();
    },
    mend: () => {
      open = true;
    },
    close: async () => {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
