/** `forgehand stop`: ends the server, its sessions and the embedded PostgreSQL of one DATA_DIR. */
import { readPlace } from '../server/configuration.ts';
import { stop } from '../server/stop.ts';
import { complain } from './complain.ts';

/** @returns the exit code. */
export async function stopCommand(): Promise<number> {
  try {
    const place = readPlace(process.env, process.cwd());
    return (await stop({ ...place, print: (line) => console.log(line) })) ? 0 : 1;
  } catch (error) {
    return complain(error);
  }
}
