/** Structured log lines with the ids that let one follow a task; where they go is the door's choice. */

export type Level = 'debug' | 'info' | 'notice' | 'warning' | 'error';

/** Writes one finished line; `fields` are small and already safe to show. */
export type LogSink = (level: Level, message: string, fields: Record<string, unknown>) => void;

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A log whose lines also carry `fields` (`delivery`, `task`, `session`). */
  with(fields: Record<string, unknown>): Log;
}

export function createLog(sink: LogSink, context: Record<string, unknown> = {}): Log {
  const at =
    (level: Level) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      sink(level, message, { ...context, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    notice: at('notice'),
    warning: at('warning'),
    error: at('error'),
    with: (fields) => createLog(sink, { ...context, ...fields }),
  };
}
