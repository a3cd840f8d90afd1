/** The log of a job as GitHub shows it: workflow commands carried out, annotations collected, secrets masked. */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Masks } from './masks.ts';

export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  title?: string;
  message: string;
  file?: string;
  line?: number;
  /** Whose line it was; `runner` for what the runner itself reports. */
  source: LogSource;
}

export type LogSource = 'main' | 'post' | 'runner';

export interface LogOptions {
  masks: Masks;
  /** Shows `::debug::` lines, as a job with debug logging switched on does. */
  debug?: boolean;
  /** Called with each line of the log as it is shown. */
  onLine?: (line: string) => void;
}

export class JobLog {
  readonly lines: string[] = [];
  /** What the processes wrote, neither masked nor interpreted. */
  readonly raw: string[] = [];
  readonly annotations: Annotation[] = [];
  private readonly options: LogOptions;
  private stopToken: string | null = null;

  constructor(options: LogOptions) {
    this.options = options;
  }

  /** Follows a stream of a step to its end. */
  follow(stream: Readable, source: LogSource): void {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.receive(line.replace(/\r$/, ''), source);
    });
    stream.on('end', () => {
      if (rest) this.receive(rest, source);
    });
  }

  /** Each step begins with commands switched on. */
  startStep(): void {
    this.stopToken = null;
  }

  annotate(annotation: Annotation): void {
    const { masks } = this.options;
    const title = annotation.title && { title: masks.apply(annotation.title) };
    this.annotations.push({ ...annotation, ...title, message: masks.apply(annotation.message) });
    this.show(`##[${annotation.level}]${annotation.message}`);
  }

  private receive(line: string, source: LogSource): void {
    this.raw.push(line);
    const command = parseCommand(line);
    if (this.stopToken !== null) {
      if (command?.name === this.stopToken) this.stopToken = null;
      this.show(line);
    } else if (!command || !this.carryOut(command, source)) {
      this.show(line);
    }
  }

  /** Returns whether the line is dealt with, also in the log. */
  private carryOut({ name, properties, message }: Command, source: LogSource): boolean {
    switch (name) {
      case 'error':
      case 'warning':
      case 'notice': {
        const { title, file, line } = properties;
        this.annotate({
          level: name,
          message,
          source,
          ...(title ? { title } : {}),
          ...(file ? { file } : {}),
          ...(line ? { line: Number(line) } : {}),
        });
        return true;
      }
      case 'add-mask':
        this.options.masks.add(message);
        this.show('::add-mask::***');
        return true;
      case 'stop-commands':
        this.stopToken = message;
        return false;
      case 'debug':
        if (this.options.debug) this.show(`##[debug]${message}`);
        return true;
      case 'group':
      case 'endgroup':
        this.show(`##[${name}]${message}`);
        return true;
      default:
        return false;
    }
  }

  private show(text: string): void {
    for (const line of this.options.masks.apply(text).split('\n')) {
      this.lines.push(line);
      this.options.onLine?.(line);
    }
  }
}

interface Command {
  name: string;
  properties: Record<string, string>;
  message: string;
}

/** `::name key=value,key=value::message`, or null. */
function parseCommand(line: string): Command | null {
  const match = /^\s*::([^\s:]+)(?:\s+(.*?))?::(.*)$/s.exec(line);
  if (!match) return null;
  const properties: Record<string, string> = {};
  for (const pair of (match[2] ?? '').split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) properties[pair.slice(0, equals).trim()] = unescapeProperty(pair.slice(equals + 1));
  }
  return { name: match[1] ?? '', properties, message: unescapeMessage(match[3] ?? '') };
}

function unescapeMessage(text: string): string {
  return text.replaceAll(/%0D/gi, '\r').replaceAll(/%0A/gi, '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return unescapeMessage(text.replaceAll(/%3A/gi, ':').replaceAll(/%2C/gi, ','));
}
