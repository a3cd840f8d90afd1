/** What a command says when it cannot go on: what happened, and what to do about it. */
import { toUserMessage } from '../words/errors.ts';
import { redactor } from '../words/redact.ts';

/** @returns the exit code: 2 when it is for the caller to correct, else 1. */
export function complain(error: unknown): number {
  const { reason, message, remedy } = toUserMessage(error);
  console.error(redactor([])(`forgehand: ${message}\n${remedy}`));
  if (reason === 'internal' && error instanceof Error && process.env.LOG_LEVEL === 'debug')
    console.error(error);
  return reason === 'invalid_input' ? 2 : 1;
}
