/** The life of a server: what is started in which order, what it prints, and how it ends. */
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import { redactor } from '../words/redact.ts';
import { Secret } from '../words/secret.ts';
import { type Configuration, type Role, readConfiguration, saveForSessions } from './configuration.ts';
import type { RunningPart, ServerContext } from './context.ts';
import { claimDataDirectory, prepareDataDirectory } from './data-directory.ts';
import { jsonLog } from './log.ts';
import { type DoorSecret, operatorToken, webhookSecret } from './secrets.ts';
import { openJobs } from './store/jobs.ts';
import { openStore, type Store } from './store/store.ts';
import { placeOf, welcome } from './welcome.ts';

export interface ServeOptions {
  role: Role;
  environment: Record<string, string | undefined>;
  /** Where `.env` is looked for. */
  directory: string;
  version: string;
  /** One line for people or, once it runs, for machines. */
  print(line: string): void;
  parts: Parts;
}

export interface Parts {
  startWeb(context: ServerContext): Promise<RunningPart>;
  startWorker(context: ServerContext): Promise<RunningPart>;
  /** What is said of the fence, in a few words. @throws AppError `sandbox_unavailable` */
  checkFence(configuration: Configuration, log: Log): Promise<string>;
}

export interface RunningServer {
  url: string | null;
  log: Log;
  /** Takes nothing new, finishes what is in hand; sessions and the embedded PostgreSQL go on. */
  close(): Promise<void>;
}

/** @throws AppError with what is wrong and what to do; whatever was started is ended again. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { role, environment, directory, print } = options;
  const configuration = readConfiguration(environment, { role, directory });
  const secrets = new Set(secretsOf(configuration));
  const redact = redactor(secrets);
  const log = jsonLog({ redact, level: configuration.server.logLevel, write: print });
  const ends: (() => unknown)[] = [];
  const close = async () => {
    for (let end = ends.pop(); end; end = ends.pop()) await end();
  };
  try {
    prepareDataDirectory(configuration.server.dataDir);
    ends.push(claimDataDirectory(configuration.server.dataDir));
    const webhook = webhookSecret(configuration, role, log);
    const sandbox = role === 'web' ? 'the workers' : await options.parts.checkFence(configuration, log);
    const store = await openStore({ ...configuration.server, log });
    ends.push(store.close);
    const context = await contextOf({ options, configuration, log, store, webhook, secrets, sandbox });
    ends.push(() => context.jobs.stop());
    const url = await startParts(options, context, ends);
    for (const line of welcome(context, { url, webhook: webhook.where })) print(line);
    log.info(`Forgehand ${options.version} is up.`, { role, url });
    return { url, log, close };
  } catch (error) {
    await close().catch(() => {});
    throw worded(error, configuration);
  }
}

async function contextOf(given: {
  options: ServeOptions;
  configuration: Configuration;
  log: Log;
  store: Store;
  webhook: DoorSecret;
  secrets: Set<string>;
  sandbox: string;
}): Promise<ServerContext> {
  const { options, configuration, log, store, webhook, secrets, sandbox } = given;
  const operator = await operatorToken(configuration, store);
  for (const secret of [webhook.secret, operator.secret]) if (secret) secrets.add(secret.reveal());
  return {
    role: options.role,
    configuration,
    store,
    jobs: await openJobs(store, log),
    log,
    redact: redactor(secrets),
    addSecret: (value) => void (value && secrets.add(value)),
    secrets: () => secrets,
    webhookSecret: webhook.secret,
    operatorToken: operator.secret,
    sandbox,
    sessionConfiguration: saveForSessions(configuration),
    version: options.version,
  };
}

/** The door opens last: when it takes deliveries, somebody is there to work on them. */
async function startParts(
  { role, parts }: ServeOptions,
  context: ServerContext,
  ends: (() => unknown)[],
): Promise<string | null> {
  if (role !== 'web') {
    const worker = await parts.startWorker(context);
    ends.push(worker.close);
  }
  if (role === 'worker') return null;
  const web = await parts.startWeb(context);
  ends.push(web.close);
  return web.url;
}

/** Every secret of the configuration: what is known is redacted. */
function secretsOf({ server, engine, environment }: Configuration): string[] {
  const held = [...Object.values(server), ...Object.values(engine)].filter(
    (value) => value instanceof Secret,
  );
  const passed = Object.entries(environment).filter(([name]) => /KEY|TOKEN|SECRET|PASSWORD/.test(name));
  const password = server.databaseUrl ? passwordOf(server.databaseUrl) : '';
  return [
    ...held.map((secret) => secret.reveal()),
    ...passed.map(([, value]) => value ?? ''),
    password,
  ].filter(Boolean);
}

function passwordOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url).password);
  } catch {
    return '';
  }
}

/** What a person can act on, where the system only says a code. */
function worded(error: unknown, { server }: Configuration): unknown {
  const { code } = error as { code?: string };
  if (code === 'EADDRINUSE') {
    return new AppError(
      'invalid_input',
      `Port ${server.webhookPort} (WEBHOOK_PORT) is taken by another program.`,
      {
        cause: error,
        remedy: 'Set WEBHOOK_PORT to a free one, or end that program.',
      },
    );
  }
  if (code === 'EACCES') {
    return new AppError('invalid_input', `Port ${server.webhookPort} (WEBHOOK_PORT) is not for this user.`, {
      cause: error,
      remedy: 'Set WEBHOOK_PORT to one above 1023.',
    });
  }
  const place = placeOf(server.databaseUrl);
  if (place && /^(28|3D)/.test(code ?? '')) {
    return new AppError('invalid_input', `DATABASE_URL (${place}) is refused: ${(error as Error).message}.`, {
      cause: error,
      remedy: 'Correct its user, password or database.',
    });
  }
  return error;
}
