/** The worker: gives waiting threads a session as far as there is room, and looks after those that died. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { endProcesses } from '../../claude/process.ts';
import type { RunningPart, ServerContext } from '../context.ts';
import { inTurn } from '../in-turn.ts';
import { startInbox } from '../inbox/start.ts';
import { startForwarding } from '../progress/forward.ts';
import { hostName, isAlive, ourselves } from '../session/holder.ts';
import {
  adoptLease,
  claimThread,
  type Holder,
  leasesOf,
  longestIdle,
  makeRoom,
  nameSession,
  releaseLease,
  somebodyWaits,
} from '../store/leases.ts';
import { handBack } from '../store/session-threads.ts';
import { removeOld } from '../store/tending.ts';
import { createLauncher, type Launcher } from './launch.ts';
import { logSessions } from './session-log.ts';
import { sessionName } from './session-name.ts';
import { tend } from './tend.ts';

/** How often a worker looks even when nobody has called: for leases that ran out, and for what was missed. */
const lookEveryMs = 2_000;
/** How often it feels whether the processes of its sessions still live, which costs no query. */
const feelEveryMs = 250;
const tendEveryMs = 60_000;

export async function startWorker(context: ServerContext): Promise<RunningPart> {
  const { configuration, store, jobs, log } = context;
  const host = hostName(configuration.server.dataDir);
  const forwarding = await startForwarding(context);
  const launcher = await createLauncher(process.env, [
    process.execPath,
    ...process.execArgv,
    process.argv[1]!,
  ]);
  log.info(launcher.inTmux ? 'Sessions run in tmux.' : 'There is no tmux; sessions run detached.');
  const complain = (error: Error) =>
    log.warning(`The worker could not look after its threads: ${error.message}`);
  const looking: Looking = { context, host, launcher, watched: [] };
  const look = inTurn(() => lookAfter(looking).catch(complain));
  const feel = () => {
    if (looking.watched.every(isAlive)) return;
    // Looking fills it again; until then a session that has died is noticed once.
    looking.watched = [];
    look();
  };
  const care = inTurn(() => tend(context).catch(complain));
  const stops = [
    await store.database.listen('threads', () => {
      look();
      care();
    }),
    await logSessions(context, host),
  ];
  const timers = [
    setInterval(look, lookEveryMs),
    setInterval(feel, feelEveryMs),
    setInterval(care, tendEveryMs),
  ];
  const inbox = await startInbox(context);
  await jobs.work('retention', () => removeOld(store.database, configuration.server.retentionDays));
  await jobs.schedule('retention', '17 3 * * *');
  look();
  care();
  return {
    url: null,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      inbox.close();
      for (const stop of stops) await stop();
      await Promise.all([look.settled(), care.settled(), forwarding?.close()]);
    },
  };
}

interface Looking {
  context: ServerContext;
  host: string;
  launcher: Launcher;
  /** The processes of this machine that hold leases, as far as they were known at the last look. */
  watched: Pick<Holder, 'pid' | 'pidStarted'>[];
}

async function lookAfter(looking: Looking): Promise<void> {
  await releaseDead(looking);
  while (await startOne(looking));
  const { store } = looking.context;
  if (!(await somebodyWaits(store.database))) return;
  // Somebody waits while another only rests: its conversation is kept, so it may go.
  const idle = await longestIdle(store.database, looking.host);
  if (idle) await makeRoom(store.database, idle);
}

/** A session of this machine whose process is gone will not come back: nobody has to wait for its lease to run out. */
async function releaseDead(looking: Looking): Promise<void> {
  const { store, log } = looking.context;
  const all = await leasesOf(store.database, looking.host);
  looking.watched = all.filter(isAlive);
  for (const held of all) {
    if (looking.watched.includes(held)) continue;
    log.warning('The session has died; it is taken up again.', { task: held.key, session: held.sessionName });
    // Two writers must never be: what it had started goes first.
    await endProcesses(held.mark, null);
    await releaseLease(store.database, held.key, held.lease);
  }
}

async function startOne(looking: Looking): Promise<boolean> {
  const { context, host, launcher } = looking;
  const { configuration, store, log, sessionConfiguration } = context;
  const { maxSessions, maxSessionsPerRepository, dataDir } = configuration.server;
  const lease = randomUUID();
  const holder = ourselves(host);
  const claim = await claimThread(store.database, { lease, holder, maxSessions, maxSessionsPerRepository });
  if (!claim) return false;
  const { key, former } = claim;
  if (former?.host === host) await endFormer(former, log.with({ task: key }));
  const name = await nameSession(store.database, { key, lease }, (isTaken) => sessionName(key, isTaken));
  try {
    const { pid, inTmux } = await launcher.launch({
      name,
      args: ['session', key, '--lease', lease, '--configuration', sessionConfiguration],
      logs: join(dataDir, 'logs'),
    });
    // From now on its life, not ours, tells whether the lease is held.
    const session = ourselves(host, holder.mark, pid);
    await adoptLease(store.database, { key, lease }, { ...session, inTmux });
    looking.watched.push(session);
    log.info('A session was started.', { task: key, session: name });
  } catch (error) {
    log.error(`The session could not be started: ${(error as Error).message}`, { task: key, session: name });
    await handBack(store.database, { key, lease }, { delaySeconds: 2, forgive: true });
    return false;
  }
  return true;
}

/** It could not renew its lease, nor notice that: the workspace here is the new session's from now on. */
async function endFormer(former: Holder, log: ServerContext['log']): Promise<void> {
  if (isAlive(former) && former.pid !== process.pid) {
    log.warning('The former session hangs and has lost its lease; it is ended.');
    process.kill(former.pid, 'SIGKILL');
  }
  await endProcesses(former.mark, null);
}
