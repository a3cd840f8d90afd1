/** How a task is shown while it is followed: redrawn in place on a terminal, as lines elsewhere, as JSON for scripts. */
import { isTerminal } from '../words/progress.ts';
import { isWaiting, type Seen, type Step } from './dispatch-step.ts';
import { clockTime, jsonLine, oneLine, printable } from './dispatch-text.ts';

export interface View {
  show(step: Step): void;
  /** Leaves what was shown last. */
  close(): void;
}

export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  rows?: number;
}

/** One event a line on `output`; what it waits for on `remarks`. */
export function jsonView(output: Screen, remarks: Screen): View {
  return {
    show: (step) =>
      void (isWaiting(step)
        ? remarks.write(`Waiting for ${oneLine(step.waitingFor, 500)}.\n`)
        : output.write(`${jsonLine(step)}\n`)),
    close: () => {},
  };
}

/** What is new, line by line. */
export function plainView(output: Screen, now: () => number): View {
  const begun = beginning(now);
  let told: string[] = [];
  let before: Seen | null = null;
  return {
    show: (step) => {
      const at = clockTime(begun.elapsed(step));
      if (isWaiting(step)) {
        output.write(`${at}  waiting for ${oneLine(step.waitingFor, 500)}\n`);
        return;
      }
      if (!before) output.write(`${heading(step)}\n`);
      const done = step.completed_tasks.filter((task) => !told.includes(task));
      told = step.completed_tasks;
      const isNew = step.current_task !== '' && step.current_task !== before?.current_task;
      const lines = [
        `${at}  ${step.status.replace('_', ' ')}${step.message ? `: ${oneLine(step.message)}` : ''}`,
        ...done.map((task) => `      ✓ ${oneLine(task)}`),
        ...(isNew && !isTerminal(step.status) ? [`      ▸ ${oneLine(step.current_task)}`] : []),
      ];
      before = step;
      output.write(`${lines.join('\n')}\n`);
      if (isTerminal(step.status)) output.write(ending(step, begun.elapsed(step)));
    },
    close: () => {},
  };
}

/** The whole state, drawn over itself once a second. */
export function liveView(output: Screen, now: () => number): View {
  const begun = beginning(now);
  let latest: Step = { waitingFor: 'the run to begin' };
  let seen: Seen | null = null;
  let height = 0;
  const draw = () => {
    const lines = frame({ seen, latest, elapsed: begun.elapsed(latest), rows: output.rows || 24 });
    // Without wrapping, a line is a line whatever its width; what was drawn last is wiped.
    output.write(`${height ? `\x1b[${height}A` : ''}\r\x1b[J\x1b[?7l${lines.join('\n')}\n\x1b[?7h`);
    height = lines.length;
  };
  draw();
  const timer = setInterval(draw, 1_000);
  return {
    show: (step) => {
      latest = step;
      if (!isWaiting(step)) seen = step;
      draw();
      if (!isWaiting(step) && isTerminal(step.status)) {
        output.write(ending(step, begun.elapsed(step)));
        height = 0;
      }
    },
    close: () => clearInterval(timer),
  };
}

/** When it began: with the first event that is told of, or with the command. */
function beginning(now: () => number) {
  let since = now();
  return {
    elapsed: (step: Step): number => {
      if (isWaiting(step)) return now() - since;
      const at = Date.parse(step.timestamp) || now();
      since = Math.min(since, at);
      return (isTerminal(step.status) ? at : now()) - since;
    },
  };
}

function heading({
  repository,
  correlation_id: id,
  run_id: run,
  run_attempt: attempt,
  run_url: url,
}: Seen): string {
  const parts = [
    repository,
    id,
    `run ${run}${attempt > 1 ? `, attempt ${attempt}` : ''}`,
    ...(url ? [url] : []),
  ];
  return parts.map((part) => oneLine(part)).join(' · ');
}

interface Frame {
  seen: Seen | null;
  latest: Step;
  elapsed: number;
  rows: number;
}

function frame({ seen, latest, elapsed, rows }: Frame): string[] {
  const state = isWaiting(latest)
    ? `waiting for ${oneLine(latest.waitingFor, 500)}`
    : latest.status.replace('_', ' ');
  const last = `${clockTime(elapsed)}  ${state}`;
  if (!seen) return [last];
  const tasks = seen.completed_tasks.map((task) => `✓ ${oneLine(task)}`);
  const room = Math.max(1, rows - 6);
  const earlier = tasks.length > room ? [`✓ ${tasks.length - room} before these`] : [];
  return [
    heading(seen),
    ...earlier,
    ...tasks.slice(-room),
    ...(seen.current_task && !isTerminal(seen.status) ? [`▸ ${oneLine(seen.current_task)}`] : []),
    ...(seen.message && !isTerminal(seen.status) ? [`  ${oneLine(seen.message)}`] : []),
    last,
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What came of it. */
function ending({ status, result }: Seen, elapsed: number): string {
  const facts = [
    `${status} after ${clockTime(elapsed)}`,
    ...(result?.reason ? [oneLine(result.reason)] : []),
    ...(typeof result?.cost_usd === 'number' ? [`$${result.cost_usd.toFixed(2)}`] : []),
    ...(typeof result?.num_turns === 'number' ? [counted(result.num_turns, 'turn')] : []),
    ...(result?.commits ? [counted(result.commits, 'commit')] : []),
  ];
  const lines = [
    facts.join(', '),
    ...(result?.branch ? [`branch ${oneLine(result.branch)}`] : []),
    ...(result?.pull_request_url ? [oneLine(result.pull_request_url, 2_000)] : []),
    ...(result?.summary ? ['', printable(result.summary).trim()] : []),
  ];
  return `\n${lines.join('\n')}\n`;
}
