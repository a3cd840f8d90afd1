/** Speaks to the Actions runner: outputs, state, masks, annotations, summary. https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { LogSink } from '../words/log.ts';

/** The runner's command files (`GITHUB_OUTPUT`, …) and standard output. */
export interface Commands {
  output(name: string, value: string): void;
  /** Hands a value to `post`, which reads it as `STATE_<name>`; the last one of a name counts. */
  state(name: string, value: string): void;
  /** From here on the runner shows `***` instead; several lines are masked each. */
  mask(secret: string): void;
  /** Appends markdown to the step summary. */
  summary(markdown: string): void;
  annotate(level: 'error' | 'warning' | 'notice', message: string, title?: string): void;
  sink: LogSink;
}

/** Characters of a line of a longer secret from which on it is masked by itself. */
const shortestLine = 8;

/** @param write standard output, one whole line at a time. */
export function runnerCommands(
  job: Record<string, string | undefined>,
  write: (line: string) => void,
): Commands {
  const file = (variable: string, text: string) => {
    const path = job[variable];
    if (path) appendFileSync(path, text);
  };
  const pair = (variable: string) => (name: string, value: string) => {
    // A random delimiter: no value can end itself and begin another output.
    const delimiter = `forgehand-${randomUUID()}`;
    file(variable, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
  };
  const annotate = (level: 'error' | 'warning' | 'notice', message: string, title?: string) =>
    write(`::${level}${title ? ` title=${property(title)}` : ''}::${data(message)}`);
  return {
    output: pair('GITHUB_OUTPUT'),
    state: pair('GITHUB_STATE'),
    mask: (secret) => {
      const lines = secret.split(/[\r\n]+/).filter((line) => line.trim());
      // A line of its own that is too short to be secret, such as the `{` of a JSON key, would mangle the whole log.
      const telling = lines.length > 1 ? lines.filter((line) => line.length >= shortestLine) : lines;
      for (const line of telling) write(`::add-mask::${data(line)}`);
    },
    summary: (markdown) => file('GITHUB_STEP_SUMMARY', `${markdown}\n`),
    annotate,
    sink: (level, message, fields) => {
      const { task: _task, ...rest } = fields;
      const text = Object.keys(rest).length > 0 ? `${message} ${JSON.stringify(rest)}` : message;
      if (level === 'info') write(neutral(text));
      else if (level === 'debug') write(`::debug::${data(text)}`);
      else annotate(level, text);
    },
  };
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * Ordinary text must not be read as a command, as `::add-mask::…` in a title would be. The runner takes `::` after what
 * .NET calls white space at the start of a line, and the older `##[` anywhere.
 */
function neutral(text: string): string {
  return text.replace(/(^|[\r\n])((?:[^\S\r\n]|\u0085)*)::/g, '$1$2\u200b::').replaceAll('##[', '##\u200b[');
}
