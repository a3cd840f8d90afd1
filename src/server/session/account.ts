/** Keeps count of what a session uses: dollars, turns and minutes, as they are compared with the limits. */
import type { FullUsage } from '../../words/result.ts';
import type { Granted } from '../store/session-threads.ts';
import { type Limits, left, type Reached, reached, type Used } from './limits.ts';

export class Account {
  readonly limits: Limits;
  private readonly used: Used;
  /** Claude Code counts from the start of its process: how much of that was added already. */
  private counted: FullUsage | null = null;
  private workingSince: number | null = null;

  constructor(limits: Limits, used: Used) {
    this.limits = limits;
    this.used = used;
  }

  startWork(): void {
    this.workingSince ??= Date.now();
  }

  stopWork(): void {
    this.used.workedMs = this.workedMs;
    this.workingSince = null;
  }

  get isWorking(): boolean {
    return this.workingSince !== null;
  }

  get workedMs(): number {
    return this.used.workedMs + (this.workingSince === null ? 0 : Date.now() - this.workingSince);
  }

  /** What is new in a count that began with Claude's process; it is part of the account from here on. */
  add(usage: FullUsage | null): FullUsage | null {
    if (!usage) return null;
    const news = difference(usage, this.counted);
    this.counted = usage;
    const { today } = this.used;
    this.used.spentUsd += news.costUsd;
    this.used.turns += news.turns;
    this.used.today = { repository: today.repository + news.costUsd, all: today.all + news.costUsd };
    return news;
  }

  left(granted: Granted): { usd: number | null; turns: number | null; ms: number } {
    return left(this.limits, granted, { ...this.used, workedMs: this.workedMs });
  }

  reached(granted: Granted): Reached | null {
    return reached(this.limits, granted, { ...this.used, workedMs: this.workedMs });
  }
}

function difference(now: FullUsage, before: FullUsage | null): FullUsage {
  if (!before) return now;
  const names = Object.keys(now) as (keyof FullUsage)[];
  return Object.fromEntries(names.map((name) => [name, Math.max(0, now[name] - before[name])])) as never;
}
