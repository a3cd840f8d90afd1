/** `forgehand serve`: starts the server, and ends it in order when it is asked to. */
import { parseArgs } from 'node:util';
import type { Role } from '../server/configuration.ts';
import { checkFence } from '../server/fence-check.ts';
import { type RunningServer, serve } from '../server/serve.ts';
import { complain } from './complain.ts';
import { version } from './version.ts';

/** An end that hangs on a slow client or a lost database is cut. */
const longestEndMs = 25_000;

/** @returns the exit code when it did not start; otherwise the process goes on until it is told to end. */
export async function serveCommand(args: string[]): Promise<number> {
  const role = roleOf(args);
  if (!role) {
    console.error('Usage: forgehand serve [--role all|web|worker]');
    return 2;
  }
  let server: RunningServer;
  try {
    server = await serve({
      role,
      environment: process.env,
      directory: process.cwd(),
      version: version(),
      print: (line) => process.stdout.write(`${line}\n`),
      parts: {
        startWeb: async (context) => (await import('../server/app.ts')).startWeb(context),
        startWorker: async (context) => (await import('../server/threads/worker.ts')).startWorker(context),
        checkFence,
      },
    });
  } catch (error) {
    return complain(error);
  }
  process.exit(await untilAsked(server));
}

function roleOf(args: string[]): Role | null {
  try {
    const { values } = parseArgs({ args, options: { role: { type: 'string', default: 'all' } } });
    return (['all', 'web', 'worker'] as const).find((role) => role === values.role) ?? null;
  } catch {
    return null;
  }
}

async function untilAsked(server: RunningServer): Promise<number> {
  const { log } = server;
  const why = await new Promise<{ words: string; code: number }>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => resolve({ words: `${signal}: ending.`, code: 0 }));
    }
    const broken = (error: unknown) => {
      log.error(`Unforeseen: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      resolve({ words: 'Ending after an unforeseen error; what was accepted is kept.', code: 1 });
    };
    process.on('uncaughtException', broken);
    process.on('unhandledRejection', broken);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  log.info(`${why.words} Sessions go on.`);
  setTimeout(() => {
    log.warning('The end takes too long; leaving what is under way to the next start.');
    process.exit(1);
  }, longestEndMs).unref();
  await server.close().catch((error) => log.error(`While ending: ${error.message}`));
  log.info('Ended.');
  return why.code;
}
