/** The tracking comment: the one writer of it, from the first sign of life to the terminal state. */

import type { GitHubClient } from '../github/client.ts';
import {
  type CommentPlace,
  type CommentRef,
  createComment,
  findComment,
  updateComment,
} from '../github/comments.ts';
import type { Redact } from '../words/redact.ts';
import type { Progress, Reporter, Result } from '../words/result.ts';
import { hidden, type Marker, readMarker, runKey, stickyKey } from './marker.ts';
import { type CommentState, renderComment } from './render.ts';

export interface TrackingCommentOptions {
  client: GitHubClient;
  place: CommentPlace;
  state: CommentState;
  redact: Redact;
  /** With `use_sticky_comment`: our login, whose earlier comment of the same workflow and job is used again. */
  stickyFor: string | null;
  /**
   * Milliseconds after which the comment is sent again though nothing has changed: people and other runs see that the
   * run lives. Not at all unless told.
   */
  refreshMs?: number;
  /** Told whenever what `post` needs has changed: `comment` is null until it is there, `ended` true once GitHub has the end. */
  onState(comment: CommentRef | null, state: CommentState, ended: boolean): void;
}

export interface TrackingComment extends Reporter {
  /** Null until the comment exists. */
  ref(): CommentRef | null;
  /** Adds what is learnt on the way (branch, links, last words) without showing it at once. */
  learn(change: Learnt): void;
  /** The same, and shows it. */
  show(change: Learnt): Promise<void>;
}

export type Learnt = Partial<
  Pick<CommentState, 'branch' | 'createPullRequestUrl' | 'progress' | 'waitsFor' | 'taken'>
>;

/** A comment that shows `state` and each change of it; updates are sent one at a time, the newest wins. */
export function trackingComment(options: TrackingCommentOptions): TrackingComment {
  let state = options.state;
  let ref: CommentRef | null = null;
  let created: Promise<void> | null = null;
  let pending = false;
  let sending: Promise<void> | null = null;
  let refresh: NodeJS.Timeout | undefined;

  const render = () => renderRedacted(state, options.redact);
  const send = async () => {
    // Without a comment there is nothing to update; the end tries once more to make one.
    await created?.catch(() => {});
    try {
      while (pending && ref) {
        pending = false;
        await updateComment(options.client, options.place, ref, render().body);
      }
    } finally {
      // In the same breath as the last look at `pending`: nobody may believe that it is still looked at.
      sending = null;
    }
  };
  const change = async (next: Partial<CommentState>) => {
    state = { ...state, ...next };
    options.onState(ref, state, false);
    pending = true;
    sending ??= send();
    await sending;
  };

  return {
    name: 'tracking comment',
    ref: () => ref,
    learn: (next) => {
      state = { ...state, ...next };
      options.onState(ref, state, false);
    },
    started: () => {
      // First: whoever dies between GitHub's taking it and its answer leaves a comment that is found by its marker.
      options.onState(null, state, false);
      created = (async () => {
        ref = await openComment(options, render().body);
        options.onState(ref, state, false);
        // One that fails is followed by another.
        if (options.refreshMs && !state.result)
          refresh = setInterval(() => void change({}).catch(() => {}), options.refreshMs).unref();
      })();
      return created;
    },
    progress: (progress: Progress) => change({ progress }),
    show: change,
    finished: async (result: Result) => {
      clearInterval(refresh);
      await created?.catch(() => {});
      await sending?.catch(() => {});
      state = { ...state, result };
      // A comment that could not be created at the start may still be the only place to say how it ended.
      if (ref) await change({});
      else ref = await openComment(options, render().body);
      options.onState(ref, state, true);
      await continueBelow(options, state.marker, render().continued);
    },
  };
}

async function openComment(options: TrackingCommentOptions, body: string): Promise<CommentRef> {
  const { client, place, stickyFor, state } = options;
  if (stickyFor !== null) {
    const earlier = await findComment(client, place, { marker: stickyKey(state.marker), login: stickyFor });
    // A run that is at work there would lose its comment: this one makes one of its own.
    if (earlier && !readMarker(earlier.body)?.working) {
      await updateComment(client, place, earlier, body);
      return earlier;
    }
  }
  return createComment(client, place, { body, marker: runKey(state.marker) });
}

/** Posts what did not fit into a comment, in as many comments as it takes. */
export async function continueBelow(
  { client, place }: Pick<TrackingCommentOptions, 'client' | 'place'>,
  marker: Marker,
  parts: string[],
): Promise<void> {
  for (const [index, part] of parts.entries())
    await createComment(client, place, { body: part, marker: hidden({ ...marker, part: index + 2 }) });
}

/** The comment as it may be published, and what is to be continued below it. */
export function renderRedacted(state: CommentState, redact: Redact): { body: string; continued: string[] } {
  // Before it is split, as halves of a secret would not be recognised; and all of it after.
  const { body, continued } = renderComment(redacted(state, redact), Date.now());
  return { body: redact(body), continued: continued.map(redact) };
}

function redacted(state: CommentState, redact: Redact): CommentState {
  const { progress, result } = state;
  return {
    ...state,
    progress: { ...progress, message: redact(progress.message) },
    result: result && {
      ...result,
      summary: redact(result.summary),
      ...(result.lastWords && { lastWords: redact(result.lastWords) }),
    },
  };
}
