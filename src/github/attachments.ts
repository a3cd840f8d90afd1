/** Images that people attached on GitHub: where they may be, and how their bytes are fetched without giving a credential away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';
import { type Failure, type RetryPolicy, retryDelay } from './retry.ts';

export interface AttachmentSource {
  /** GITHUB_SERVER_URL */
  serverUrl: string;
  token(): Promise<string>;
}

/** An attachment as a text names it. */
export interface Attachment {
  address: string;
  /** The part of the address that its signed form has too; null where there is no such form. */
  id: string | null;
}

export interface AttachmentRequest {
  attachment: Attachment;
  /** Where GitHub's own rendering of the text shows the image; null when it shows none. */
  signed: string | null;
  maxBytes: number;
  signal: AbortSignal;
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ownPath = new RegExp(`^/(?:user-attachments/assets|[\\w.-]+/[\\w.-]+/assets/\\d+)/(${uuid})$`, 'i');

/** Hosts of github.com that serve nothing but attachments, by signed or unguessable addresses. */
const imageHosts = ['private-user-images.githubusercontent.com', 'user-images.githubusercontent.com'];
/** Where github.com itself leads to from there and from its own addresses. */
const storageHosts = [
  ...imageHosts,
  'objects.githubusercontent.com',
  'github-production-user-asset-6210df.s3.amazonaws.com',
];

const mostRedirects = 3;
const policy: RetryPolicy = { attempts: 2, firstDelayMs: 300, longestWaitMs: 3_000, timeoutMs: 15_000 };

/** Null for every address that is not an attachment of this GitHub. */
export function attachmentAt(address: string, serverUrl: string): Attachment | null {
  const url = plainUrl(address);
  if (!url) return null;
  const server = new URL(serverUrl);
  if (url.origin === server.origin) {
    const id = ownPath.exec(url.pathname)?.[1];
    return id ? { address, id } : null;
  }
  return server.hostname === 'github.com' && isAt(url, imageHosts) ? { address, id: null } : null;
}

/** True for the signed address of that attachment, as GitHub puts it into the HTML of a text. */
export function isSigned(address: string, { id }: Attachment, serverUrl: string): boolean {
  const url = plainUrl(address);
  if (!url || !id || !url.pathname.split('/').at(-1)!.toLowerCase().includes(id.toLowerCase())) return false;
  const server = new URL(serverUrl);
  // An installation's token opens no attachment of a private repository: the signature does, for minutes.
  if (server.hostname === 'github.com') return isAt(url, imageHosts.slice(0, 1));
  return isStorage(url, server);
}

/**
 * The bytes of an attachment. The credential goes to the server's own host and nowhere else: not to the storage, and
 * not along a redirect. Attacks: `attachments.test.ts`.
 * @throws AppError `github_unavailable` whose message says why in a few words of ours.
 */
export async function downloadAttachment(
  source: AttachmentSource,
  request: AttachmentRequest,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await follow(source, request);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      const delay = retryDelay(error.failure, attempt, policy, Date.now());
      if (delay === null || request.signal.aborted) throw refused(error.failure.message);
      await sleep(delay);
    }
  }
}

class Unanswered extends Error {
  readonly failure: Failure;

  constructor(status: number | null, message: string) {
    super(message);
    this.failure = { status, headers: {}, message };
  }
}

async function follow({ serverUrl, token }: AttachmentSource, request: AttachmentRequest) {
  const { attachment, signed, maxBytes } = request;
  const server = new URL(serverUrl);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(policy.timeoutMs)]);
  let url = new URL(signed ?? attachment.address);
  let headers: Record<string, string> = {};
  if (!signed && url.origin === server.origin) headers = { authorization: `token ${await token()}` };
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    const response = await ask(url, headers, signal);
    if (response.status < 300 || response.status > 399) return read(response, maxBytes);
    await response.body?.cancel();
    const next = URL.parse(response.headers.get('location') ?? '', url.href);
    if (!next || !isStorage(next, server))
      throw refused("GitHub led to a place that is not its own storage's");
    url = next;
    headers = {};
  }
  throw refused('GitHub led from one place to the next');
}

async function ask(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { headers, redirect: 'manual', signal }).catch(() => {
    throw new Unanswered(null, signal.aborted ? 'no answer in time' : 'no answer');
  });
  if (response.status < 400) return response;
  await response.body?.cancel();
  throw new Unanswered(response.status, `GitHub answered ${response.status}`);
}

async function read(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > maxBytes) throw refused(`larger than ${Math.floor(maxBytes / 2 ** 20)} MiB`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new Unanswered(null, 'the answer broke off');
  }
  return Buffer.concat(chunks);
}

function isStorage(url: URL, server: URL): boolean {
  if (url.username || url.password) return false;
  if (server.hostname === 'github.com') return isAt(url, storageHosts);
  return (
    url.origin === server.origin || (url.protocol === server.protocol && url.host === `media.${server.host}`)
  );
}

function isAt(url: URL, hosts: string[]): boolean {
  return url.protocol === 'https:' && hosts.includes(url.host);
}

function plainUrl(address: string): URL | null {
  const url = URL.parse(address);
  return url && !url.username && !url.password ? url : null;
}

function refused(message: string): AppError {
  return new AppError('github_unavailable', message);
}
