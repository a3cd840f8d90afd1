/** The commands that people write in a thread: how they are told from words for Claude, and what each does. Pure. */
import { findMention } from '../../trigger/mention.ts';
import type { Reason } from '../../words/result.ts';
import type { Granted } from '../store/session-threads.ts';
import type { InboxThread } from '../store/threads.ts';

export type CommandName = 'stop' | 'status' | 'retry' | 'continue';

export interface Command {
  name: CommandName;
  /** `/continue $5`: so many dollars more. */
  usd: number | null;
  /** What follows the first line; for Claude. */
  rest: string;
}

/** The first line has to be the command and nothing else: `/stop the build` is a sentence for Claude. */
const commandLine = /^\/(stop|status|retry|continue(?:[ \t]+\$(\d{1,6}(?:\.\d{1,2})?))?)$/;

/** The command that a comment is; null for all other words, also for other `/x`. */
export function parseCommand(body: string, phrase: string): Command | null {
  const [first = '', ...others] = body.trimStart().split(/\r?\n/);
  const line = withoutMention(first, phrase).trim();
  const match = commandLine.exec(line);
  if (!match) return null;
  const amount = match[2] === undefined ? null : Number(match[2]);
  if (amount === 0) return null;
  const name = match[1]!.split(/[ \t]/)[0] as CommandName;
  return { name, usd: amount, rest: others.join('\n').trim() };
}

function withoutMention(line: string, phrase: string): string {
  const mention = findMention(line, phrase);
  return mention && line.slice(0, mention.index).trim() === '' ? line.slice(mention.end) : line;
}

/** A thread as far as commands change it. */
export type CommandThread = Pick<
  InboxThread,
  | 'state'
  | 'pauseReason'
  | 'pauseMessage'
  | 'granted'
  | 'live'
  | 'spentUsd'
  | 'turns'
  | 'activity'
  | 'branch'
  | 'pullUrl'
> & { queued: number; setAside: number };

/** The operator's limits, null for none. What was spent is since midnight UTC. */
export interface Limits {
  sessionUsd: number | null;
  sessionTurns: number | null;
  sessionMinutes: number;
  repositoryDayUsd: number | null;
  dayUsd: number | null;
  spentRepositoryUsd: number;
  spentUsd: number;
}

/** What a command does to its thread, and what is answered. `answer` null: a 👍 says enough. */
export interface CommandPlan {
  done: boolean;
  answer: string | null;
  state?: 'open' | 'paused';
  granted?: Granted;
  /** Failures are forgotten, and what was set aside is queued again. */
  forgive?: boolean;
  /** For Claude. */
  note?: string;
}

/** Pauses that only more of the limit ends. */
export const limitReasons: readonly (Reason | null)[] = ['budget', 'turns', 'timed_out'];

export function planCommand(command: Command, thread: CommandThread, limits: Limits): CommandPlan {
  if (command.name === 'status') return { done: true, answer: statusOf(thread, limits) };
  if (thread.state === 'closed') return refused('This is closed. Reopen it, and the session goes on.');
  if (command.name === 'stop') return stop(thread);
  return command.name === 'retry' ? retry(thread) : goOn(command, thread, limits);
}

const refused = (answer: string): CommandPlan => ({ done: false, answer });

function stop(thread: CommandThread): CommandPlan {
  if (thread.state === 'paused' && thread.pauseReason === 'cancelled') {
    return refused('This is stopped already. `/retry` or `/continue` goes on.');
  }
  return { done: true, answer: null, state: 'paused' };
}

function retry(thread: CommandThread): CommandPlan {
  if (thread.state === 'paused' && limitReasons.includes(thread.pauseReason)) {
    return refused('A limit was reached here. `/continue` grants it once more.');
  }
  if (thread.live && thread.state === 'open' && thread.activity === 'working') {
    return refused('Claude is working on it right now. `/stop` ends that.');
  }
  return {
    done: true,
    answer: null,
    state: 'open',
    forgive: true,
    note: 'Please try again what did not work.',
  };
}

