/** Benchmark of the webhook door: how long until a delivery of 25 KB is on disk, with its job, and answered. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runningEmbedded } from '../src/server/store/embedded.ts';
import { type ServerStage, setServerStage, webhookSecret } from '../test/e2e/server-stage.ts';
import { line } from './action-stage.ts';
import {
  commentDeliveries,
  inFlight,
  type Measured,
  percentile,
  steadily,
  type Target,
} from './deliveries.ts';

const perSecond = 500;
const senders = 16;

/** Beside the floor on the same PostgreSQL; then with routing in the same process, which decides each of them. */
export async function measureAcknowledgement(seconds: number): Promise<void> {
  {
    await using stage = await setServerStage({ role: 'web', validate: false });
    const target = await targetOf(stage);
    await using floor = await startFloor(stage);
    const bare = { ...target, url: floor.url };
    await inFlight(bare, senders, 2);
    await inFlight(target, senders, 2);
    const [bareSteady, bareLimit] = await both(bare, seconds);
    const [steady, limit] = await both(target, seconds);
    const ratio = (percentile(steady.ms, 99) / percentile(bareSteady.ms, 99)).toFixed(2);
    line(
      'acknowledgement: --role web',
      `${latency(steady)} (aim: p99 under 50); floor ${latency(bareSteady)}; ${ratio} × the floor's p99`,
    );
    line(
      `acknowledgement: ${senders} in flight`,
      `${rate(limit)} (aim: at least 1,000); floor ${rate(bareLimit)}; ${(limit.perSecond / bareLimit.perSecond).toFixed(2)} × the floor`,
    );
    check(steady, limit, bareSteady, bareLimit);
  }
  await using stage = await setServerStage({ role: 'all', validate: false });
  const target = await targetOf(stage);
  await inFlight(target, senders, 2);
  await drained(stage);
  const steady = await steadily(target, perSecond, seconds);
  const left = await undecided(stage);
  const behind = await drained(stage);
  const limit = await inFlight(target, senders, seconds);
  line(
    'acknowledgement: --role all',
    `${latency(steady)}, each decided beside it: ${left} were still to be decided at the end, ${Math.round(behind)} ms; ${rate(limit)} at ${senders} in flight`,
  );
  check(steady, limit);
}

async function both(target: Target, seconds: number): Promise<[Measured, Measured]> {
  const steady = await steadily(target, perSecond, seconds);
  await sleep(1_000);
  const limit = await inFlight(target, senders, seconds);
  await sleep(1_000);
  return [steady, limit];
}

async function targetOf({ github, repository, url }: ServerStage): Promise<Target> {
  const next = await commentDeliveries({ github, repository, secret: webhookSecret });
  return { url: `${url}/webhook`, next };
}

async function startFloor({ dataDir }: ServerStage): Promise<AsyncDisposable & { url: string }> {
  const file = join(import.meta.dirname, 'server-floor.ts');
  const child: ChildProcess = fork(file, [runningEmbedded(dataDir)!, webhookSecret]);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function undecided(stage: ServerStage): Promise<number> {
  const [row] = await (await stage.database()).query<{ count: string }>(
    'select count(*) from deliveries where verdict is null',
  );
  return Number(row!.count);
}

/** Milliseconds until everything is decided. */
async function drained(stage: ServerStage): Promise<number> {
  const from = performance.now();
  while ((await undecided(stage)) > 0) await sleep(20);
  return performance.now() - from;
}

function latency({ ms }: Measured): string {
  return `p50 ${percentile(ms, 50).toFixed(1)}, p99 ${percentile(ms, 99).toFixed(1)} ms at ${perSecond}/s`;
}

function rate({ perSecond: rate, ms }: Measured): string {
  return `${Math.round(rate)}/s (p99 ${percentile(ms, 99).toFixed(1)} ms)`;
}

function check(...all: Measured[]): void {
  for (const { statuses } of all) {
    const others = Object.entries(statuses).filter(([status]) => status !== '202');
    if (others.length > 0) line('  not accepted', JSON.stringify(statuses));
  }
}
