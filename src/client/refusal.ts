/** A "no" with its HTTP status: the one that GitHub gave to a dispatch, or the one to answer a progress request with. */
import { AppError } from '../words/errors.ts';
import type { Reason } from '../words/result.ts';

export class RefusedError extends AppError {
  readonly status: number;

  constructor(
    status: number,
    reason: Reason,
    message: string,
    options?: { cause?: unknown; remedy?: string },
  ) {
    super(reason, message, options);
    this.name = 'RefusedError';
    this.status = status;
  }
}
