/** The life of a session once everything is ready: says what people say, ends each turn, and knows when to stop. */
import type { Conversation, ConversationEnd, OutgoingMessage } from '../../claude/conversation.ts';
import { movedText } from '../../prompt/live.ts';
import { AppError } from '../../words/errors.ts';
import { type Message, markDelivered, openMessages } from '../store/session-messages.ts';
import { changeThread, pauseThread, readThread, takeBackPause } from '../store/session-threads.ts';
import type { Account } from './account.ts';
import { type Answers, react } from './answer.ts';
import { type Composer, compose } from './compose.ts';
import { keep, kept, type SessionContext, tell } from './context.ts';
import {
  type Cut,
  cutBy,
  type Ending,
  isAway,
  passes,
  refusal,
  remedyFor,
  renamed,
  retryRemedy,
  type Told,
  takenUpBy,
  together,
  wasClosed,
  wasStopped,
  withoutLateLimit,
} from './endings.ts';
import type { Happening, Happenings } from './happenings.ts';
import { endTurn, keepSpent } from './turn.ts';

export interface TalkParts {
  conversation: Conversation;
  happenings: Happenings;
  composer: Composer;
  answers: Answers;
  account: Account;
}

/** Seconds before a session whose model or GitHub was away is taken up again, by the tries so far. */
const delays = [5, 15, 45, 120, 300];

export class Talk {
  /** Sent or in the conversation, and not ended yet; in order. */
  private open: Message[] = [];
  private turns: Told[] = [];
  private cut: Cut | null = null;
  private idle = false;
  private readonly context: SessionContext;
  private readonly parts: TalkParts;

  constructor(context: SessionContext, parts: TalkParts) {
    this.context = context;
    this.parts = parts;
  }

  /** Runs until there is a reason to end. @throws LeaseLost, AppError */
  async run(): Promise<Ending> {
    const over = await this.begin();
    if (over) return over;
    for await (const happening of this.parts.happenings) {
      const ending = await this.take(happening);
      if (ending) return ending;
    }
    return { kind: 'stopped' };
  }

  private async begin(): Promise<Ending | null> {
    const { conversation, happenings, account } = this.parts;
    const limit = account.reached(this.context.thread.granted);
    if (limit) return this.refuse({ reason: limit.reason, message: limit.message, remedy: remedyFor(limit) });
    const outgoing = await this.unsaid();
    if (this.open.length === 0) return this.mayPark();
    const ids = this.open.map(({ id }) => id);
    const answered = ids.filter((id) => conversation.hasAnswered(id));
    const hasMoved = conversation.resumed && kept<boolean>(this.context, 'moved') === true;
    if (answered.length > 0) {
      await this.delivered(answered);
      // Only the end of that turn is missing; in a new workspace it waits until Claude has looked what is left of it.
      this.turns.push({ reason: '', text: conversation.lastAnswer(), usage: null, answered });
      if (!hasMoved && answered.length === ids.length) {
        happenings.push({ kind: 'idle' });
        return null;
      }
      const ending = hasMoved ? null : await this.finishTurn(together(this.turns.splice(0)));
      if (ending) return ending;
    }
    // First what was cut, so that Claude goes on from there with what has come since.
    const moved = hasMoved ? movedText(this.context.thread.branch) : null;
    const notice = [moved, conversation.unfinished(ids)].filter(Boolean).join('\n\n');
    const first = notice ? [{ uuid: crypto.randomUUID(), text: notice, verbatim: true, asks: true }] : [];
    conversation.send([...first, ...outgoing]);
    return null;
  }

