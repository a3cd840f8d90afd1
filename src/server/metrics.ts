/** Numbers for Prometheus: what this process measures, and what the database counts when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from './store/database.ts';
import { counts } from './store/overview.ts';

export interface Metrics {
  registry: Registry;
  /** Seconds from the first byte of a verified delivery's handling to its answer. */
  acknowledge: Histogram<'status'>;
  /** Requests to /webhook that were not taken, by HTTP status. */
  refused: Counter<'status'>;
  /** The same of /progress. */
  progressRefused: Counter<'status'>;
  /** The exposition; what the database knows is left out while it is away. */
  expose(database: Database): Promise<string>;
}

const help: Record<string, { help: string; labels: string[] }> = {
  deliveries: {
    help: 'Deliveries by what was decided, as long as they are kept.',
    labels: ['verdict', 'reason'],
  },
  threads: { help: 'Threads by state.', labels: ['state'] },
  messages: { help: 'Messages of threads by state.', labels: ['state'] },
  session_events: {
    help: 'Events of sessions by kind (gate refusals among them), as long as they are kept.',
    labels: ['kind'],
  },
  sessions: { help: 'Live sessions by what they do.', labels: ['activity'] },
  sessions_parked: { help: 'Open threads whose conversation waits for the next comment.', labels: [] },
  turns: { help: 'Turns of Claude in all threads.', labels: [] },
  spent_usd: { help: 'US dollars that all threads have cost.', labels: [] },
  progress_events: {
    help: 'Events of progress that runs have reported, by status, as long as they are kept.',
    labels: ['status'],
  },
  progress_outbox: {
    help: 'Events of progress that the backend has not acknowledged: waiting, or given up (dead).',
    labels: ['state'],
  },
  oldest_undecided_seconds: { help: 'Age of the oldest delivery that nobody has decided on.', labels: [] },
};

/** One set for each web: two servers in one process must not count together. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauges = new Map(
    Object.entries(help).map(([name, one]) => [
      name,
      new Gauge({ name: `forgehand_${name}`, help: one.help, labelNames: one.labels, registers }),
    ]),
  );
  const up = new Gauge({ name: 'forgehand_database_up', help: '1 while the database answers.', registers });
  return {
    registry,
    acknowledge: new Histogram({
      name: 'forgehand_webhook_seconds',
      help: 'Time in which a delivery was stored and answered.',
      labelNames: ['status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    refused: new Counter({
      name: 'forgehand_webhook_refused_total',
      help: 'Requests to the webhook that were not taken.',
      labelNames: ['status'],
      registers,
    }),
    progressRefused: new Counter({
      name: 'forgehand_progress_refused_total',
      help: 'Events of progress that were not taken.',
      labelNames: ['status'],
      registers,
    }),
    expose: async (database) => {
      for (const gauge of gauges.values()) gauge.reset();
      try {
        for (const { name, labels, value } of await counts(database))
          gauges.get(name)?.set(labels, Number(value));
        up.set(1);
      } catch {
        up.set(0);
      }
      return registry.metrics();
    },
  };
}
