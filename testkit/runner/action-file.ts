/** Reads an action.yml as GitHub's runner does: what to run, and the inputs with their defaults. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { interpolate } from './expression.ts';

export interface ActionFile {
  name: string;
  /** Absolute paths of the entry points. */
  main: string;
  post: string | null;
  /** Condition of the post step. */
  postIf: string;
  /** Declared inputs by name, with the default as it is written ('' when there is none). */
  inputs: Map<string, { default: string; deprecation: string | null }>;
  /** Names of the declared outputs. */
  outputs: string[];
}

/** The runner's `github` context, as far as defaults of inputs may use it. */
export type GithubContext = Record<string, unknown>;

interface Manifest {
  name?: string;
  inputs?: Record<string, { default?: unknown; deprecationMessage?: string } | null>;
  outputs?: Record<string, unknown>;
  runs?: { using?: string; main?: string; post?: string; 'post-if'?: string };
}

/**
 * @param directory holds action.yml or action.yaml.
 * @throws when there is none, or it is not a Node action.
 */
export async function readActionFile(directory: string): Promise<ActionFile> {
  const text = await readFile(join(directory, 'action.yml'), 'utf8').catch(() =>
    readFile(join(directory, 'action.yaml'), 'utf8'),
  );
  const manifest = parse(text) as Manifest;
  const { using, main, post, 'post-if': postIf } = manifest.runs ?? {};
  if (!/^node\d+$/.test(using ?? '') || !main) {
    throw new Error(
      `${directory} is not an action with \`runs.using: node…\` and \`runs.main\` (using: ${using}).`,
    );
  }
  const inputs = Object.entries(manifest.inputs ?? {}).map(
    ([name, input]) =>
      [name, { default: scalar(input?.default), deprecation: input?.deprecationMessage ?? null }] as const,
  );
  return {
    name: manifest.name ?? directory,
    main: join(directory, main),
    post: post ? join(directory, post) : null,
    postIf: postIf ?? 'always()',
    inputs: new Map(inputs),
    outputs: Object.keys(manifest.outputs ?? {}),
  };
}

/**
 * The `INPUT_*` variables of a step. Every declared input has one, empty when it has neither value nor default; names
 * are compared without case; an input that is not declared is passed on too, with a warning.
 */
export function inputEnvironment(
  action: ActionFile,
  given: Record<string, string>,
  github: GithubContext,
): { env: Record<string, string>; warnings: string[] } {
  const env: Record<string, string> = {};
  const warnings: string[] = [];
  const contexts = { values: { github }, status: 'success' } as const;
  for (const [name, input] of action.inputs) env[variableOf(name)] = interpolate(input.default, contexts);
  const declared = new Map([...action.inputs].map(([name, input]) => [name.toLowerCase(), input]));
  const unexpected: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    env[variableOf(name)] = value;
    const input = declared.get(name.toLowerCase());
    if (!input) unexpected.push(name);
    else if (input.deprecation)
      warnings.push(`Input '${name}' has been deprecated with message: ${input.deprecation}`);
  }
  if (unexpected.length > 0) {
    const valid = [...action.inputs.keys()].map((name) => `'${name}'`).join(', ');
    const names = unexpected.map((name) => `'${name}'`).join(', ');
    warnings.push(`Unexpected input(s) ${names}, valid inputs are [${valid}]`);
  }
  return { env, warnings };
}

function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/** YAML reads `default: false` as a boolean; an input is always text. */
function scalar(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
