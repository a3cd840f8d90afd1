/** Messages on their way to Claude: in order, several as one turn, and remembered until the conversation holds them. */
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk/core';

export interface OutgoingMessage {
  /** The message's own for ever: it is how the transcript tells that it is there. */
  uuid: string;
  text: string;
  /** Sent as it is: no slash command, no `@path` is expanded. */
  verbatim: boolean;
  /** False: material only, which the next message that asks takes along. */
  asks: boolean;
}

export class Outbox {
  private readonly queue: SDKUserMessage[] = [];
  /** What Claude Code last said of each message that the conversation does not hold yet. */
  private readonly sent = new Map<string, string>();
  private wake = Promise.withResolvers<void>();
  private closed = false;

  /** Nothing is on its way. */
  get isEmpty(): boolean {
    return this.sent.size === 0;
  }

  /** @returns whether any of them is new. */
  push(messages: OutgoingMessage[]): boolean {
    const fresh = messages.filter(({ uuid }) => !this.sent.has(uuid));
    const last = fresh.findLastIndex(({ asks }) => asks);
    for (const [index, message] of fresh.entries()) {
      // Idle, Claude Code begins with the first that asks: so only the last one does, and takes the others along.
      const asks = message.asks && (index === last || isCommand(message));
      this.sent.set(message.uuid, '');
      this.queue.push(toSdk(message, asks));
    }
    this.wake.resolve();
    return fresh.length > 0;
  }

  /** Ends the input once everything in it has been read. */
  close(): void {
    this.closed = true;
    this.wake.resolve();
  }

  /** The input of Claude Code. */
  async *messages(): AsyncGenerator<SDKUserMessage> {
    for (;;) {
      for (let next = this.queue.shift(); next; next = this.queue.shift()) yield next;
      if (this.closed) return;
      await this.wake.promise;
      this.wake = Promise.withResolvers();
    }
  }

  /** Claude Code says what becomes of a message. It is no evidence: what it says dies with its process. */
  follow(uuid: string, state: string): void {
    if (this.sent.has(uuid)) this.sent.set(uuid, state);
  }

  /** Forgets those that the conversation holds, and says which. */
  take(isHeld: (uuid: string) => boolean): string[] {
    return this.forget((uuid) => isHeld(uuid));
  }

  /**
   * Claude is idle: forgets what it will not come back to, and says what it has done with. Commands that Claude Code
   * carries out by itself (`/help`) leave no entry that names them; what it cancelled may be sent again.
   */
  settle(): string[] {
    this.forget((_, state) => state === 'cancelled');
    return this.forget((_, state) => state === 'completed');
  }

  private forget(isDone: (uuid: string, state: string) => boolean): string[] {
    const done = [...this.sent].filter(([uuid, state]) => isDone(uuid, state)).map(([uuid]) => uuid);
    for (const uuid of done) this.sent.delete(uuid);
    return done;
  }
}

function toSdk({ uuid, text, verbatim }: OutgoingMessage, asks: boolean): SDKUserMessage {
  return {
    type: 'user',
    parent_tool_use_id: null,
    message: { role: 'user', content: text },
    uuid: uuid as NonNullable<SDKUserMessage['uuid']>,
    ...(verbatim && { client_composed: true }),
    ...(!asks && { shouldQuery: false }),
  };
}

/** Claude Code carries out a command only when it is a turn of its own. */
function isCommand({ text, verbatim }: OutgoingMessage): boolean {
  return !verbatim && text.startsWith('/');
}
