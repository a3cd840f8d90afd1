/** What was said after the prompt: which of it Claude Code has taken in, and whether it will still come to any. */
import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk/core';

export class Further {
  /** By the message's id; gone once Claude Code is done with it. */
  private readonly open = new Map<string, (taken: boolean) => void>();
  private closed = false;

  /** Nothing is left that Claude Code would come to. */
  get isEmpty(): boolean {
    return this.open.size === 0;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Resolves with true once Claude Code has taken the message in, with false when it never will. */
  add(uuid: string): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.open.set(uuid, resolve);
    return promise;
  }

  /** Not in the SDK's types: what becomes of each message that was sent. */
  note(message: SDKMessage): void {
    const { type, command_uuid: uuid = '', state } = message as Partial<Record<string, string>>;
    if (type !== 'command_lifecycle') return;
    // Part of what the model is asked next, or the beginning of a turn of its own.
    if (state === 'started' || state === 'completed') this.open.get(uuid)?.(true);
    if (state === 'cancelled') this.open.get(uuid)?.(false);
    if (state === 'completed' || state === 'cancelled') this.open.delete(uuid);
  }

  close(): void {
    this.closed = true;
    for (const resolve of this.open.values()) resolve(false);
  }
}
