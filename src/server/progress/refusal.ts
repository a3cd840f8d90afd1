/** A "no" of the Progress API, as it is answered. */
import type { ServerContext } from '../context.ts';

export class Refusal {
  readonly status: number;
  readonly message: string;
  readonly remedy: string | undefined;

  constructor(status: number, message: string, remedy?: string) {
    this.status = status;
    this.message = message;
    this.remedy = remedy;
  }
}

/** What is not the sender's affair is in our log; the sender is to come again. */
export function later({ log, redact }: ServerContext, error: unknown, message: string): Refusal {
  log.warning(
    `Progress could not be taken: ${redact(error instanceof Error ? error.message : String(error))}`,
  );
  return new Refusal(503, message);
}
