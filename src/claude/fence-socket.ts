/** A server of the host that programs in the fence reach by a socket file. */
import { chmod, chown } from 'node:fs/promises';
import type { Server } from 'node:http';

export interface SocketPlace {
  path: string;
  /** Who may connect, besides us; null for nobody. */
  owner: { uid: number; gid: number } | null;
}

/** Linux's limit for a socket's name, its end included. */
const longestPath = 107;

/** @returns what ends it, with every connection. */
export async function listen(server: Server, place: SocketPlace): Promise<{ close(): Promise<void> }> {
  if (Buffer.byteLength(place.path) > longestPath)
    throw new Error(`the socket's path is longer than ${longestPath} bytes: ${place.path}`);
  const open = new Set<{ destroy(): void }>();
  // Tunnels have left the server's own books.
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.path, resolve);
  });
  await chmod(place.path, 0o600);
  if (place.owner) await chown(place.path, place.owner.uid, place.owner.gid);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
