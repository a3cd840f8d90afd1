/** What happens to a session, one after the other: from Claude, from the database, from the clock, from the operator. */
import type { ConversationEnd, TurnEnd } from '../../claude/conversation.ts';
import type { AppError } from '../../words/errors.ts';

export type Happening =
  /** The thread's row or its messages may have changed. */
  | { kind: 'changed' }
  | { kind: 'taken'; uuids: string[] }
  | { kind: 'turn'; turn: TurnEnd }
  | { kind: 'working' | 'idle' }
  | { kind: 'over'; end: ConversationEnd }
  /** Claude has said nothing for so long. */
  | { kind: 'silent'; minutes: number }
  | { kind: 'out_of_time' }
  /** Nobody has written for so long that the process may go. */
  | { kind: 'rested' }
  /** Another thread waits for this place. */
  | { kind: 'make_room' }
  | { kind: 'stop' }
  | { kind: 'lost'; error: AppError };

/** A queue with the session's clocks; whoever awaits it gets one happening at a time. */
export class Happenings implements AsyncIterable<Happening> {
  private readonly queue: Happening[] = [];
  private wake: (() => void) | null = null;
  private closed = false;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly minutes: { idle: number; silence: number };

  constructor(minutes: { idle: number; silence: number }) {
    this.minutes = minutes;
  }

  push(happening: Happening): void {
    if (happening.kind === 'working') this.working();
    if (happening.kind === 'idle') this.resting();
    // What is urgent must not wait behind the end of a turn's reports.
    if (happening.kind === 'lost') this.queue.unshift(happening);
    else this.queue.push(happening);
    this.wake?.();
  }

  /** Claude has given a sign of life. */
  heard(): void {
    if (this.timers.has('silent')) this.watch();
  }

  /** How long Claude may go on working; null stops the clock. Milliseconds. */
  timeLeft(ms: number | null): void {
    this.set('out_of_time', ms, { kind: 'out_of_time' });
  }

  /** From now on silence is suspicious, and there is no rest. */
  working(): void {
    this.set('rested', null);
    this.watch();
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Happening> {
    while (!this.closed) {
      const next = this.queue.shift();
      if (next) yield next;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        this.wake = null;
      }
    }
  }

  private resting(): void {
    this.set('silent', null);
    this.set('rested', this.minutes.idle * 60_000, { kind: 'rested' });
  }

  private watch(): void {
    const { silence } = this.minutes;
    this.set('silent', silence * 60_000, { kind: 'silent', minutes: silence });
  }

  private set(name: string, ms: number | null, happening?: Happening): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
    if (ms === null || !happening || this.closed) return;
    // Longer than 24 days a timer would fire at once.
    const timer = setTimeout(() => this.push(happening), Math.min(ms, 2 ** 31 - 1));
    this.timers.set(name, timer);
  }
}
