/** Where progress may be sent, and the one way it is sent there: to no private place, by no redirect, to the address that was checked. */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from '../words/addresses.ts';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';

export interface Endpoint {
  url: URL;
  /** On the list of allowed ones, which may name private places and plain http. */
  isListed: boolean;
  /** What it was given as, for example `client_payload.progress_endpoint`. */
  name: string;
}

/** The addresses of a name, as the system knows them. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

export interface Post {
  body: string;
  headers: Record<string, string>;
  /** Milliseconds for all of it: name, connection, answer. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Other than the system's own, for tests. */
  resolve?: Resolve;
}

export interface Posted {
  /** Redirects are not followed: 3xx is a status like any other. */
  status: number;
  /** What `Retry-After` asks for, in milliseconds; as long as the endpoint likes. */
  retryAfterMs: number | null;
}

/** Bytes of an answer that are read: nobody looks at them, but a connection should end in order. */
const mostRead = 64 * 1024;
const resolveMs = 10_000;
const resolveName: Resolve = (host) => lookup(host, { all: true });

/**
 * @param allowed origins or URL prefixes; when there are any, only what matches one may be sent to
 * @param name what the endpoint was given as
 * @throws AppError `invalid_input` that names the field and what to do.
 */
export function readEndpoint(text: string, allowed: string[], name: string): Endpoint {
  const entries = allowed.map(readEntry);
  const refuse = (why: string, remedy: string) =>
    new AppError('invalid_input', `\`${name}\` ${why}.`, { remedy });
  // The parser would take blanks out and turn backslashes round, so that two readers see two places.
  const url = /[\s\\\p{Cc}]/u.test(text) ? null : URL.parse(text);
  if (!url) throw refuse('is not a URL', 'Give an absolute `https` URL.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw refuse('is not an `https` URL', 'Give an absolute `https` URL.');
  if (url.username || url.password)
    throw refuse('holds a user or password', 'Leave them out: requests carry an OIDC token.');
  if (text.includes('#')) throw refuse('has a fragment', 'Leave out what begins with `#`.');
  const host = shown(url.host);
  const isListed = entries.some((entry) => isWithin(url, entry));
  if (isListed) return { url, isListed, name };
  if (entries.length > 0)
    throw refuse(
      `leads to ${host}, and nothing in \`progress_endpoints_allowed\` allows that URL`,
      'Use an endpoint that is listed, or add its origin to `progress_endpoints_allowed`.',
    );
  const list = 'list its origin in `progress_endpoints_allowed`';
  if (url.protocol === 'http:') throw refuse('is a plain `http` URL', `Use \`https\`, or ${list}.`);
  if (!mayBePublic(bareHost(url)))
    throw refuse(`leads to ${host}, which is no public place`, `Use a public host, or ${list}.`);
  return { url, isListed, name };
}

/**
 * Looks the name up. One that cannot be resolved now is merely down, and no error.
 * @throws AppError `invalid_input` when any of its addresses is private and the endpoint is not listed.
 */
export async function checkEndpoint(endpoint: Endpoint, resolve = resolveName): Promise<void> {
  if (endpoint.isListed) return;
  const addresses = await addressesOf(endpoint, resolve, AbortSignal.timeout(resolveMs)).catch(() => []);
  refusePrivate(endpoint, addresses);
}

/**
 * One POST, however it is answered.
 * @throws AppError `invalid_input` when the name now leads to a private place; any other error: no answer.
 */
export async function postTo(endpoint: Endpoint, post: Post): Promise<Posted> {
  const { body, headers, timeoutMs = 10_000, resolve = resolveName } = post;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = post.signal ? AbortSignal.any([late, post.signal]) : late;
  const addresses = await addressesOf(endpoint, resolve, signal);
  refusePrivate(endpoint, addresses);
  const response = await answerTo(endpoint.url, body, {
    method: 'POST',
    headers: { 'user-agent': 'forgehand', ...headers },
    // Not the shared one, which may keep connections to what was not checked, or lead through a proxy.
    agent: false,
    // No second question to the name server, which could answer otherwise by now.
    lookup: answering(addresses),
    signal,
  });
  await readSome(response);
  return { status: response.statusCode ?? 0, retryAfterMs: retryAfter(response.headers['retry-after']) };
}

function readEntry(text: string): URL {
  const url = /[\s\\*#?]/.test(text) ? null : URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password) return url;
  throw new AppError('invalid_input', `\`progress_endpoints_allowed\` holds ${shown(text)}.`, {
    remedy:
      'Give one origin or URL prefix per line, for example `https://api.example.com`; without wildcards, query, user or fragment.',
  });
}

/** On parsed parts, and up to a `/`: `https://a.example/in` holds neither `https://a.example.evil` nor `/inside`. */
function isWithin(url: URL, entry: URL): boolean {
  if (url.origin !== entry.origin) return false;
  const prefix = entry.pathname;
  if (prefix === '/' || url.pathname === prefix) return true;
  const base = prefix.endsWith('/') ? prefix : `${prefix}/`;
  // `..%2f` and `..;` stay as they are here, and are `../` to some servers.
  return url.pathname.startsWith(base) && !/[%;]/.test(url.pathname.slice(base.length));
}

/** Without the brackets of an IPv6 address and the dots that end an absolute name. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$|\.+$/g, '');
}

function mayBePublic(host: string): boolean {
  if (isIP(host)) return isPublicAddress(host);
  return !/(?:^|\.)localhost$/.test(host);
}

function refusePrivate({ url, isListed, name }: Endpoint, addresses: LookupAddress[]): void {
  // All of them: a name with one public and one private address would else lead inside every other time.
  if (isListed || addresses.every(({ address }) => isPublicAddress(address))) return;
  throw new AppError('invalid_input', `\`${name}\` leads to ${shown(url.host)}, which is no public place.`, {
    remedy: 'Use a public host, or list its origin in `progress_endpoints_allowed`.',
  });
}

async function addressesOf(
  { url }: Endpoint,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<LookupAddress[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family) return [{ address: host, family }];
  const addresses = await unlessAborted(resolve(host), signal);
  if (addresses.length === 0) throw new Error(`${host} has no address`);
  return addresses;
}

/** For work that cannot be stopped itself: its end, or the signal's reason, whichever comes first. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function answering(addresses: LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
}

function answerTo(url: URL, body: string, options: RequestOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, options, resolve);
  sent.on('error', reject);
  // Also where no error is told, for example when the endpoint changes to another protocol.
  sent.on('close', () => reject(new Error('the connection was closed without an answer')));
  sent.end(body);
  return promise;
}

/** The status has been said: whatever happens to the rest of the answer does not take it back. */
async function readSome(response: IncomingMessage): Promise<void> {
  let read = 0;
  try {
    for await (const chunk of response) {
      read += (chunk as Buffer).length;
      // Leaving the loop ends the connection.
      if (read > mostRead) break;
    }
  } catch {}
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfter(header: string | undefined): number | null {
  if (!header || !/^\d+$|GMT$/.test(header)) return null;
  const ms = header.endsWith('GMT') ? Date.parse(header) - Date.now() : Number(header) * 1000;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
