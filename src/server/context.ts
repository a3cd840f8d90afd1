/** What the server's parts share: configuration, database, jobs and log; and what a running part answers. */
import type { Log } from '../words/log.ts';
import type { Redact } from '../words/redact.ts';
import type { Secret } from '../words/secret.ts';
import type { Configuration, Role } from './configuration.ts';
import type { Jobs } from './store/jobs.ts';
import type { Store } from './store/store.ts';

export interface ServerContext {
  role: Role;
  configuration: Configuration;
  store: Store;
  jobs: Jobs;
  /** JSON lines; give lines their `delivery`, `task`, `session` with `log.with(…)`. */
  log: Log;
  redact: Redact;
  /** Known from now on as a secret, never to be shown. */
  addSecret(value: string): void;
  secrets(): Iterable<string>;
  /** Null only with ALLOW_UNSIGNED_WEBHOOKS, or where no webhooks are taken. */
  webhookSecret: Secret | null;
  operatorToken: Secret;
  /** The state of the fence in a few words, for people. */
  sandbox: string;
  /** The private file that a session reads its configuration from (`loadForSessions`). */
  sessionConfiguration: string;
  /** Forgehand's own. */
  version: string;
}

/** A part of the server that runs: `startWeb(context)` in app.ts and `startWorker(context)` in threads/worker.ts. */
export interface RunningPart {
  /** Where it listens; null when it does not. */
  url: string | null;
  /** Takes nothing new, finishes what is in hand, ends. Sessions go on. */
  close(): Promise<void>;
}
