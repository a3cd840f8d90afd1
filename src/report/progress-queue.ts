/** What waits to be sent to a progress endpoint: one event at a time, in order, the newest state behind it. */
import { isTerminal, type ProgressEvent } from '../words/progress.ts';
import { deliver, type Send } from './progress-delivery.ts';
import type { Draft } from './progress-event.ts';

/** What a later process needs to go on. */
export interface Sent {
  /** Of the last event that was given a place in the stream; 0 before the first. */
  sequence: number;
  /** Sent, or about to be, and not yet answered for good: it is sent again. */
  unacknowledged: ProgressEvent | null;
  /** What was completed by then: it stays so. */
  completedTasks: string[];
  /** True when nothing more will become of the terminal event: it is acknowledged, or given up. */
  ended: boolean;
}

/** How the events of one process fared. */
export interface DeliveryReport {
  /** Without its query, which may hold what is nobody else's. */
  endpoint: string;
  acknowledged: number;
  /** States that were never sent, as a newer one came while they waited. */
  coalesced: number;
  /** Events that the endpoint refused or did not answer to the end. */
  refused: number;
  /** True when the endpoint has acknowledged the terminal event. */
  ended: boolean;
  /** The last thing that went wrong, also when it went well later. */
  problem: string | null;
}

export interface QueueOptions {
  send: Send;
  /** Makes the event of a draft, once it is its turn. */
  make(draft: Draft, sequence: number): ProgressEvent;
  /** Called before an event is sent first, and when nothing more will become of it. */
  save(sent: Sent): void;
  /** What a former process saved last. */
  earlier?: Sent;
  /** Stops where it is; what is pending is for a later process. */
  signal?: AbortSignal;
  firstDelayMs: number;
}

export interface Queue {
  /** Takes the place of what still waits; a terminal draft is the last that is taken. */
  put(draft: Draft): void;
  /** Resolves after the first attempt to send anything, whatever came of it. */
  tried: Promise<void>;
  /** Resolves when everything is sent or `ms` are over; after half of them the terminal event overtakes a pending one. */
  drain(ms: number): Promise<void>;
  report(): Omit<DeliveryReport, 'endpoint'>;
}

export function progressQueue(options: QueueOptions): Queue {
  const { send, make, signal: stop = new AbortController().signal, firstDelayMs } = options;
  const [hurry, half, over] = [new AbortController(), new AbortController(), new AbortController()];
  const { promise: tried, resolve: onFirstTry } = Promise.withResolvers<void>();
  const books = keepBooks(options);
  let waiting: Draft | null = null;
  let isRunning = false;
  let run = Promise.resolve();

  const next = (): ProgressEvent | null => {
    const { sequence, unacknowledged, ended } = books.sent();
    if (unacknowledged || ended || !waiting) return unacknowledged;
    const event = make(waiting, sequence + 1);
    waiting = null;
    books.open(event);
    return event;
  };
  const onTried = (problem: string | null) => {
    books.note(problem);
    onFirstTry();
  };
  const sendAll = async () => {
    try {
      for (let event = next(); event && !stop.aborted; event = next()) {
        const enough = AbortSignal.any([stop, isTerminal(event.status) ? over.signal : half.signal]);
        const patience = { over: enough, hurry: hurry.signal, firstDelayMs, onTried };
        const outcome = await deliver(event, send, patience);
        if (outcome === 'unanswered' && stop.aborted) return;
        books.settle(event, outcome === 'acknowledged');
      }
    } catch (error) {
      books.note((error as Error).message);
    } finally {
      onFirstTry();
      // In the same breath as the last look at `waiting`: nobody may believe that it is still looked at.
      isRunning = false;
    }
  };
  const start = () => {
    if (isRunning) return;
    isRunning = true;
    run = sendAll();
  };

  return {
    put: (draft) => {
      if (waiting?.result) return;
      if (waiting) books.report.coalesced += 1;
      waiting = draft;
      start();
    },
    tried,
    drain: async (ms) => {
      hurry.abort();
      start();
      // These two keep the process until all is sent.
      const timers = [setTimeout(() => half.abort(), ms / 2), setTimeout(() => over.abort(), ms)];
      await run;
      for (const timer of timers) clearTimeout(timer);
    },
    report: () => ({ ...books.report }),
  };
}

/** Which event is under way, for a later process; and how all fared, for the report. */
function keepBooks({ save, earlier }: Pick<QueueOptions, 'save' | 'earlier'>) {
  let sent: Sent = earlier ?? { sequence: 0, unacknowledged: null, completedTasks: [], ended: false };
  const report: Omit<DeliveryReport, 'endpoint'> = {
    acknowledged: 0,
    coalesced: 0,
    refused: 0,
    ended: false,
    problem: null,
  };
  const note = (problem: string | null) => {
    report.problem = problem ?? report.problem;
  };
  const keep = (next: Sent) => {
    sent = next;
    try {
      save(next);
    } catch (error) {
      // Sending goes on: only a later process would miss it.
      note((error as Error).message);
    }
  };
  return {
    report,
    note,
    sent: () => sent,
    open: (event: ProgressEvent) =>
      keep({
        sequence: event.sequence,
        unacknowledged: event,
        completedTasks: event.completed_tasks,
        ended: false,
      }),
    settle: ({ sequence, status, completed_tasks }: ProgressEvent, isAcknowledged: boolean) => {
      report[isAcknowledged ? 'acknowledged' : 'refused'] += 1;
      report.ended = isAcknowledged && isTerminal(status);
      const ended = isTerminal(status);
      keep({ sequence, unacknowledged: null, completedTasks: completed_tasks, ended });
    },
  };
}
