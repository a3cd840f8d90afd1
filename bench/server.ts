/** Benchmarks of the server, each against the built program with its own PostgreSQL. */
import { measureAcknowledgement } from './server-acknowledge.ts';
import { measureFirstRequest } from './server-delivery.ts';
import { measureMemory } from './server-memory.ts';
import { measureRecovery } from './server-recovery.ts';

export async function measureServer(runs: number): Promise<void> {
  await measureAcknowledgement(Math.max(3, runs * 2));
  await measureFirstRequest(runs);
  await measureRecovery(Math.min(runs, 5));
  await measureMemory();
}
