/** The machine's own PostgreSQL, as an operator would run it: a cluster in a temporary directory, reached by TCP. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresAccount } from './postgres-account.ts';

/** Null where none is installed. */
export const debianPostgres: string | null =
  globSync('/usr/lib/postgresql/*/bin')
    .filter((directory) => existsSync(join(directory, 'initdb')))
    .sort()
    .at(-1) ?? null;

export interface OperatorsPostgres {
  /** Of a database that is there and empty. */
  url: string;
  start(): Promise<void>;
  /** As a machine that loses power does. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startDebianPostgres(): Promise<OperatorsPostgres> {
  const root = mkdtempSync(join(tmpdir(), 'fh-debian-'));
  const account = postgresAccount(join(root, 'data'));
  if (account) chownSync(root, account.uid, account.gid);
  const as = {
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
    cwd: root,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  };
  const data = join(root, 'data');
  execFileSync(
    join(debianPostgres!, 'initdb'),
    ['-D', data, '-U', 'operator', '--auth=trust', '--encoding=UTF8', '--no-locale'],
    { ...as, stdio: 'ignore' },
  );
  const port = await freePort();
  const url = `postgres://operator:any@127.0.0.1:${port}/postgres`;
  let child: ReturnType<typeof spawn>;
  const start = async () => {
    const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${root}`];
    child = spawn(
      join(debianPostgres!, 'postgres'),
      ['-D', data, ...settings.flatMap((one) => ['-c', one])],
      {
        ...as,
        stdio: 'ignore',
      },
    );
    for (let tries = 0; !(await answers(url)); tries += 1) {
      if (tries > 500) throw new Error('PostgreSQL did not start.');
      await sleep(20);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url,
    start,
    kill: () => end('SIGKILL'),
    close: async () => {
      await end('SIGQUIT');
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
