/** One session from its lease to its end: everything made ready, the conversation held, and what is left said. */

import type { OpenFence } from '../../claude/fence.ts';
import { contextAnswers } from '../../engine/answers/context-answers.ts';
import { gatherThread } from '../../engine/context.ts';
import { branchUrl } from '../../engine/links.ts';
import type { Shelf } from '../../prompt/shelf.ts';
import { AppError } from '../../words/errors.ts';
import type { Log } from '../../words/log.ts';
import type { Redact } from '../../words/redact.ts';
import type { PublishedBranch } from '../../words/result.ts';
import type { ToolServer } from '../../words/tool.ts';
import type { Configuration } from '../configuration.ts';
import { repositoryConnection } from '../github.ts';
import { type Holder, releaseLease } from '../store/leases.ts';
import { type Held, markEnded, openMessages } from '../store/session-messages.ts';
import { handBack, type ThreadRow } from '../store/session-threads.ts';
import { spentToday } from '../store/spend.ts';
import type { Store } from '../store/store.ts';
import { Account } from './account.ts';
import { Answers, react } from './answer.ts';
import {
  converse,
  findExecutable,
  openSessionFence,
  prepareClaude,
  removeConfiguration,
  sessionConfiguration,
  toolServers,
} from './claude.ts';
import { openShelf } from './compose.ts';
import { keep, kept, type SessionContext, tell } from './context.ts';
import { sessionDoor } from './door.ts';
import { type Ending, refusal, retryRemedy } from './endings.ts';
import { failed, unconnected } from './failing.ts';
import { Happenings } from './happenings.ts';
import { prepare } from './prepare.ts';
import { runSetup } from './setup.ts';
import { Talk } from './talk.ts';

/** A session process with its lease. */
export interface Holding {
  held: Held;
  configuration: Configuration;
  store: Store;
  thread: ThreadRow;
  holder: Holder;
  secrets: Set<string>;
  redact: Redact;
  show(line: string): void;
  log: Log;
}

export interface Signals {
  /** The lease is lost: nothing may be written any more. */
  lost: AbortSignal;
  /** The operator wants it to end in order. */
  stop: AbortSignal;
}

/** A message that has ended so many sessions is set aside. */
const mostFailures = 5;

/** Leaves the thread in a state from which another session can go on. @throws only LeaseLost */
export async function work(holding: Holding, signals: Signals): Promise<void> {
  const dead = new AbortController();
  const signal = AbortSignal.any([signals.lost, dead.signal]);
  const context = await connect(holding, signal).catch((error) =>
    unconnected({ ...holding, database: holding.store.database, host: holding.holder.host }, error),
  );
  if (!context) return;
  const answers = new Answers(context);
  let ending: Ending;
  try {
    ending = (await setAside(context, answers)) ?? (await hold(context, { answers, signals }));
  } catch (error) {
    ending = await failed(context, answers, error);
  } finally {
    dead.abort(new AppError('cancelled', 'The session has ended.'));
  }
  await leave(context, ending);
}

async function connect(holding: Holding, signal: AbortSignal): Promise<SessionContext> {
  const { configuration, store, held, thread, holder, secrets, redact, show, log } = holding;
  if (!thread.task) throw new AppError('internal', `${held.key} has no task.`);
  const warn = (message: string) => log.warning(message);
  const door = sessionDoor({ configuration, thread, mark: holder.mark, signal, log, secrets, redact, warn });
  const connection = await repositoryConnection(configuration, {
    repository: thread.repository,
    installationId: thread.installationId === null ? null : Number(thread.installationId),
    log,
    addSecret: door.addSecret,
  });
  return {
    configuration,
    database: store.database,
    held,
    thread,
    task: thread.task,
    door,
    connection,
    host: holder.host,
    log,
    show,
  };
}

/** The message that every session has died of. The others are heard. */
async function setAside(context: SessionContext, answers: Answers): Promise<Ending | null> {
  const { database, held } = context;
  const open = await openMessages(database, held.key);
  const poisoned = open.filter(({ failures }) => failures > mostFailures);
  if (poisoned.length === 0) return null;
  const message = `This was tried ${mostFailures} times, and each time the session broke down. It is set aside.`;
  await answers.finish(refusal({ reason: 'internal', message, remedy: retryRemedy }), poisoned);
  await markEnded(
    database,
    poisoned.map(({ id }) => id),
    'set_aside',
  );
  await react(context, poisoned, { former: 'ROCKET', next: 'CONFUSED' });
  await tell(context, 'set_aside', { deliveries: poisoned.map(({ deliveryId }) => deliveryId) });
  return poisoned.length === open.length ? { kind: 'parked' } : null;
}

interface Hold {
  answers: Answers;
  signals: Signals;
}

