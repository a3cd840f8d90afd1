/** The cache service that a runner gives its jobs (version 2) on loopback: entries of one repository by ref, blobs behind signed addresses. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a job's token lets it do: read its own ref's entries and the default branch's, write its own ref's. */
export interface CacheScope {
  repository: string;
  ref: string;
  defaultRef: string;
}

export interface CacheEntry {
  repository: string;
  ref: string;
  key: string;
  version: string;
  bytes: Buffer;
}

export interface CacheService extends AsyncDisposable {
  readonly url: string;
  /** Finished entries, oldest first. A story may change them, as who can write to a repository's caches could. */
  readonly entries: CacheEntry[];
  /** Method and path of each request. */
  readonly requests: string[];
  /** From now on every request is answered so; 'never' for not at all. Null to work again. */
  answer: number | 'never' | null;
  /** The same for the same scope. */
  token(scope: CacheScope): string;
}

interface Upload {
  entry: CacheEntry;
  blob: string;
}

type Answer = [status: number, body: Record<string, unknown> | Buffer];

const service = '/twirp/github.actions.results.api.v1.CacheService/';

export async function startCacheService(): Promise<CacheService> {
  const scopes = new Map<string, CacheScope>();
  const uploads: Upload[] = [];
  /** By the path of the signed address. */
  const blobs = new Map<string, { bytes: Buffer; mayWrite: boolean }>();
  const server = createServer((request, response) => void receive(request, response));

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    kit.requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (kit.answer === 'never') return;
    const [status, body] =
      kit.answer === null
        ? answerTo(request, Buffer.concat(chunks))
        : ([kit.answer, { code: 'unavailable', msg: 'out of order' }] satisfies Answer);
    response.writeHead(status, {
      'content-type': Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json',
    });
    response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  }

  function answerTo(request: IncomingMessage, body: Buffer): Answer {
    const path = request.url ?? '/';
    if (path.startsWith('/blob/')) return blobAnswer(request, path, body);
    const scope = scopes.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (!scope) return problem(401, 'unauthenticated', 'token is invalid');
    if (request.method !== 'POST' || !path.startsWith(service)) return problem(404, 'bad_route', path);
    if (!request.headers['content-type']?.startsWith('application/json'))
      return problem(415, 'bad_route', 'content type');
    const call = JSON.parse(body.toString()) as Record<string, string>;
    if (!call.key || !/^[0-9a-f]{64}$/.test(call.version ?? ''))
      return problem(400, 'invalid_argument', 'key or version is missing');
    if (call.key.length > 512 || call.key.includes(','))
      return problem(400, 'invalid_argument', 'key is not valid');
    switch (path.slice(service.length)) {
      case 'CreateCacheEntry':
        return create(scope, call);
      case 'FinalizeCacheEntryUpload':
        return finalise(scope, call);
      case 'GetCacheEntryDownloadURL':
        return find(scope, call as unknown as Wanted);
      default:
        return problem(404, 'bad_route', path);
    }
  }

  function create(
    { repository, ref }: CacheScope,
    { key = '', version = '' }: Record<string, string>,
  ): Answer {
    const is = (one: CacheEntry) =>
      one.repository === repository && one.ref === ref && one.key === key && one.version === version;
    if (kit.entries.some(is)) return problem(409, 'already_exists', 'cache entry already exists');
    const blob = `/blob/${randomUUID()}`;
    blobs.set(blob, { bytes: Buffer.alloc(0), mayWrite: true });
    uploads.push({ blob, entry: { repository, ref, key, version, bytes: Buffer.alloc(0) } });
    return [200, { ok: true, signed_upload_url: signed(blob), message: '' }];
  }

  function finalise(scope: CacheScope, call: Record<string, string>): Answer {
    const at = uploads.findIndex(
      ({ entry }) =>
        entry.key === call.key && entry.version === call.version && entry.repository === scope.repository,
    );
    const [upload] = at < 0 ? [] : uploads.splice(at, 1);
    const bytes = upload && blobs.get(upload.blob)?.bytes;
    if (!upload || bytes?.length !== Number(call.size_bytes))
      return problem(400, 'invalid_argument', 'nothing of that size was uploaded');
    kit.entries.push({ ...upload.entry, bytes });
    return [200, { ok: true, entry_id: String(kit.entries.length), message: '' }];
  }

  /** The job's own ref before the default branch's; by the whole key before by its beginning, the newest first. */
  function find({ repository, ref, defaultRef }: CacheScope, { key, restore_keys, version }: Wanted): Answer {
    for (const one of new Set([ref, defaultRef])) {
      const there = kit.entries.filter(
        (entry) => entry.repository === repository && entry.ref === one && entry.version === version,
      );
      for (const prefix of [key, ...(restore_keys ?? [])]) {
        const found =
          there.findLast((entry) => entry.key === prefix) ??
          there.findLast((entry) => entry.key.startsWith(prefix));
        if (!found) continue;
        const blob = `/blob/${randomUUID()}`;
        blobs.set(blob, { bytes: found.bytes, mayWrite: false });
        return [200, { ok: true, signed_download_url: signed(blob), matched_key: found.key }];
      }
    }
    return [200, { ok: false, signed_download_url: '', matched_key: '' }];
  }

  /** As Azure's storage does it: the address is the permission, and there is no other. */
  function blobAnswer({ method, headers }: IncomingMessage, path: string, body: Buffer): Answer {
    const [name = '', query = ''] = path.split('?');
    const blob = blobs.get(name);
    if (!blob || !query.includes('sig=')) return problem(403, 'AuthenticationFailed', 'signature');
    if (headers.authorization) return problem(403, 'AuthenticationFailed', 'two ways of signing');
    if (method === 'GET' && !blob.mayWrite) return [200, blob.bytes];
    if (method !== 'PUT' || !blob.mayWrite) return problem(403, 'AuthorizationPermissionMismatch', 'no');
    if (headers['x-ms-blob-type'] !== 'BlockBlob')
      return problem(400, 'MissingRequiredHeader', 'x-ms-blob-type');
    blob.bytes = body;
    return [201, Buffer.alloc(0)];
  }

  const signed = (blob: string) => `${kit.url}${blob}?se=2030-01-01T00%3A00%3A00Z&sig=${randomUUID()}`;

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const kit: CacheService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    entries: [],
    requests: [],
    answer: null,
    token: (scope) => {
      const token = `runtime-${Buffer.from(JSON.stringify(scope)).toString('base64url')}`;
      scopes.set(token, scope);
      return token;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return kit;
}

interface Wanted {
  key: string;
  restore_keys?: string[];
  version: string;
}

function problem(status: number, code: string, msg: string): Answer {
  return [status, { code, msg }];
}
