/** Makes progress events: redacted, and cut so that each fits the schema and the body that a receiver takes. */
import { randomUUID } from 'node:crypto';
import { type ProgressEvent, type ProgressResult, type ProgressStatus, statusOf } from '../words/progress.ts';
import type { Redact } from '../words/redact.ts';
import type { Progress, Result } from '../words/result.ts';

export interface ProgressStream {
  /** `owner/repo`. */
  repository: string;
  runId: string;
  runAttempt: number;
  correlationId: string;
}

/** What is to be said, before it has a place in the stream. */
export interface Draft {
  status: ProgressStatus;
  message: string;
  /** Cumulative. */
  completedTasks: string[];
  currentTask: string;
  /** ISO 8601, UTC. */
  timestamp: string;
  /** On the terminal one alone. */
  result: Result | null;
}

/** Bytes of JSON. The server's Progress API takes 256 KiB; half of what is allowed here are the two long texts. */
const largest = { event: 250_000, text: 70_000, line: 2_000, tasks: 50_000 };
const mostTasks = 500;

export function draftOf(progress: Progress, completedTasks: string[]): Draft {
  return {
    status: progress.status,
    message: progress.message,
    completedTasks,
    currentTask: progress.currentTask ?? '',
    timestamp: new Date().toISOString(),
    result: null,
  };
}

export function terminalDraft(result: Result, completedTasks: string[]): Draft {
  const status = statusOf(result.conclusion);
  return {
    status,
    message: [result.summary, result.remedy].filter(Boolean).join('\n\n') || `The task ${ends[status]}.`,
    completedTasks,
    currentTask: '',
    timestamp: new Date().toISOString(),
    result,
  };
}

const ends: Partial<Record<ProgressStatus, string>> = {
  completed: 'is completed',
  failed: 'failed',
  cancelled: 'was cancelled',
};

/** An event of its own: it is saved and sent again as it is, never made twice. */
export function makeEvent(
  draft: Draft,
  { stream, sequence, redact }: { stream: ProgressStream; sequence: number; redact: Redact },
): ProgressEvent {
  // Databases refuse NUL and halves of a surrogate pair.
  const clean: Redact = (text) => redact(text).toWellFormed().replaceAll('\0', '');
  const event: ProgressEvent = {
    repository: stream.repository,
    run_id: stream.runId,
    correlation_id: stream.correlationId,
    status: draft.status,
    message: cut(clean(draft.message), largest.text),
    completed_tasks: tasksOf(draft, clean),
    current_task: cut(clean(draft.currentTask), largest.line),
    timestamp: draft.timestamp,
    version: 1,
    run_attempt: stream.runAttempt,
    sequence,
    event_id: randomUUID(),
    result: draft.result && resultOf(draft.result, clean),
  };
  return event.result ? withStructuredOutput(event, draft.result?.structuredOutput, clean) : event;
}

/** The newest ones, when there are too many. */
function tasksOf(draft: Draft, clean: Redact): string[] {
  const tasks = draft.completedTasks.slice(-mostTasks).map((task) => cut(clean(task), largest.line));
  let bytes = jsonBytes(tasks);
  while (bytes > largest.tasks) bytes -= jsonBytes(tasks.shift()) + 1;
  return tasks;
}

function resultOf(result: Result, clean: Redact): ProgressResult {
  const { branch, usage } = result;
  return {
    conclusion: result.conclusion,
    reason: result.reason,
    summary: cut(clean(result.summary), largest.text),
    branch: branch && clean(branch.name),
    pull_request_url: result.pullRequestUrl && clean(result.pullRequestUrl),
    commits: whole(branch?.commits ?? 0),
    cost_usd: usage && Number.isFinite(usage.costUsd) ? usage.costUsd : null,
    num_turns: usage && whole(usage.turns),
    duration_ms: usage && whole(usage.durationMs),
    session_id: result.sessionId,
  };
}

/** Whole or not at all, as a part of it would be another answer. */
function withStructuredOutput(event: ProgressEvent, output: unknown, clean: Redact): ProgressEvent {
  if (output === undefined || !event.result) return event;
  const structured_output = cleaned(output, clean);
  const whole = { ...event, result: { ...event.result, structured_output } };
  if (structured_output !== undefined && jsonBytes(whole) <= largest.event) return whole;
  const note = '\n\n*The structured output is too large to be sent; it is an output of the run.*';
  return { ...event, message: cut(event.message, largest.text - jsonBytes(note)) + note };
}

/** Undefined for what is no JSON or too deep to be walked through. */
function cleaned(value: unknown, clean: Redact): unknown {
  try {
    return JSON.parse(JSON.stringify(value), (_, part) => {
      if (typeof part === 'string') return clean(part);
      if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
      return Object.fromEntries(Object.entries(part).map(([name, inner]) => [clean(name), inner]));
    });
  } catch {
    return undefined;
  }
}

/** @param most bytes as JSON, which are never fewer than the characters that the schema counts. */
function cut(text: string, most: number): string {
  if (text.length <= most && jsonBytes(text) <= most) return text;
  let [end, bytes] = [0, jsonBytes('…')];
  for (const character of text) {
    bytes += jsonBytes(character) - 2;
    if (bytes > most) break;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function whole(number: number): number {
  return Number.isFinite(number) ? Math.max(0, Math.round(number)) : 0;
}
