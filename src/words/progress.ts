/** The Progress API's event: the body of each POST, as senders make it and receivers check it. */
import * as z from 'zod/mini';
import type { Conclusion } from './result.ts';

/** The last three are terminal, and only the engine says them. */
export const progressStatuses = ['queued', 'in_progress', 'completed', 'failed', 'cancelled'] as const;

/** `owner/repo`. */
const repository = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/[A-Za-z0-9._-]{1,100}$/));
const correlationId = z.string().check(z.minLength(1), z.maxLength(200), z.regex(/^[\x21-\x7e]+$/));
const text = z.string().check(z.maxLength(70_000));
const wholeNumber = z.number().check(z.int(), z.minimum(0));

/** How the task ended; only on the terminal event. */
export const progressResult = z.object({
  conclusion: z.enum(['success', 'failure', 'cancelled', 'skipped']),
  /** One of `words/result.ts`; empty on success. */
  reason: z.string().check(z.maxLength(50)),
  /** Markdown. */
  summary: text,
  branch: z.nullable(z.string()),
  pull_request_url: z.nullable(z.string()),
  /** How many commits were published. */
  commits: wholeNumber,
  cost_usd: z.nullable(z.number()),
  num_turns: z.nullable(wholeNumber),
  duration_ms: z.nullable(wholeNumber),
  session_id: z.nullable(z.string()),
  structured_output: z.optional(z.unknown()),
});

/** The first eight fields are the base contract; their meaning never changes. */
export const progressEvent = z.object({
  repository,
  run_id: z.string().check(z.regex(/^\d{1,20}$/)),
  correlation_id: correlationId,
  status: z.enum(progressStatuses),
  /** Markdown. */
  message: text,
  completed_tasks: z.array(z.string().check(z.maxLength(2_000))).check(z.maxLength(500)),
  /** Empty when nothing is being worked on. */
  current_task: z.string().check(z.maxLength(2_000)),
  /** When the event was made: ISO 8601, UTC. */
  timestamp: z.iso.datetime(),
  version: z.literal(1),
  run_attempt: z.number().check(z.int(), z.minimum(1)),
  /** Counts from 1 without gaps within (repository, correlation_id, run_id, run_attempt). */
  sequence: z.number().check(z.int(), z.minimum(1)),
  /** Of this event for ever: what comes twice has the same one. */
  event_id: z.uuid(),
  result: z.nullable(progressResult),
});

export type ProgressStatus = (typeof progressStatuses)[number];
export type ProgressResult = z.output<typeof progressResult>;
export type ProgressEvent = z.output<typeof progressEvent>;

export function isTerminal(status: ProgressStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** A run that was skipped did nothing of what was asked. */
export function statusOf(conclusion: Conclusion): ProgressStatus {
  return ({ success: 'completed', failure: 'failed', cancelled: 'cancelled', skipped: 'cancelled' } as const)[
    conclusion
  ];
}
