/** Benchmark of memory: the server alone, its PostgreSQL, and what a session adds while it works and while it rests. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from '../test/e2e/chaos-victims.ts';
import { type ServerStage, setServerStage } from '../test/e2e/server-stage.ts';
import { bash } from '../testkit/claude/tools.ts';
import { line } from './action-stage.ts';

/** Proportional set size: memory that processes share is counted once. */
export async function measureMemory(): Promise<void> {
  const script = [{ tools: [bash('for n in $(seq 6); do sleep 1; done')] }, { text: 'Done.' }];
  await using stage = await setServerStage({ script, validate: false });
  const place = { dataDir: stage.dataDir, key: '' };
  await sleep(3_000);
  const [server, postgres] = [find('server', place), find('database', place)];
  line('memory: idle, all roles', `server ${mib(server)}, its PostgreSQL ${mib(postgres)} more`);
  const issue = await stage.openIssue();
  await stage.model.request(1);
  await sleep(3_000);
  const session = () => find('session', { ...place, key: `octo-org/hello#${issue.number}` });
  const parts = () => {
    const [own, all] = [session(), withDescendants(session())];
    const claude = all.filter((pid) => !own.includes(pid));
    return `${mib(all)} (session process ${mib(own)}, Claude in its fence ${mib(claude)})`;
  };
  line(
    'memory: a session at work',
    `${parts()}; its connections to PostgreSQL ${mib(find('database', place))}`,
  );
  await stage.answered(issue, 'Done.');
  await sleep(2_000);
  line('memory: a session at rest', parts());
  line('memory: a parked thread', `no process; ${await rowsOf(stage)}`);
}

function mib(pids: number[]): string {
  return `${Math.round(pids.reduce((sum, pid) => sum + proportional(pid), 0) / 1_024)} MiB`;
}

function proportional(pid: number): number {
  try {
    return Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // gone meanwhile
  }
}

function withDescendants(roots: number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      parents.set(
        Number(name),
        Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]),
      );
    } catch {
      // gone meanwhile
    }
  }
  const all = new Set(roots);
  for (let size = -1; size !== all.size; ) {
    size = all.size;
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid);
  }
  return [...all];
}

/** What is kept of a thread between its sessions, besides the workspace on disk. */
async function rowsOf(stage: ServerStage): Promise<string> {
  const tables = ['deliveries', 'threads', 'messages', 'transcript', 'session_events', 'spend'];
  const database = await stage.database();
  const found = await Promise.all(
    tables.map(async (table) => {
      const [row] = await database.query<{ rows: string; bytes: string }>(
        `select count(*) as rows, coalesce(sum(pg_column_size(t.*)), 0) as bytes from ${table} t`,
      );
      return { table, rows: Number(row!.rows), bytes: Number(row!.bytes) };
    }),
  );
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  const rows = found.map(({ table, rows: count }) => `${count} ${table.replace('_', ' ')}`).join(', ');
  return `${Math.round(bytes / 1_024)} KiB in rows: ${rows}`;
}
