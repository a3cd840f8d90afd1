/** The server's log: one JSON object a line, on standard output, with every known secret taken out. */
import { createLog, type Level, type Log } from '../words/log.ts';
import type { Redact } from '../words/redact.ts';

export interface LogOptions {
  redact: Redact;
  /** Lines of `debug` are left out unless told: they may hold prompts and payloads. */
  level: 'info' | 'debug';
  write(line: string): void;
}

/** Fields that have a place of their own: `delivery`, `task`, `session`. */
export function jsonLog({ redact, level, write }: LogOptions): Log {
  return createLog((of: Level, message, fields) => {
    if (of === 'debug' && level !== 'debug') return;
    write(redact(line({ time: new Date().toISOString(), level: of, message, ...fields })));
  });
}

function line(entry: Record<string, unknown>): string {
  try {
    return JSON.stringify(entry, (_, value) => plain(value));
  } catch {
    const { time, level, message } = entry;
    return JSON.stringify({ time, level, message });
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === 'bigint' ? String(value) : value;
}