  private async take(happening: Happening): Promise<Ending | null> {
    switch (happening.kind) {
      case 'changed':
        return this.lookAgain();
      case 'taken':
        return this.delivered(happening.uuids);
      case 'turn':
        this.turns.push(happening.turn);
        return null;
      case 'working':
        return this.startsWork();
      case 'idle':
        return this.goesIdle();
      case 'over':
        return this.claudeIsGone(happening.end);
      case 'silent':
        return this.isSilent(happening.minutes);
      case 'out_of_time':
        return this.outOfTime();
      case 'rested':
      case 'make_room':
        return this.idle ? this.mayPark() : null;
      case 'stop':
        return { kind: 'again', delaySeconds: 0, forgive: true, why: 'The server asked it to end.' };
      case 'lost':
        return { kind: 'lost', why: happening.error.message };
    }
  }

  /** What is open and was not sent yet, in order; what is in the conversation already is never said twice. */
  private async unsaid(): Promise<OutgoingMessage[]> {
    const { database, held } = this.context;
    const known = new Set(this.open.map(({ id }) => id));
    const all: OutgoingMessage[] = [];
    for (const message of await openMessages(database, held.key)) {
      if (known.has(message.id)) continue;
      const outgoing = await compose(this.context, this.parts.composer, message);
      if (!outgoing) continue;
      this.open.push(message);
      all.push(...outgoing);
    }
    if (all.length > 0) this.idle = false;
    return all;
  }

  /** In one piece, so that several words that wait are one turn. */
  private async say(): Promise<void> {
    this.parts.conversation.send(await this.unsaid());
  }

  private async lookAgain(): Promise<Ending | null> {
    const { database, held, thread } = this.context;
    const now = await readThread(database, held.key);
    if (!now) return { kind: 'lost', why: 'The thread is gone.' };
    if (now.repository !== thread.repository) return renamed(now);
    Object.assign(thread, { state: now.state, granted: now.granted, pauseReason: now.pauseReason });
    if (now.state === 'open') {
      await this.say();
      return null;
    }
    if (this.idle && this.open.length === 0) return { kind: now.state };
    return this.cutShort(now.state === 'closed' ? wasClosed(thread.key) : wasStopped);
  }

  private async delivered(uuids: string[]): Promise<null> {
    const { database, held } = this.context;
    const news = await markDelivered(database, held, uuids);
    for (const message of this.open) if (uuids.includes(message.id)) message.state = 'delivered';
    if (news.length === 0) return null;
    await this.parts.answers.begin(news);
    await react(this.context, news, { former: 'EYES', next: 'ROCKET' });
    const deliveries = news.map(({ deliveryId }) => deliveryId).filter(Boolean);
    await tell(this.context, 'delivered', { messages: news.length, deliveries });
    return null;
  }

  private async startsWork(): Promise<null> {
    this.idle = false;
    this.parts.account.startWork();
    this.parts.happenings.timeLeft(this.parts.account.left(this.context.thread.granted).ms);
    await changeThread(this.context.database, this.context.held, { activity: 'working' });
    return null;
  }

  private async goesIdle(): Promise<Ending | null> {
    this.parts.account.stopWork();
    this.parts.happenings.timeLeft(null);
    if (this.turns.length > 0) {
      const ending = await this.finishTurn(together(this.turns.splice(0)));
      if (ending) return ending;
    }
    this.idle = this.open.length === 0;
    const activity = this.idle ? 'idle' : 'working';
    await changeThread(this.context.database, this.context.held, { activity });
    return null;
  }

