/** A clock whose time passes only by waiting, and a list of steps, for tests of following. */
import type { ProgressEvent } from '../words/progress.ts';
import type { Clock, Step } from './dispatch-step.ts';

/** @param meanwhile called with each pause, in milliseconds, instead of waiting for it. */
export function clockOf(meanwhile: (ms: number) => void | Promise<void> = () => {}): Clock {
  let now = Date.parse('2026-01-17T12:00:00Z');
  return {
    now: () => now,
    wait: async (ms) => {
      now += ms;
      await meanwhile(ms);
    },
  };
}

export async function all(steps: AsyncGenerator<Step>): Promise<Step[]> {
  const list: Step[] = [];
  for await (const step of steps) list.push(step);
  return list;
}

export function eventOf(changes: Partial<ProgressEvent> = {}): ProgressEvent {
  const sequence = changes.sequence ?? 1;
  return {
    repository: 'octo-org/hello',
    run_id: '42',
    correlation_id: 'req-1',
    status: 'in_progress',
    message: 'Implementing feature…',
    completed_tasks: [],
    current_task: '',
    timestamp: '2026-01-17T12:00:00Z',
    version: 1,
    run_attempt: 1,
    sequence,
    event_id: `0d9f5bd4-1f6b-4c39-9f5e-${String(sequence).padStart(12, '0')}`,
    result: null,
    ...changes,
  };
}

export const success: ProgressEvent['result'] = {
  conclusion: 'success',
  reason: '',
  summary: 'Said **hello**.',
  branch: 'claude/hello',
  pull_request_url: 'https://github.com/octo-org/hello/pull/3',
  commits: 2,
  cost_usd: 0.4213,
  num_turns: 12,
  duration_ms: 182_000,
  session_id: null,
};
