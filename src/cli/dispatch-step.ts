/** What following a task brings, wherever it is followed: how it goes, or what it waits for. */
import type { ProgressEvent } from '../words/progress.ts';

type Base = Pick<
  ProgressEvent,
  | 'repository'
  | 'run_id'
  | 'correlation_id'
  | 'status'
  | 'message'
  | 'completed_tasks'
  | 'current_task'
  | 'timestamp'
  | 'run_attempt'
  | 'result'
>;

/** A progress event as it came, or as much of one as can be seen from outside the run. */
export interface Seen extends Base {
  /** The page of the run, when it is the run that is followed. */
  run_url?: string;
}

export interface Waiting {
  waitingFor: string;
}

export type Step = Seen | Waiting;

/** Time, for tests to let pass. Milliseconds. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<void>;
}

export function isWaiting(step: Step): step is Waiting {
  return 'waitingFor' in step;
}
