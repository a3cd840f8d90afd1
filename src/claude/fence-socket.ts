/** A server of the host that programs in the fence reach by a socket file. */
import { chmod, chown, open as openFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { basename, dirname } from 'node:path';

export interface SocketPlace {
  path: string;
  /** Who may connect, besides us; null for nobody. */
  owner: { uid: number; gid: number } | null;
}

/** @returns what ends it, with every connection. */
export async function listen(server: Server, place: SocketPlace): Promise<{ close(): Promise<void> }> {
  const open = new Set<{ destroy(): void }>();
  // Tunnels have left the server's own books.
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  // A socket's name may have 107 bytes, and a runner's temporary directory alone can be longer: the directory is opened
  // and named by its number.
  const directory = await openFile(dirname(place.path), 'r');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`/proc/self/fd/${directory.fd}/${basename(place.path)}`, resolve);
  });
  await chmod(place.path, 0o600);
  if (place.owner) await chown(place.path, place.owner.uid, place.owner.gid);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
      await directory.close();
    },
  };
}
