import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventOf, success } from './dispatch.test-support.ts';
import type { Step } from './dispatch-step.ts';
import { jsonView, liveView, plainView, type View } from './dispatch-view.ts';

const started = Date.parse('2026-01-17T12:00:00Z');
const story: Step[] = [
  { waitingFor: 'the run to begin' },
  eventOf({ status: 'queued', message: '' }),
  eventOf({ timestamp: '2026-01-17T12:00:10Z', current_task: 'Read the code' }),
  eventOf({
    timestamp: '2026-01-17T12:01:00Z',
    message: 'Half of it\nis there.',
    completed_tasks: ['Read the code'],
    current_task: 'Write \x1b[2Jtests',
  }),
  eventOf({
    timestamp: '2026-01-17T12:03:02Z',
    status: 'completed',
    message: 'Done.',
    completed_tasks: ['Read the code', 'Write tests'],
    result: success,
  }),
];

function screen(rows?: number) {
  const written: string[] = [];
  return { rows, write: (text: string) => void written.push(text), text: () => written.join('') };
}

/** @param now when each step is shown: its own time, or the beginning. */
function play(view: (now: () => number) => View, steps = story): void {
  let now = started;
  const shown = view(() => now);
  for (const step of steps) {
    if ('timestamp' in step) now = Date.parse(step.timestamp);
    shown.show(step);
  }
  shown.close();
}

test('as lines: what is new', () => {
  const output = screen();
  play((now) => plainView(output, now));
  expect(output.text()).toBe(`0:00  waiting for the run to begin
octo-org/hello · req-1 · run 42
0:00  queued
0:10  in progress: Implementing feature…
      ▸ Read the code
1:00  in progress: Half of it is there.
      ✓ Read the code
      ▸ Write [2Jtests
3:02  completed: Done.
      ✓ Write tests

completed after 3:02, $0.42, 12 turns, 2 commits
branch claude/hello
https://github.com/octo-org/hello/pull/3

Said **hello**.
`);
});

test('as JSON: one event a line, and what it waits for elsewhere', () => {
  const [output, remarks] = [screen(), screen()];
  play(() => jsonView(output, remarks));
  const lines = output.text().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(story.slice(1));
  expect(output.text()).not.toContain('\x1b');
  expect(remarks.text()).toBe('Waiting for the run to begin.\n');
});

describe('on a terminal', () => {
  afterEach(() => void vi.useRealTimers());

  const esc = '\x1b';
  /** What the view draws with: up by lines, wipe, wrap or not. */
  const drawing = new RegExp(`${esc}\\[(?:(\\d+)A|J|\\?7[lh])|\\r(?=${esc})`);

  /** What a terminal shows after `text`. */
  function terminal(text: string): string {
    const lines = [''];
    for (let rest = text; rest; ) {
      const found = drawing.exec(rest);
      const [first = '', ...more] = rest.slice(0, found?.index).split('\n');
      lines[lines.length - 1] += first;
      lines.push(...more);
      if (found?.[1]) lines.splice(-Number(found[1]) - 1, Number.POSITIVE_INFINITY, '');
      rest = found ? rest.slice(found.index + found[0].length) : '';
    }
    return lines.join('\n');
  }

  test('drawn in place: at the end only the end is left', () => {
    const output = screen();
    play((now) => liveView(output, now));
    expect(terminal(output.text())).toBe(`octo-org/hello · req-1 · run 42
✓ Read the code
✓ Write tests
3:02  completed

completed after 3:02, $0.42, 12 turns, 2 commits
branch claude/hello
https://github.com/octo-org/hello/pull/3

Said **hello**.
`);
  });

  test('meanwhile: what is done, what is being done, how long it takes', () => {
    const output = screen();
    play((now) => liveView(output, now), story.slice(0, 4));
    expect(terminal(output.text())).toBe(`octo-org/hello · req-1 · run 42
✓ Read the code
▸ Write [2Jtests
  Half of it is there.
1:00  in progress
`);
  });

  test('a terminal that does not say its size has one all the same', () => {
    const output = screen(0);
    play((now) => liveView(output, now), [eventOf({ completed_tasks: ['One', 'Two'], message: '' })]);
    expect(terminal(output.text())).toContain('✓ One\n✓ Two\n');
  });

  test('the time goes on without news', () => {
    vi.useFakeTimers({ now: started });
    const output = screen();
    const view = liveView(output, () => Date.now());
    view.show(eventOf({ status: 'queued', message: '' }));
    vi.advanceTimersByTime(61_000);
    expect(terminal(output.text())).toContain('1:01  queued');
    view.close();
    const drawn = output.text();
    vi.advanceTimersByTime(5_000);
    expect(output.text()).toBe(drawn);
  });

  test('more tasks than the screen has lines are counted', () => {
    const output = screen(8);
    const tasks = Array.from({ length: 30 }, (_, index) => `Task ${index + 1}`);
    play((now) => liveView(output, now), [eventOf({ completed_tasks: tasks, message: '' })]);
    expect(terminal(output.text())).toBe(`octo-org/hello · req-1 · run 42
✓ 28 before these
✓ Task 29
✓ Task 30
0:00  in progress
`);
  });

  test('nothing from outside steers it', () => {
    const output = screen();
    const nasty = '\x1b[2J\x9b2J\rgone';
    play(
      (now) => liveView(output, now),
      [
        eventOf({ message: nasty, completed_tasks: [nasty], current_task: nasty, correlation_id: 'req-1' }),
        eventOf({
          status: 'failed',
          result: { ...success!, summary: nasty, branch: nasty, pull_request_url: nasty, reason: nasty },
        }),
      ],
    );
    const text = output.text().replaceAll(new RegExp(drawing, 'g'), '');
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text).toContain('[2J2J gone');
  });
});
