/** Who works first where several runs meet on one issue or pull request: read off their tracking comments. Pure. */
import type { CommentRef } from '../../github/comments.ts';
import type { FeedItem, ListedItem } from '../../github/thread-feed.ts';
import { type Marker, readMarker } from '../../report/marker.ts';

/** Another run, as its tracking comment shows it. */
export interface OtherRun {
  nodeId: string;
  url: string;
  marker: Marker;
}

export interface Sight {
  /** ISO 8601 moment of our own tracking comment, by GitHub's clock. */
  createdAt: string;
  /** Runs that are at work and began earlier, the earliest first. */
  ahead: OtherRun[];
  /** Every other run of this thread, however it stands. */
  others: OtherRun[];
}

/**
 * Milliseconds after which a comment that says "at work" and does not change is a dead run's: three refreshes missed.
 * Measured by who waits, so that no clocks are compared.
 */
export const patienceMs = 3 * 60_000;

/**
 * The earlier comment goes first. Whoever looks once its own comment is there sees all that are earlier, and is seen by
 * all that are later: of two runs exactly one goes first. Null when our own comment is not listed (yet).
 */
export function seeOthers(items: FeedItem[], own: Pick<CommentRef, 'kind' | 'id'>): Sight | null {
  const mine = items.find(({ kind, raw }) => kind === own.kind && raw.id === own.id)?.raw;
  if (!mine?.created_at) return null;
  const self = readMarker(mine.body ?? '');
  const others = items
    .filter(({ kind, raw }) => kind !== 'review' && raw !== mine && raw.user?.login === mine.user?.login)
    .map(({ raw }) => ({ raw, marker: readMarker(raw.body ?? '') }))
    // Of our own run only an earlier attempt has another comment, or the same job with other values of its matrix.
    .filter(({ marker }) => marker && !marker.part && !isEarlierAttempt(marker, self));
  const ahead = others.filter(({ raw, marker }) => marker!.working && isEarlier(raw, mine));
  const run = ({ raw, marker }: (typeof others)[number]) => ({
    ...{ nodeId: raw.node_id, url: raw.html_url },
    marker: marker!,
  });
  return {
    createdAt: mine.created_at,
    ahead: ahead.toSorted((a, b) => (isEarlier(a.raw, b.raw) ? -1 : 1)).map(run),
    others: others.map(run),
  };
}

function isEarlierAttempt(marker: Marker, self: Marker | null): boolean {
  return marker.run === self?.run && marker.attempt !== self.attempt;
}

/** Comments and replies to reviews count their ids apart, so that the moment decides first. */
function isEarlier(one: ListedItem, other: ListedItem): boolean {
  const [a, b] = [one, other].map(({ created_at }) => Date.parse(created_at ?? ''));
  return a === b ? one.id < other.id : a! < b!;
}

/** What a run asks to be taken over: null node id for what only its own run can do. */
export interface Request {
  nodeId: string | null;
  workflow: string;
  job: string;
}

export type Step = { do: 'work' } | { do: 'wait'; for: OtherRun } | { do: 'hand over'; to: OtherRun };

/** One run's wait for those ahead of it. Told again and again what their comments say. */
export class Precedence {
  private readonly waiting: { run: OtherRun; body: string | null; changedAt: number; isOver: boolean }[];
  private readonly others: OtherRun[];
  private readonly request: Request;

  constructor({ ahead, others }: Sight, request: Request, now: number) {
    this.waiting = ahead.map((run) => ({ run, body: null, changedAt: now, isOver: false }));
    this.others = others;
    this.request = request;
  }

  /** Node ids of the comments that are worth asking for. */
  get watched(): string[] {
    return this.waiting.filter(({ isOver }) => !isOver).map(({ run }) => run.nodeId);
  }

  /** The commits that those who were waited for have pushed last. */
  get pushed(): string[] {
    return this.waiting.flatMap(({ run }) => run.marker.pushed ?? []);
  }

  /** @param bodies by node id; a comment that is gone says nothing more, as that of a dead run does */
  learn(bodies: ReadonlyMap<string, string>, now: number): void {
    for (const one of this.waiting) {
      const body = bodies.get(one.run.nodeId) ?? one.body;
      if (body !== one.body) {
        const marker = readMarker(body ?? '');
        if (marker) one.run = { ...one.run, marker };
        Object.assign(one, { body, changedAt: now });
      }
      one.isOver = !one.run.marker.working || now - one.changedAt >= patienceMs;
    }
  }

  step(): Step {
    const known = [...this.waiting.map(({ run }) => run), ...this.others];
    const to = known.find(({ marker }) => this.hasTaken(marker));
    if (to) return { do: 'hand over', to };
    const next = this.waiting.find(({ isOver }) => !isOver);
    return next ? { do: 'wait', for: next.run } : { do: 'work' };
  }

  /** Another workflow that was called as well does what it does; its answer is not this one's. */
  private hasTaken({ taken = [], workflow, job }: Marker): boolean {
    const { nodeId, ...own } = this.request;
    return nodeId !== null && workflow === own.workflow && job === own.job && taken.includes(nodeId);
  }
}
