/** What the scripted Claude has received: accessors over the whole log, and waiting for a request to come. */
import type { ContentBlock, ModelRequest, ToolResult } from './request.ts';

export class RequestLog {
  /** Every request, in order of arrival. */
  readonly requests: ModelRequest[] = [];
  private readonly listeners = new Set<() => void>();

  add(request: ModelRequest): void {
    this.requests.push(request);
    for (const listener of [...this.listeners]) listener();
  }

  /** The turns of conversations, retries of a turn included. */
  get main(): ModelRequest[] {
    return this.requests.filter((request) => request.kind === 'main');
  }

  /** When the first main request arrived, in milliseconds since the epoch; null before that. */
  get firstRequestAt(): number | null {
    return this.main[0]?.at ?? null;
  }

  /** The user content blocks that the first conversation began with. */
  firstPrompt(): ContentBlock[] {
    return this.first().firstPrompt();
  }

  /** The text of {@link firstPrompt}. */
  firstText(): string {
    return this.first().firstText();
  }

  /** The system prompt of the first main request. */
  systemPrompt(): string {
    return this.first().systemPrompt();
  }

  /** Names of the tools that the first main request offered. */
  tools(): string[] {
    return this.first().tools();
  }

  /** Every tool result that reached the model, in order, each once however often it was sent again. */
  toolResults(): ToolResult[] {
    const results = new Map<string, ToolResult>();
    for (const request of this.main) {
      for (const result of request.toolResults()) if (!results.has(result.id)) results.set(result.id, result);
    }
    return [...results.values()];
  }

  /**
   * Waits for the n-th main request, counted from 1 (retries count too).
   * @throws when it has not come within `timeoutMs` (30 s by default), saying what did come.
   */
  async request(n: number, { timeoutMs = 30_000 }: { timeoutMs?: number } = {}): Promise<ModelRequest> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.main[n - 1];
        if (found) settle(() => resolve(found));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(this.missing(n, timeoutMs)))), timeoutMs);
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(check);
        outcome();
      };
      this.listeners.add(check);
      check();
    });
  }

  private first(): ModelRequest {
    const first = this.main[0];
    if (!first) throw new Error(`The model has not been asked yet. ${this.received()}`);
    return first;
  }

  private missing(n: number, timeoutMs: number): string {
    return `Request ${n} to the model did not come within ${timeoutMs} ms. ${this.received()}`;
  }

  private received(): string {
    const lines = this.requests.map(
      (request) => `${request.kind} ${request.method} ${request.path} turn ${request.turn}`,
    );
    return lines.length > 0 ? `Received: ${lines.join('; ')}.` : 'Nothing was received.';
  }
}
