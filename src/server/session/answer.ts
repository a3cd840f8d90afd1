/** How people see a turn: the comment that answers them, and the reactions on what they wrote. */
import { statusOf } from '../../github/client.ts';
import type { CommentPlace } from '../../github/comments.ts';
import { fetchViewer } from '../../github/permissions.ts';
import { type Reaction, swapReaction } from '../../github/reactions.ts';
import { type TrackingComment, trackingComment } from '../../report/comment.ts';
import type { Progress, Result } from '../../words/result.ts';
import type { Queryable } from '../store/database.ts';
import type { Message } from '../store/session-messages.ts';
import { writeProgress } from '../store/session-threads.ts';
import { keep, kept, type SessionContext } from './context.ts';
import { isAway } from './endings.ts';

/** Where an answer stands in its repository. */
type Place = Pick<CommentPlace, 'number' | 'replyTo'>;

/** What the next session needs to finish an answer that this one began. */
interface Begun {
  /** The message that it answers first. */
  messageId: string;
  place: Place;
  actor: string;
  startedAt: number;
}

/** The answers of one session: one comment for each turn, begun when Claude takes the words in. */
export class Answers {
  private comment: TrackingComment | null = null;
  private begun: Begun | null = null;
  /** What Claude has last put into the comment. */
  private reported = '';
  private opening: Promise<void> = Promise.resolve();
  private readonly context: SessionContext;

  constructor(context: SessionContext) {
    this.context = context;
  }

  /** Shows that the turn for `messages` is under way; the first call of a turn counts. */
  async begin(messages: Message[]): Promise<void> {
    await this.ensure(messages).catch((error) => {
      if (!isAway(error)) throw error;
      this.context.log.warning(`No comment yet: ${error.message}`);
    });
  }

  private async ensure(messages: Message[]): Promise<void> {
    const [first] = messages;
    if (this.comment || !first) return;
    const earlier = kept<Begun>(this.context, 'answer');
    this.begun = earlier ?? {
      messageId: first.id,
      place: placeOf(this.context, first),
      actor: first.actor,
      startedAt: Date.now(),
    };
    // Before the request: whoever dies between GitHub's taking it and its answer leaves a comment that is found again.
    if (!earlier) await keep(this.context, 'answer', this.begun);
    await this.open(this.begun, earlier !== null);
  }

  async progress(progress: Progress): Promise<void> {
    this.reported = progress.message;
    await this.opening;
    await this.comment?.progress(progress);
  }

  learn(branch: { name: string; url: string }): void {
    this.comment?.learn({ branch });
  }

  /** The end of a turn that leaves `messages` as they are. Without a comment yet one is made for them. */
  async finish(result: Result, messages: Message[]): Promise<void> {
    await this.show(result, messages);
    await keep(this.context, 'answer', null);
  }

  /** The same, except that who comes next still finds this comment: until the messages are marked with `forgetAnswer`. */
  async show(result: Result, messages: Message[]): Promise<void> {
    await this.ensure(messages);
    await this.opening.catch(() => {});
    this.addLastWords(result);
    await this.comment?.finished(result).catch(async (error) => {
      if (statusOf(error) !== 404 || !this.comment?.ref() || !this.begun) throw error;
      // Somebody has deleted it meanwhile.
      await this.open(this.begun, false);
      await this.comment.finished(result);
    });
    this.comment = null;
    this.reported = '';
    this.begun = null;
  }

  /** Claude is told that its last words are its answer: they follow the checklist that it kept meanwhile. */
  private addLastWords({ conclusion, summary }: Result): void {
    const words = summary.trim();
    if (conclusion !== 'success' || !this.reported || !words || this.reported.includes(words)) return;
    const message = `${this.reported.trimEnd()}\n\n${words}`;
    this.comment?.learn({ progress: { status: 'in_progress', message } });
  }

  private async open(begun: Begun, isRestart: boolean): Promise<void> {
    const { door, connection, held } = this.context;
    // Without knowing whose comment to look for, a second one would be made: rather none for now.
    const viewer = isRestart ? await fetchViewer(connection.client) : null;
    const { branch, pullUrl } = this.context.thread;
    const { repository } = this.context.thread;
    const [owner = '', repo = ''] = repository.split('/');
    const serverUrl = `${door.host.serverUrl}/${repository}`;
    this.comment = trackingComment({
      client: connection.client,
      place: { ...begun.place, owner, repo },
      redact: door.redact,
      // After a restart the comment is looked for by its marker, which only the answer to this message carries.
      stickyFor: viewer?.login ?? null,
      state: {
        actor: begun.actor,
        startedAt: begun.startedAt,
        progress: { status: 'in_progress', message: '' },
        jobUrl: null,
        branch: branch ? { name: branch, url: pullUrl ?? `${serverUrl}/tree/${branch}` } : null,
        createPullRequestUrl: null,
        result: null,
        marker: { workflow: 'forgehand session', job: begun.messageId, run: held.key, attempt: '1' },
      },
      onState: () => {},
    });
    this.opening = this.comment.started();
    await this.opening.catch((error: Error) => this.context.log.warning(`No comment: ${error.message}`));
  }
}

/** In the transaction that marks its messages: killed in between, the next session would answer them once more. */
export async function forgetAnswer({ thread }: SessionContext, tx: Queryable): Promise<void> {
  await writeProgress(tx, thread.key, { name: 'answer', value: null });
  thread.progress.answer = null;
}

/** 👀 queued (by the inbox), 🚀 delivered, 👍 or 😕 ended. A courtesy: failures are logged. */
export async function react(
  { connection, log }: SessionContext,
  messages: Message[],
  change: { former: Reaction; next: Reaction },
): Promise<void> {
  for (const { nodeId } of messages) {
    if (!nodeId) continue;
    await swapReaction(connection.client, nodeId, change).catch((error: Error) =>
      log.warning(`No reaction: ${error.message}`),
    );
  }
}

function placeOf({ thread }: SessionContext, { item }: Message): Place {
  // Feedback on the pull request is answered there.
  const number = /\/pull\/(\d+)/.exec(item?.htmlUrl ?? '')?.[1];
  const replyTo = item?.kind === 'review_comment' ? (item.inReplyToId ?? item.id) : null;
  return { number: number ? Number(number) : thread.number, replyTo };
}
