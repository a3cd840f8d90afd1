/** Follows the processes that a run starts: which are still alive, how much memory they use, and their end. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  commandOf,
  hasVariable,
  listProcesses,
  memoryOf,
  type ProcessEntry,
  processIds,
} from './processes.ts';

export interface SurvivingProcess {
  pid: number;
  command: string;
  /** Whether it carries the run's variable; without it, it was known by its parents or session. */
  marked: boolean;
}

export interface PeakMemory {
  /** Proportional set size, summed over all processes of the run. */
  bytes: number;
  /** Milliseconds since the epoch. */
  at: number;
  processes: { pid: number; command: string; bytes: number }[];
}

const interval = 100;

export class RunWatch {
  /** Highest memory that was seen; null when it is not measured or there is no /proc. */
  peak: PeakMemory | null = null;
  private readonly variable: string;
  private readonly measure: boolean;
  private readonly known = new Set<string>();
  private readonly sessions = new Set<number>();
  /** Processes of others, which are not looked at ten times a second: that would be a good part of a machine's work. */
  private readonly foreign = new Set<number>();
  private timer: NodeJS.Timeout | undefined;

  /** @param variable `NAME=value` that is unique to the run and in the environment of its processes. */
  constructor(variable: string, measure: boolean) {
    this.variable = variable;
    this.measure = measure;
  }

  /** Follows a process that was just started as the leader of its own session, and all that it starts. */
  follow(pid: number): void {
    this.sessions.add(pid);
    this.timer ??= setInterval(() => this.sample(), interval);
    this.sample();
  }

  /** The run's processes that are alive. Dying ones get `graceMs` to be gone. */
  async survivors(graceMs = 300): Promise<SurvivingProcess[]> {
    const until = Date.now() + graceMs;
    let alive = this.alive(true);
    while (alive.length > 0 && Date.now() < until) {
      await pause(30);
      alive = this.alive(true);
    }
    return alive.map(({ pid }) => ({
      pid,
      command: commandOf(pid),
      marked: hasVariable(pid, this.variable),
    }));
  }

  /** Stops following, and kills what is alive; several rounds, because a dying process may just have started another. */
  async end(): Promise<void> {
    clearInterval(this.timer);
    for (let round = 0; round < 20; round++) {
      const alive = this.alive(true);
      if (alive.length === 0) return;
      for (const { pid } of alive) kill(pid);
      await pause(25);
    }
  }

  private sample(): void {
    const alive = this.alive(false);
    if (!this.measure) return;
    const processes = alive.map(({ pid }) => ({ pid, bytes: memoryOf(pid) }));
    const bytes = processes.reduce((sum, process) => sum + process.bytes, 0);
    if (bytes <= (this.peak?.bytes ?? 0)) return;
    const named = processes.map(({ pid, bytes }) => ({ pid, command: commandOf(pid), bytes }));
    this.peak = { bytes, at: Date.now(), processes: named };
  }

  /**
   * The processes that belong to the run: seen before, in a session of the run, or begotten by one of these; when
   * `thorough` also those known only by their environment. What is found is remembered, so that a process stays known
   * when its parent has gone.
   */
  private alive(thorough: boolean): ProcessEntry[] {
    const pids = processIds();
    const present = new Set(pids);
    // The number of one that has gone may be another's soon.
    for (const pid of this.foreign) if (!present.has(pid)) this.foreign.delete(pid);
    const entries = listProcesses(thorough ? pids : pids.filter((pid) => !this.foreign.has(pid)));
    const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
    const verdicts = new Map<number, boolean>();
    const belongs = (entry: ProcessEntry): boolean => {
      const decided = verdicts.get(entry.pid);
      if (decided !== undefined) return decided;
      const parent = byPid.get(entry.parent);
      const verdict =
        this.known.has(identity(entry)) ||
        this.sessions.has(entry.session) ||
        (parent !== undefined && parent.pid > 1 && belongs(parent)) ||
        (thorough && entry.pid !== process.pid && hasVariable(entry.pid, this.variable));
      verdicts.set(entry.pid, verdict);
      return verdict;
    };
    const alive = entries.filter(belongs);
    for (const entry of alive) {
      this.known.add(identity(entry));
      if (entry.session === entry.pid) this.sessions.add(entry.pid);
      this.foreign.delete(entry.pid);
    }
    for (const entry of entries)
      if (!belongs(entry) && !this.sessions.has(entry.session)) this.foreign.add(entry.pid);
    return alive;
  }
}

function identity({ pid, startTime }: ProcessEntry): string {
  return `${pid} ${startTime}`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}
