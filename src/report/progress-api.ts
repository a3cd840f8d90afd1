/** The Progress API's reporter: an endpoint hears how a task goes, and never holds it up. */
import type { Redact } from '../words/redact.ts';
import type { Progress, Reporter } from '../words/result.ts';
import { shown } from '../words/shown.ts';
import { type Endpoint, postTo } from './endpoint.ts';
import type { Send } from './progress-delivery.ts';
import { type Draft, draftOf, makeEvent, type ProgressStream, terminalDraft } from './progress-event.ts';
import { type DeliveryReport, progressQueue, type Sent } from './progress-queue.ts';

export type { DeliveryReport, Sent };

export interface ProgressApiOptions {
  stream: ProgressStream;
  /** Where `send` leads, for the delivery report. */
  endpoint: string;
  send: Send;
  /** Keeps what a later process (`post`) goes on from; called before an event is sent first and when it is settled. */
  save(sent: Sent): void;
  /** What a former process saved last: what is pending is sent first. */
  earlier?: Sent;
  redact: Redact;
  /** How long the end is tried to be said, in milliseconds. */
  terminalMs?: number;
  /** Milliseconds before an event is tried a second time. */
  firstDelayMs?: number;
  /** Stops sending where it is; `finished` resolves, and a later process may go on. */
  signal?: AbortSignal;
}

/**
 * `started` waits for the first attempt, two seconds at most; `progress` for nothing; `finished` until the terminal
 * event is acknowledged, refused or given up. In a later process `finished` sends what is pending first; when that is a
 * terminal event, or one was settled before, the result given now adds nothing. None of them throws.
 */
export interface ProgressApi extends Reporter {
  report(): DeliveryReport;
}

const longestStartMs = 2_000;

export function progressApi(options: ProgressApiOptions): ProgressApi {
  const { stream, redact, terminalMs = 180_000, firstDelayMs = 1_000 } = options;
  const make = (draft: Draft, sequence: number) => makeEvent(draft, { stream, sequence, redact });
  const queue = progressQueue({ ...options, make, firstDelayMs });
  // Cumulative: they stay completed when nothing is said of them.
  let tasks = options.earlier?.completedTasks ?? [];
  const tell = (progress: Progress) => {
    tasks = progress.completedTasks ?? tasks;
    queue.put(draftOf(progress, tasks));
  };
  return {
    name: 'Progress API',
    started: async () => {
      tell({ status: 'queued', message: 'The task is accepted.' });
      const { promise: enough, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, longestStartMs);
      await Promise.race([queue.tried, enough]);
      clearTimeout(timer);
    },
    progress: async (progress) => tell(progress),
    finished: async (result) => {
      queue.put(terminalDraft(result, tasks));
      await queue.drain(terminalMs);
    },
    report: () => {
      const { problem, ...counts } = queue.report();
      const endpoint = options.endpoint.replace(/[?#].*/s, '');
      return { endpoint, ...counts, problem: problem && redact(problem) };
    },
  };
}

/** @param token another one when asked for a fresh one. */
export function sender(endpoint: Endpoint, token: (fresh?: boolean) => Promise<string>): Send {
  return async (event, signal) => {
    const post = async (fresh: boolean) =>
      postTo(endpoint, {
        body: JSON.stringify(event),
        headers: {
          authorization: `Bearer ${await token(fresh)}`,
          'content-type': 'application/json',
          'idempotency-key': event.event_id,
        },
        signal,
      });
    const answer = await post(false);
    return answer.status === 401 ? post(true) : answer;
  };
}

/** Of the step summary. Markdown. */
export function deliveryLines(report: DeliveryReport): string {
  const counts = [
    `${report.acknowledged} acknowledged`,
    ...(report.coalesced ? [`${report.coalesced} replaced by a newer state before they were sent`] : []),
    ...(report.refused ? [`${report.refused} not taken`] : []),
  ];
  const end = report.ended ? 'It knows that the task ended.' : '⚠️ It does not know that the task ended.';
  return [
    `**Progress** to ${shown(report.endpoint)}: ${counts.join(', ')}. ${end}`,
    ...(report.problem ? [`> Last problem: ${shown(report.problem)}`] : []),
  ].join('\n\n');
}