  /** Publishes and answers; then says whether the session may go on. */
  private async finishTurn(told: Told): Promise<Ending | null> {
    const { context, parts } = this;
    const turn = withoutLateLimit(told, this.open, parts.conversation.lastAnswer());
    const spent = parts.account.add(turn.usage);
    await keepSpent(context, spent);
    const limit = parts.account.reached(context.thread.granted);
    const cut = this.cut ?? cutBy(turn, limit);
    this.cut = null;
    const reason = cut?.reason ?? turn.reason;
    if (passes(reason) && context.thread.failures < delays.length)
      return this.later(`${reason}: ${turn.text}`);
    // A limit leaves what was said open, so that going on answers it; being stopped does not.
    const staysOpen = reason !== '' && reason !== 'cancelled';
    // Before it is answered: a `/continue` that follows the answer at once must find a thread that waits for it.
    if (staysOpen) await this.pause(reason, cut?.message ?? turn.text);
    const messages = takenUpBy({ ...turn, reason }, this.open);
    const ended = endTurn(context, {
      turn: cut ? { ...turn, reason, text: cut.message } : turn,
      messages,
      spent,
      workedMs: parts.account.workedMs,
      publisher: parts.composer.ready.checkout.publisher,
      answers: parts.answers,
      template: parts.composer.ready.template,
      remedy: cut?.remedy ?? (staysOpen ? retryRemedy : null),
      staysOpen,
    });
    await (staysOpen ? this.told(reason, ended) : ended);
    this.open = this.open.filter((message) => !messages.includes(message));
    if (staysOpen) return { kind: 'paused' };
    if (context.thread.state !== 'open') return { kind: context.thread.state };
    if (!limit) return null;
    // This turn was the last that there is room for; what waits is told.
    if (this.open.length > 0)
      return this.refuse({ reason: limit.reason, message: limit.message, remedy: remedyFor(limit) });
    return null;
  }

  private async cutShort(why: Cut): Promise<Ending | null> {
    this.cut ??= why;
    if (this.parts.account.isWorking) {
      await this.parts.conversation.interrupt();
      return null;
    }
    return this.finishTurn({ reason: 'cancelled', text: '', usage: null, answered: [] });
  }

  private async outOfTime(): Promise<Ending | null> {
    const limit = this.parts.account.reached(this.context.thread.granted);
    if (!limit) return null;
    return this.cutShort({ reason: limit.reason, message: limit.message, remedy: remedyFor(limit) });
  }

  private async isSilent(minutes: number): Promise<Ending | null> {
    const message = `Claude was silent for ${minutes} minutes.`;
    // Once by itself: the conversation is kept, so a new process goes on where this one stopped.
    if (this.context.thread.failures === 0)
      return { kind: 'again', delaySeconds: 1, forgive: false, why: message };
    return this.refuse({ reason: 'timed_out', message, remedy: retryRemedy });
  }

  private async claudeIsGone({ reason, text }: ConversationEnd): Promise<Ending> {
    if (reason === 'handed_over') return { kind: 'lost', why: text };
    if (passes(reason) && this.context.thread.failures < delays.length) return this.later(text);
    if (reason !== '' && reason !== 'claude_crashed') throw new AppError(reason, text);
    return { kind: 'again', delaySeconds: 1, forgive: false, why: text };
  }

  private later(why: string): Ending {
    const delaySeconds = delays[this.context.thread.failures] ?? delays.at(-1)!;
    return { kind: 'again', delaySeconds, forgive: true, why };
  }

  /** Waits for a person, and says so. What is open stays open. */
  private async refuse(cut: Cut): Promise<Ending> {
    await this.pause(cut.reason, cut.message);
    const { database, held } = this.context;
    const open = await openMessages(database, held.key);
    await this.told(cut.reason, this.parts.answers.finish(refusal(cut), open));
    return { kind: 'paused' };
  }

  /** A thread must not wait for somebody who was never asked: the next session finds the same, and asks. */
  private async told(reason: Cut['reason'], telling: Promise<unknown>): Promise<void> {
    const { database, held } = this.context;
    await telling.catch(async (error) => {
      if (isAway(error)) await takeBackPause(database, held, reason);
      throw error;
    });
  }

  /** Nothing is left to say. What comes while Claude is being ended starts the next session. */
  private async mayPark(): Promise<Ending | null> {
    await this.say();
    return this.open.length === 0 ? { kind: 'parked' } : null;
  }

  private async pause(reason: Cut['reason'], message: string): Promise<void> {
    await keep(this.context, 'workedMs', this.parts.account.workedMs);
    await pauseThread(this.context.database, this.context.held, { reason, message });
    this.context.thread.state = 'paused';
    await tell(this.context, 'paused', { reason, message });
  }
}
