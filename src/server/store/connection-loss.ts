/** Tells a database that is away from a statement that it refused: the first passes by itself. */
import { AppError } from '../../words/errors.ts';

/** SQLSTATE classes and codes that speak of the connection or the server, not of the statement. */
const lost = /^(08|57P0[1235]|53300|25P03)/;
const network = new Set(
  'ECONNREFUSED ECONNRESET ENOENT EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH EAI_AGAIN ENOTFOUND'.split(' '),
);
/** What `pg` says without a code. */
const spoken =
  /connection terminated|timeout exceeded when trying to connect|connection ended|not queryable/i;

/** True when a statement failed because the database is (or went) away. */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof AppError) return isConnectionLoss(error.cause);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  return lost.test(code) || network.has(code) || spoken.test(error.message);
}

/** What a person is told while the database does not answer. */
export function unreachable(error: unknown): AppError {
  const why =
    error instanceof AggregateError
      ? error.errors.map((one) => (one as Error).message).join('; ')
      : (error as Error).message;
  return new AppError('internal', `The database does not answer: ${why}`, {
    cause: error,
    remedy: 'Check that PostgreSQL runs and that DATABASE_URL is right; Forgehand goes on when it answers.',
  });
}
