/** `forgehand session`: the process that holds one thread's lease and Claude, until there is nothing more to do. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { AppError } from '../../words/errors.ts';
import { createLog } from '../../words/log.ts';
import { redactor } from '../../words/redact.ts';
import { type Configuration, loadForSessions } from '../configuration.ts';
import { LeaseLost, takeOver } from '../store/leases.ts';
import { readThread } from '../store/session-threads.ts';
import { openStore } from '../store/store.ts';
import { hostName, ourselves } from './holder.ts';
import { keepLease } from './lease.ts';
import { type Holding, work } from './work.ts';

/** @param args `owner/repo#42 --lease <uuid> --configuration <file>`; none of it is secret @returns the exit code. */
export async function runSession(args: string[]): Promise<number> {
  const { held, configuration } = readArguments(args);
  const secrets = new Set<string>();
  const redact = redactor(secrets);
  const show = (line: string) => void process.stdout.write(`${redact(line)}\n`);
  const log = createLog((level, message) => {
    if (level !== 'debug') show(`[${level}] ${message}`);
  }).with({ task: held.key });
  for (const secret of secretsOf(configuration)) secrets.add(secret);
  const { dataDir, databaseUrl } = configuration.server;
  const store = await openStore({ databaseUrl, dataDir, log, connections: 4 });
  try {
    const holder = ourselves(hostName(dataDir), randomUUID());
    await takeOver(store.database, held.key, held.lease, holder);
    const thread = await readThread(store.database, held.key);
    if (!thread) throw new LeaseLost(held.key);
    await hold({ held, configuration, store, thread, holder, secrets, redact, show, log });
    return 0;
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    show(error.message);
    return 0;
  } finally {
    await store.close();
  }
}

/** Works as long as the lease is ours; a signal ends it in order, losing the lease at once. */
async function hold(holding: Holding): Promise<void> {
  const keeper = keepLease(holding.store.database, holding.held);
  const stop = new AbortController();
  const onSignal = () => stop.abort(new AppError('cancelled', 'The session was asked to end.'));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    await work(holding, { lost: keeper.lost, stop: stop.signal });
  } finally {
    keeper.stop();
  }
}

function readArguments(args: string[]): Pick<Holding, 'held' | 'configuration'> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      lease: { type: 'string' },
      configuration: { type: 'string' },
    },
  });
  const [key] = positionals;
  if (!key || !values.lease || !values.configuration) {
    throw new AppError('invalid_input', '`forgehand session` is started by the server, not by hand.', {
      remedy: 'Run `forgehand serve`.',
    });
  }
  const held = { key, lease: values.lease };
  return { held, configuration: loadForSessions(values.configuration) };
}

function secretsOf({ engine }: Configuration): string[] {
  const { githubToken, appPrivateKey, anthropicApiKey, claudeCodeOauthToken, sshSigningKey } = engine;
  return [githubToken, appPrivateKey, anthropicApiKey, claudeCodeOauthToken, sshSigningKey]
    .filter((secret) => secret !== null)
    .map((secret) => secret.reveal());
}
