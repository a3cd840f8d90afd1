/** The files through which a step talks to the runner: outputs, state, environment, path and summary. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const kinds = ['output', 'state', 'env', 'path', 'step_summary'] as const;
type Kind = (typeof kinds)[number];

const variables: Record<Kind, string> = {
  output: 'GITHUB_OUTPUT',
  state: 'GITHUB_STATE',
  env: 'GITHUB_ENV',
  path: 'GITHUB_PATH',
  step_summary: 'GITHUB_STEP_SUMMARY',
};

const summaryLimit = 1024 * 1024;

export interface CommandFiles {
  /** `GITHUB_OUTPUT` and its siblings, for the step's environment. */
  env: Record<string, string>;
  paths: Record<Kind, string>;
}

export interface FileCommands {
  output: Record<string, string>;
  state: Record<string, string>;
  env: Record<string, string>;
  /** Directories in the order of the file; each goes before the PATH so far. */
  path: string[];
  summary: string;
  /** What GitHub would report as an error. */
  errors: string[];
  /** Whether an error fails the step, as a malformed file does (a summary that is too large does not). */
  failed: boolean;
}

/** Makes a fresh, empty set of files in a directory; each step has its own. */
export async function createCommandFiles(directory: string, step: string): Promise<CommandFiles> {
  await mkdir(directory, { recursive: true });
  const paths = Object.fromEntries(
    kinds.map((kind) => [kind, join(directory, `${kind}_${step}`)]),
  ) as CommandFiles['paths'];
  await Promise.all(kinds.map((kind) => writeFile(paths[kind], '')));
  return { paths, env: Object.fromEntries(kinds.map((kind) => [variables[kind], paths[kind]])) };
}

/** Reads the files after the step, however it ended. A step may have removed a file: that is like an empty one. */
export async function readCommandFiles({ paths }: CommandFiles): Promise<FileCommands> {
  const result: FileCommands = {
    output: {},
    state: {},
    env: {},
    path: [],
    summary: '',
    errors: [],
    failed: false,
  };
  for (const kind of ['output', 'state', 'env'] as const) {
    try {
      result[kind] = parsePairs(await content(paths[kind]));
    } catch (error) {
      result.failed = true;
      result.errors.push(`Unable to process file command '${kind}' successfully.`, (error as Error).message);
    }
  }
  if (Object.keys(result.env).some((name) => name.toUpperCase() === 'NODE_OPTIONS')) {
    result.errors.push(`Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.`);
    delete result.env.NODE_OPTIONS;
  }
  result.path = (await content(paths.path)).split(/\r?\n/).filter(Boolean);
  result.summary = await content(paths.step_summary);
  const size = Buffer.byteLength(result.summary);
  if (size > summaryLimit) {
    result.summary = '';
    const kibibytes = Math.ceil(size / 1024);
    result.errors.push(
      `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${kibibytes}k.`,
    );
  }
  return result;
}

/**
 * Parses `name=value` lines and `name<<delimiter` blocks. A later value of a name replaces an earlier one.
 * @throws on a line that is neither, and on a delimiter that does not come.
 */
export function parsePairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (heredoc > 0 && (equals < 0 || heredoc < equals)) {
      const delimiter = line.slice(heredoc + 2);
      const end = delimiter === '' ? -1 : lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
      pairs[line.slice(0, heredoc)] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (equals > 0) {
      pairs[line.slice(0, equals)] = line.slice(equals + 1);
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return pairs;
}

async function content(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
