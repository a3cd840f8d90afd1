/** Keeps bytes in the cache of GitHub's runner, through the second version of its service. */
import { createHash } from 'node:crypto';
import type { Keep } from '../engine/door.ts';
import { type Failure, type RetryPolicy, whyNoAnswer, withRetry } from '../github/retry.ts';

/** Where the service is, and this job's token for it. */
export interface CacheSource {
  url: string;
  token: string;
}

export interface Limits {
  /** Milliseconds that a run waits at most. */
  restoreMs: number;
  saveMs: number;
  /** Of an entry; more is not taken in. */
  bytes: number;
}

const usual: Limits = { restoreMs: 10_000, saveMs: 30_000, bytes: 80 * 1024 * 1024 };
const policy: RetryPolicy = { attempts: 3, firstDelayMs: 300, longestWaitMs: 2_000, timeoutMs: 30_000 };
/** Entries of another form have another version, so that neither is taken for the other. */
const version = createHash('sha256').update('forgehand conversation 1').digest('hex');

class Refused extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/**
 * An entry is asked for, and its bytes go to or come from the signed address that is answered. The runner's own library
 * would write files where an entry says.
 */
export function runnerCache(source: CacheSource, limits = usual): Keep {
  const call = async (method: string, body: Record<string, unknown>, signal: AbortSignal) => {
    const name = `twirp/github.actions.results.api.v1.CacheService/${method}`;
    const answer = await ask(new URL(name, `${source.url.replace(/\/+$/, '')}/`), {
      method: 'POST',
      headers: { authorization: `Bearer ${source.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, version }),
      signal,
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  return {
    restore: (prefix, ended) =>
      within([AbortSignal.timeout(limits.restoreMs), ended], async (signal) => {
        const wanted = { key: prefix, restore_keys: [prefix] };
        const found = await call('GetCacheEntryDownloadURL', wanted, signal);
        if (!found.ok) return null;
        const response = await ask(textOf(found, 'signed_download_url'), { signal });
        return { key: textOf(found, 'matched_key'), bytes: await atMost(response, limits.bytes) };
      }),
    save: (key, bytes, ended) =>
      within([AbortSignal.timeout(limits.saveMs), ended], async (signal) => {
        const made = await call('CreateCacheEntry', { key }, signal);
        if (!made.ok) throw new Error(`it keeps nothing for this job: ${made.message || 'no reason given'}`);
        const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/octet-stream' };
        const body = new Uint8Array(bytes);
        await ask(textOf(made, 'signed_upload_url'), { method: 'PUT', headers, body, signal });
        const size_bytes = String(bytes.length);
        const done = await call('FinalizeCacheEntryUpload', { key, size_bytes }, signal);
        if (!done.ok) throw new Error(`the upload was not taken: ${done.message || 'no reason given'}`);
      }),
  };
}

/** @throws Error that says why, at the latest when the time is over or nobody waits any more. */
async function within<T>(ends: AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await work(AbortSignal.any(ends));
  } catch (error) {
    throw new Error(error instanceof Refused ? error.message : whyNoAnswer(error), { cause: error });
  }
}

function ask(url: URL | string, init: RequestInit): Promise<Response> {
  return withRetry(
    () => once(url, init),
    // When the time is over there is none to try again.
    (error) => (error instanceof Refused && !init.signal?.aborted ? error.failure : null),
    policy,
  );
}

async function once(url: URL | string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: 'error' });
  } catch (error) {
    throw new Refused({ status: null, headers: {}, message: whyNoAnswer(error) }, error);
  }
  if (response.ok) return response;
  const { status } = response;
  const { msg } = (await response.json().catch(() => ({}))) as { msg?: string };
  throw new Refused({ status, headers: {}, message: [`status ${status}`, msg].filter(Boolean).join(': ') });
}

/** Read piece by piece: who writes to the cache does not decide how much memory this takes. */
async function atMost(response: Response, longest: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > longest) throw new Error(`the entry has more than ${longest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function textOf(answer: Record<string, unknown>, name: string): string {
  const value = answer[name];
  if (typeof value !== 'string' || !value) throw new Error(`its answer has no \`${name}\``);
  return value;
}