async function hold(context: SessionContext, { answers, signals }: Hold): Promise<Ending> {
  const { configuration, door, task, connection, thread } = context;
  const { sessionIdleMinutes, watchdogMinutes } = configuration.server;
  const happenings = new Happenings({ idle: sessionIdleMinutes, silence: watchdogMinutes });
  const stopListening = await listen(context, happenings);
  heed(signals, happenings);
  const request = { door, task, connection, trackingCommentId: () => null };
  const gather = once(() => gatherThread(request, thread));
  const executable = await findExecutable(context);
  // A moment later: loading blocks, so GitHub and git are asked first.
  setTimeout(() => prepareClaude(context), 30);
  let fence: OpenFence | null = null;
  try {
    const ready = await prepare(context, {
      gather,
      openFence: async () => {
        fence = await openSessionFence(context, executable);
        return fence;
      },
      onPublished: (branch) => learn(context, answers, branch),
    });
    const [configuration] = await Promise.all([
      sessionConfiguration(context, ready),
      runSetup(context, ready, fence),
    ]);
    let shelf: Shelf | null = null;
    const servers: ToolServer[] = toolServers(context, {
      progress: (progress) => answers.progress(progress),
      push: () => ready.checkout.publisher.push(),
      pullRequest: async (text) => {
        // In the row: the turn may be ended by another session than the one that Claude has told it.
        await keep(context, 'pullRequestText', text);
        return 'Noted: the pull request shows it when your turn ends.';
      },
      context: contextAnswers({
        ...{ door, task, connection },
        shelf: async () => {
          shelf ??= await openShelf(context, { ready, servers });
          return shelf;
        },
      }),
    });
    const account = await openAccount(context);
    const { usd, turns } = account.left(thread.granted);
    const left = { usd, turns };
    const parts = { executable, fence, servers, configuration, happenings, left };
    const conversation = await converse(context, parts);
    void conversation.over.then((end) => happenings.push({ kind: 'over', end }));
    try {
      const talk = new Talk(context, {
        conversation,
        happenings,
        composer: {
          ...{ gather, ready, servers, configuration },
          onShelf: (opened) => {
            shelf = opened;
          },
        },
        answers,
        account,
      });
      return await talk.run();
    } finally {
      happenings.close();
      await conversation.end();
    }
  } finally {
    await stopListening();
    happenings.close();
    await (fence as OpenFence | null)?.close();
    await removeConfiguration(context);
  }
}

function heed(signals: Signals, happenings: Happenings): void {
  const when = (signal: AbortSignal, tell: () => void) => {
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  };
  when(signals.lost, () => happenings.push({ kind: 'lost', error: signals.lost.reason }));
  when(signals.stop, () => happenings.push({ kind: 'stop' }));
}

/** What is new for this thread, and the wish for its place. */
async function listen(
  { database, held }: SessionContext,
  happenings: Happenings,
): Promise<() => Promise<void>> {
  const stops = [
    await database.listen('threads', (key) => {
      // An empty payload: the connection was away, and anything may have happened.
      if (key === held.key || key === '') happenings.push({ kind: 'changed' });
    }),
    await database.listen('make_room', (key) => {
      if (key === held.key) happenings.push({ kind: 'make_room' });
    }),
  ];
  return async () => {
    for (const stop of stops) await stop();
  };
}

async function openAccount(context: SessionContext): Promise<Account> {
  const { configuration, database, thread } = context;
  const { server, engine } = configuration;
  return new Account(
    {
      maxBudgetUsd: engine.maxBudgetUsd,
      maxTurns: server.maxTurns,
      sessionMinutes: server.sessionMinutes,
      maxBudgetUsdPerRepositoryDay: server.maxBudgetUsdPerRepositoryDay,
      maxBudgetUsdPerDay: server.maxBudgetUsdPerDay,
    },
    {
      spentUsd: thread.spentUsd,
      turns: thread.turns,
      workedMs: kept<number>(context, 'workedMs') ?? 0,
      today: await spentToday(database, thread.repository),
    },
  );
}

function learn({ door }: SessionContext, answers: Answers, branch: PublishedBranch): void {
  answers.learn({ name: branch.name, url: branchUrl(door.host.serverUrl, branch.repository, branch.name) });
}

async function leave(context: SessionContext, ending: Ending): Promise<void> {
  const { database, held } = context;
  await tell(context, ending.kind, 'why' in ending ? { why: ending.why } : {});
  // Last: until here no other session may begin, as Claude may still have been alive.
  if (ending.kind === 'again') await handBack(database, held, ending);
  else if (ending.kind !== 'lost') await releaseLease(database, held.key, held.lease);
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= work();
    return answer;
  };
}
