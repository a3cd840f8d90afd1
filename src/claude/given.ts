/** What a workflow gives Claude Code as JSON or as a file: read, merged, and never taken from a checkout that is not trusted. */
import { readFile, realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import type { McpServerConfig } from '@anthropic-ai/claude-agent-sdk/core';
import { AppError } from '../words/errors.ts';

/** Where relative paths start, and whether what lies there may be read. */
export interface GivenPlace {
  /** The checkout that Claude works in. */
  directory: string;
  /** False for pull requests: a file of the checkout is the contributor's. */
  trustCheckout: boolean;
}

type JsonObject = Record<string, unknown>;

/** A JSON object given inline or as a path; {} for ''. @param what names it in an error. */
export async function readGiven(place: GivenPlace, what: string, given: string): Promise<JsonObject> {
  const text = given.trim();
  if (!text) return {};
  if (text.startsWith('{')) return parseObject(what, text);
  return parseObject(`${what}: \`${text}\``, await readGivenText(place, what, text));
}

/** The text of a file. @throws AppError `invalid_input` where it cannot be read or must not be. */
export async function readGivenText(place: GivenPlace, what: string, path: string): Promise<string> {
  const real = await givenPath(place, what, path);
  return readFile(real, 'utf8').catch((error) =>
    refuse(`${what}: \`${path}\` cannot be read: ${error.message}`),
  );
}

/** The real path of a file or directory. @throws AppError `invalid_input` where it is missing or must not be used. */
export async function givenPath(place: GivenPlace, what: string, path: string): Promise<string> {
  const named = resolve(place.directory, path);
  const real = await realpath(named).catch((error) =>
    refuse(`${what}: \`${path}\` cannot be read: ${error.message}`),
  );
  if (place.trustCheckout) return real;
  // In a pull request the file is the contributor's, also where it is a link elsewhere, and settings start programs.
  if (!isInside(place.directory, named) && !isInside(await realpath(place.directory), real)) return real;
  throw new AppError(
    'invalid_input',
    `${what}: \`${path}\` is a file of the checkout, which is not trusted on this event.`,
    { remedy: 'Give the JSON itself, or a file outside the checkout that an earlier step has written.' },
  );
}

/** The servers of all configurations, inline and in files; of two with one name the later counts. */
export async function givenServers(
  place: GivenPlace,
  configs: string[],
): Promise<Record<string, McpServerConfig>> {
  const what = 'Input `claude_args`: `--mcp-config`';
  const servers: Record<string, McpServerConfig> = {};
  for (const config of configs) {
    const given = await readGiven(place, what, config);
    const named = given.mcpServers;
    if (named === undefined && Object.keys(given).length === 0) continue;
    if (!isObject(named) || !Object.values(named).every(isObject)) {
      throw new AppError('invalid_input', `${what} has no \`mcpServers\` object.`, {
        remedy: 'Write `{"mcpServers": {"name": {"command": "…"}}}`.',
      });
    }
    Object.assign(servers, named);
  }
  return servers;
}

/** As Claude Code merges its own files: objects by key, lists one after the other, of other values the later counts. */
export function mergeSettings(first: JsonObject, second: JsonObject): JsonObject {
  const merged = new Map(Object.entries(first));
  for (const [key, value] of Object.entries(second)) {
    const former = merged.get(key);
    if (isObject(former) && isObject(value)) merged.set(key, mergeSettings(former, value));
    else if (Array.isArray(former) && Array.isArray(value))
      merged.set(key, [...new Set([...former, ...value])]);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

function parseObject(what: string, text: string): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse(`${what} is not valid JSON: ${(error as Error).message}`);
  }
  return isObject(parsed) ? parsed : refuse(`${what} must be a JSON object.`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

function refuse(message: string): never {
  throw new AppError('invalid_input', message);
}
