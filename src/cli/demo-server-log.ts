/** Reads the server's log as it is written, and tells a watching person what it means. */
import type { Timeline } from './demo-timeline.ts';

interface Line {
  level: string;
  message: string;
  event?: string;
  delivery?: string;
  session?: string;
  url?: string;
  conclusion?: string;
  commits?: number;
}

export class ServerLog {
  /** Name of the session that was started last. */
  session: string | null = null;
  inTmux = false;
  operatorLink: string | null = null;
  /** How often Claude was given something new. */
  delivered = 0;
  /** Turns that have ended, told once for each message that they took up. */
  turns = 0;
  private readonly timeline: Timeline;
  private readonly lines: string[] = [];

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  get text(): string {
    return this.lines.slice(-60).join('\n');
  }

  take(text: string): void {
    this.lines.push(text);
    this.operatorLink ??= /^\s+operator\s+(\S+)$/.exec(text)?.[1] ?? null;
    const line = parsed(text);
    if (!line) return;
    if (line.message === 'Sessions run in tmux.') this.inTmux = true;
    if (line.message === 'A session was started.' && line.session) {
      this.session = line.session;
      const where = this.inTmux ? `in tmux as ${line.session}` : `detached, as ${line.session}`;
      this.timeline.say(`a session of its own is started ${where}`);
    }
    if (line.level === 'warning' || line.level === 'error') this.timeline.say(line.message);
    this.event(line);
  }

  private event({ event, url, conclusion, commits }: Line): void {
    const { timeline } = this;
    if (event === 'pull_request') timeline.say('the draft pull request is open', url);
    if (event === 'prepared') timeline.say('the workspace is ready: a clone of its own, behind its gate');
    if (event === 'delivered') {
      this.delivered += 1;
      if (this.delivered > 1) timeline.say('Claude has what octocat wrote meanwhile');
    }
    if (event === 'turn') {
      this.turns += 1;
      if (this.turns === 1)
        timeline.say(`the turn has ended: ${conclusion}, ${commits} new commits on the branch`);
    }
  }
}

function parsed(line: string): Line | null {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return null;
  }
}
