/** Input `resume`: the conversation of a thread is kept at the end of a run, and the next one goes on with it. */
import { createHash } from 'node:crypto';
import { KeptTranscript } from '../../claude/kept-transcript.ts';
import { AppError } from '../../words/errors.ts';
import type { Result } from '../../words/result.ts';
import type { Secret } from '../../words/secret.ts';
import { dispatchOf, type Task } from '../../words/task.ts';
import type { Door, Keep } from '../door.ts';
import { type Conversation, pack, unpack } from './packed.ts';
import { lastingSecret } from './seal.ts';

/** Bytes, as they are kept; a repository's caches have 10 GiB in all. */
const largest = 64 * 1024 * 1024;

export class Continuation {
  /** What Claude Code is given; null as long as nothing is found out, and where nothing is kept. */
  transcript: KeptTranscript | null = null;
  /** The conversation that goes on; null for one that begins. */
  earlier: Conversation | null = null;
  /** For the people in the thread. */
  readonly notes: string[] = [];
  private readonly door: Door;
  private readonly task: Task;
  private kept: { keep: Keep; secret: Secret } | null = null;

  constructor(door: Door, task: Task) {
    this.door = door;
    this.task = task;
  }

  /**
   * Looks for the conversation to go on with. Whatever goes wrong with that, one begins, and a warning or a note says why.
   * @throws AppError `invalid_input` when a dispatch names a session that is not there: it would be another conversation.
   */
  async open(): Promise<void> {
    const { door, task } = this;
    const why = this.findKeep() || (await this.findEarlier());
    const wanted = dispatchOf(task)?.sessionId;
    if (wanted && !this.earlier) throw notThere(task, why || this.notes.join(' '));
    if (why) door.warn(`\`resume\` is off for this run: ${why}`);
    if (this.kept) this.transcript = new KeptTranscript(this.earlier);
  }

  /** Claude Code has refused the conversation. False where no other may take its place: somebody has named it. */
  beginAnew(): boolean {
    if (!this.earlier || dispatchOf(this.task)?.sessionId) return false;
    this.earlier = null;
    this.transcript = new KeptTranscript(null);
    this.notes.push(beganAnew('Claude Code did not take it up'));
    return true;
  }

  /** Keeps what was said, for the next run. Never throws; a run that was cancelled has no time for it. */
  async keep(
    { sessionId, branch, conclusion }: Pick<Result, 'sessionId' | 'branch' | 'conclusion'>,
    limit = largest,
  ): Promise<void> {
    const { door, task, kept } = this;
    const entries = sessionId && this.transcript?.entriesOf(sessionId);
    if (!kept || !sessionId || !entries || conclusion === 'cancelled') return;
    try {
      const key = `${prefixOf(task.key, sessionId)}${door.run.id}-${door.run.attempt}-${door.mark.slice(0, 8)}`;
      const conversation: Conversation = {
        sessionId,
        thread: task.key,
        readAt: task.triggeredAt ?? null,
        branch: branch ? { name: branch.name, sha: branch.sha } : (this.earlier?.branch ?? null),
        entries,
      };
      const bytes = await pack(conversation, kept.secret, bindingOf(task.key, key));
      if (bytes.length > limit) {
        door.note(
          `The conversation is too long to be kept (${Math.ceil(bytes.length / 1024 / 1024)} MiB): the next run will not know what was said in this one.`,
        );
        return;
      }
      await kept.keep.save(key, bytes, door.signal);
    } catch (error) {
      door.warn(`The conversation was not kept for the next run: ${(error as Error).message}`);
    }
  }

  /** Answers what is in the way of keeping anything, '' for nothing. */
  private findKeep(): string {
    const { keep, config } = this.door;
    const secret = lastingSecret(config);
    if (!keep) return 'this job has no cache service that a conversation could be kept in.';
    if (!secret)
      return 'conversations are kept encrypted, with a key made from `anthropic_api_key`, `claude_code_oauth_token`, `app_private_key` or `ssh_signing_key`, and none of them is given.';
    this.kept = { keep, secret };
    return '';
  }

  /** The newest of the thread, or the one that a dispatch names. Answers what is in the way of any, '' for nothing. */
  private async findEarlier(): Promise<string> {
    const { door, task, kept } = this;
    const dispatch = dispatchOf(task);
    const wanted = dispatch?.sessionId ?? null;
    // A dispatch that names no session begins one.
    if (!kept || (dispatch && !wanted)) return '';
    try {
      const found = await kept.keep.restore(prefixOf(task.key, wanted), door.signal);
      if (!found) return '';
      const read = await unpack(found.bytes, kept.secret, bindingOf(task.key, found.key)).catch(() => null);
      if (read && (!wanted || read.sessionId === wanted)) this.earlier = read;
      else this.notes.push(beganAnew(unreadable));
      return '';
    } catch (error) {
      // It is not asked again at the end of the run: that would only take more time.
      this.kept = null;
      return `the runner's cache did not answer (${(error as Error).message}).`;
    }
  }
}

const unreadable =
  'it cannot be read, as the secret that it was encrypted with has changed or somebody has changed what was kept';

function beganAnew(why: string): string {
  return `The earlier conversation of this thread was not gone on with: ${why}. A new one began.`;
}

/** Keys say in the clear what a job with the caches of a repository may know: that there was a session, and its id. */
function prefixOf(thread: string, sessionId: string | null): string {
  const hash = createHash('sha256').update(thread.toLowerCase()).digest('hex').slice(0, 32);
  return `forgehand-${hash}-${sessionId ? `${sessionId}-` : ''}`;
}

/** The key as well, so that an older conversation does not pass for the newest one. */
function bindingOf(thread: string, key: string): string[] {
  return [thread.toLowerCase(), key];
}

function notThere({ key }: Task, why: string): AppError {
  const message = why || `no such session of ${key} is kept.`;
  return new AppError('invalid_input', `\`client_payload.session_id\`: ${message}`, {
    remedy:
      'Leave it out to begin a session. One that belongs to an issue or pull request goes on only together with its number; GitHub removes what nobody has read for seven days.',
  });
}
