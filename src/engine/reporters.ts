/** Who is told how a task goes: the tracking comment, and the reaction on what started it. */
import type { CommentPlace } from '../github/comments.ts';
import { type Reaction, removeReaction, swapReaction } from '../github/reactions.ts';
import { type TrackingComment, trackingComment } from '../report/comment.ts';
import type { Config } from '../words/config.ts';
import type { Reporter } from '../words/result.ts';
import type { Task } from '../words/task.ts';
import type { Connection } from './connect.ts';
import type { Door } from './door.ts';

/** Milliseconds. People see that the run lives, and other runs do: `patienceMs` in precedence.ts goes by it. */
const refreshMs = 60_000;

/** The tracking comment of a task; null when it has none. @param ownLogin finds the sticky one; null without. */
export function commentOf(
  door: Door,
  task: Task,
  { client }: Connection,
  ownLogin: string | null,
): TrackingComment | null {
  const place = placeOf(task);
  if (!place || !wantsComment(door.config, task)) return null;
  const { workflow, job, id, attempt } = door.run;
  return trackingComment({
    client,
    place,
    redact: door.redact,
    stickyFor: ownLogin,
    state: {
      actor: task.actor.login,
      startedAt: Date.now(),
      progress: { status: 'in_progress', message: '' },
      jobUrl: door.jobUrl,
      branch: null,
      createPullRequestUrl: null,
      result: null,
      marker: { workflow, job, run: id, attempt },
      watched: true,
    },
    refreshMs,
    onState: (ref, state, ended) => door.remember('comment', { ref, place, state, ended }),
  });
}

/** True when one comment is asked for and makes sense: wherever there is one on a pull request. */
export function wantsSticky(door: Door, task: Task): boolean {
  return (
    door.config.useStickyComment && task.subject?.kind === 'pull_request' && wantsComment(door.config, task)
  );
}

/** 👀 when seen, 🚀 when started, 👍 or 😕 at the end; null when there is nothing to react to. */
export function reactionOf(door: Door, task: Task, { client }: Connection): Reporter | null {
  const nodeId = reactedNode(door, task);
  if (!nodeId) return null;
  let shown: Reaction | null = null;
  let last: Promise<void> = Promise.resolve();
  const show = (next: Reaction) => {
    const change = last.then(async () => {
      if (shown === next) return;
      door.remember('reaction', { nodeId, shown: shown ? [shown, next] : [next] });
      await swapReaction(client, nodeId, { former: shown, next });
      shown = next;
    });
    last = change.catch(() => {});
    return change;
  };
  const hide = async () => {
    await last.catch(() => {});
    if (shown) await removeReaction(client, nodeId, shown);
  };
  return {
    name: 'reaction',
    started: () => show('EYES'),
    progress: () => (shown === 'EYES' ? show('ROCKET') : Promise.resolve()),
    finished: async (result) => {
      // The one that has taken the request in shows how it goes.
      if (result.reason === 'handed_over') return hide();
      return show(result.conclusion === 'success' ? 'THUMBS_UP' : 'CONFUSED');
    },
  };
}

function wantsComment({ comment }: Config, { mode, discussion }: Task): boolean {
  return comment === 'always' || (comment === 'auto' && (mode === 'tag' || discussion !== undefined));
}

function placeOf({ subject, discussion, repository, trigger }: Task): CommentPlace | null {
  const { owner, name: repo } = repository;
  if (discussion) {
    const said = trigger.kind === 'prompt' ? trigger.item : undefined;
    const under = said?.kind === 'discussion_comment' ? said : null;
    const replyTo = under && { id: under.nodeId!, isReply: under.inReplyToId !== null };
    const { number, nodeId: id } = discussion;
    return { owner, repo, number, replyTo: null, discussion: { id, replyTo } };
  }
  if (!subject) return null;
  const item = trigger.kind === 'mention' ? trigger.item : null;
  // GitHub takes replies only to the first comment of a review thread.
  const replyTo = item?.kind === 'review_comment' ? (item.inReplyToId ?? item.id) : null;
  return { owner, repo, number: subject.number, replyTo };
}

function reactedNode({ config }: Door, task: Task): string | null {
  const { trigger, subject, discussion, mode } = task;
  if (discussion) {
    if (!wantsComment(config, task)) return null;
    return (trigger.kind === 'prompt' && trigger.item?.nodeId) || discussion.nodeId;
  }
  if (trigger.kind === 'mention') return trigger.item.nodeId ?? null;
  return mode === 'tag' ? (subject?.nodeId ?? null) : null;
}
