/** Benchmarks of the server, each against the built program with its own PostgreSQL. */
import { measureAcknowledgement } from './server-acknowledge.ts';

export async function measureServer(runs: number): Promise<void> {
  await measureAcknowledgement(Math.max(3, runs * 2));
}