function goOn(command: Command, thread: CommandThread, limits: Limits): CommandPlan {
  const waits = thread.state === 'paused';
  if (!waits && command.usd === null) {
    return refused('Nothing waits here for a `/continue`. `/status` tells how things are.');
  }
  const more = moreOf(command, thread, limits);
  const cap =
    more.usd === undefined && thread.pauseReason !== 'budget' ? null : capReached(more.usd ?? 0, limits);
  if (cap) return refused(cap);
  const granted: Granted = { ...thread.granted };
  for (const key of ['usd', 'turns', 'minutes'] as const) {
    if (more[key]) granted[key] = (granted[key] ?? 0) + more[key];
  }
  if (!waits) return { done: true, answer: null, granted };
  return { done: true, answer: null, state: 'open', granted, forgive: true, note: 'Please continue.' };
}

/** The limit that was hit, once more; or the dollars that were named. */
function moreOf({ usd }: Command, { pauseReason }: CommandThread, limits: Limits): Granted {
  if (usd !== null) return { usd };
  if (pauseReason === 'budget') return { usd: limits.sessionUsd ?? undefined };
  if (pauseReason === 'turns') return { turns: limits.sessionTurns ?? undefined };
  return pauseReason === 'timed_out' ? { minutes: limits.sessionMinutes } : {};
}

/** Why the operator's caps leave no room for so much; null when they do. */
function capReached(usd: number, limits: Limits): string | null {
  const caps = [
    { what: 'this repository', cap: limits.repositoryDayUsd, spent: limits.spentRepositoryUsd },
    { what: 'this server', cap: limits.dayUsd, spent: limits.spentUsd },
  ];
  for (const { what, cap, spent } of caps) {
    if (cap === null) continue;
    const left = Math.max(0, cap - spent);
    if (left === 0) {
      return `The operator's limit for ${what}, ${dollars(cap)} a day, is used up. It counts anew at midnight UTC.`;
    }
    if (usd > left) {
      return `The operator's limit for ${what}, ${dollars(cap)} a day, leaves ${dollars(left)}. \`/continue $${left.toFixed(2)}\` uses them.`;
    }
  }
  return null;
}

function statusOf(thread: CommandThread, limits: Limits): string {
  const limit =
    limits.sessionUsd === null ? '' : ` of ${dollars(limits.sessionUsd + (thread.granted.usd ?? 0))}`;
  const rows = [
    ['State', stateOf(thread)],
    ['Branch', thread.branch ? `\`${thread.branch}\`` : 'none yet'],
    ['Pull request', thread.pullUrl ?? 'none yet'],
    ['Spent', `${dollars(thread.spentUsd)}${limit}, ${plural(thread.turns, 'turn')}`],
    ['Waiting', plural(thread.queued, 'message')],
    ...(thread.setAside > 0
      ? [['Set aside', `${plural(thread.setAside, 'message')}; \`/retry\` tries again`]]
      : []),
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

function stateOf(thread: CommandThread): string {
  if (thread.state === 'closed') return 'closed';
  if (thread.state === 'paused') {
    if (thread.pauseReason === 'cancelled') return 'stopped; `/retry` or `/continue` goes on';
    const why = thread.pauseMessage ?? thread.pauseReason ?? 'no reason was kept';
    const how = limitReasons.includes(thread.pauseReason) ? '/continue' : '/retry';
    return `waits for you: ${why.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|')} \`${how}\` goes on.`;
  }
  if (!thread.live) return thread.queued > 0 ? 'waits for a free place' : 'parked; a comment wakes it';
  return thread.activity === 'idle' ? 'idle; a comment starts the next turn' : 'working';
}

const dollars = (usd: number) => `$${usd.toFixed(2)}`;
const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
