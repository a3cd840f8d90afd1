/** What a workflow gives Claude Code as JSON, file or directory: read, merged, never taken from a checkout that is not trusted. */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
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

/**
 * The real path of a file or directory.
 * @throws AppError `invalid_input` where it is missing or must not be used: in a checkout that is not trusted, and by a
 * link out of one that is, as Claude may have made it in an earlier session.
 */
export async function givenPath(place: GivenPlace, what: string, path: string): Promise<string> {
  const named = resolve(place.directory, path);
  const [checkout, real] = await Promise.all([
    realpath(place.directory),
    realpath(named).catch((error) => refuse(`${what}: \`${path}\` cannot be read: ${error.message}`)),
  ]);
  const [isNamedInside, isInsideReally] = [isInside(place.directory, named), isInside(checkout, real)];
  if (place.trustCheckout && isNamedInside && !isInsideReally)
    refuse(`${what}: \`${path}\` is a link that leads out of the checkout.`);
  if (place.trustCheckout || !(isNamedInside || isInsideReally)) return real;
  throw new AppError(
    'invalid_input',
    `${what}: \`${path}\` is in the checkout, which is not trusted on this event.`,
    { remedy: 'Give the text itself, or a path outside the checkout that an earlier step has filled.' },
  );
}

/** What `--add-dir` names. Not what is in an untrusted checkout: Claude Code would load its skills. */
export async function givenDirectories(place: GivenPlace, paths: string[]): Promise<string[]> {
  const named = paths.map((path) => resolve(place.directory, path));
  if (place.trustCheckout) return named;
  const checkout = await realpath(place.directory);
  const real = await Promise.all(named.map((path) => realpath(path).catch(() => path)));
  return named.filter((path, index) => !isInside(place.directory, path) && !isInside(checkout, real[index]!));
}

/** The servers of all configurations, inline and in files; of two with one name the later counts. */
export async function givenServers(
  place: GivenPlace,
  configs: string[],
): Promise<Record<string, McpServerConfig>> {
  const servers: Record<string, McpServerConfig> = {};
  for (const config of configs) {
    const given = await readGiven(place, mcpConfig, config);
    const what = config.trim().startsWith('{') ? mcpConfig : `${mcpConfig}: \`${config}\``;
    Object.assign(servers, serversIn(what, given));
  }
  return servers;
}

const mcpConfig = 'Input `claude_args`: `--mcp-config`';

function serversIn(what: string, given: JsonObject): Record<string, McpServerConfig> {
  if (Object.keys(given).length === 0) return {};
  const { mcpServers: servers } = given;
  const remedy = 'Write `{"mcpServers": {"name": {"command": "…"}}}`, or `"type": "http"` with a `"url"`.';
  if (!isObject(servers))
    throw new AppError('invalid_input', `${what} has no \`mcpServers\` object.`, { remedy });
  for (const [name, server] of Object.entries(servers)) {
    if (isObject(server) && [server.command, server.url].some((way) => typeof way === 'string')) continue;
    throw new AppError('invalid_input', `${what}: server \`${name}\` has no \`command\` and no \`url\`.`, {
      remedy,
    });
  }
  return servers as Record<string, McpServerConfig>;
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
    return refuse(`${what} is not valid JSON: ${withoutQuote(error as Error)}`);
  }
  return isObject(parsed) ? parsed : refuse(`${what} must be a JSON object.`);
}

/** The parser quotes what it has read, which may hold secrets: `Unexpected token 's', ..."KEY": sk-1"... is not valid JSON`. */
function withoutQuote({ message }: Error): string {
  return message.replace(/, (?:\.\.\.)?".*$/s, '');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refuse(message: string): never {
  throw new AppError('invalid_input', message);
}
