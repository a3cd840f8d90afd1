/** Brings the images of a thread to where Claude can open them, and says which could not be had. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Item } from '../words/event.ts';
import { imagesIn } from '../words/images.ts';
import type { Thread } from '../words/thread.ts';
import type { Graphql } from './pages.ts';
import { signedAddresses } from './signed.ts';

/** Most images, bytes of one, bytes of all, at a time, and milliseconds for all of it. */
const limits = { count: 20, bytes: 5 * 2 ** 20, allBytes: 40 * 2 ** 20, parallel: 4, ms: 45_000 };

export interface HostedImage {
  address: string;
  id: string | null;
}

/** GitHub's attachments, as `github/attachments.ts` fetches them. */
export interface ImageHost {
  /** Null for an image that is none of this GitHub's attachments: it is left alone. */
  find(address: string): HostedImage | null;
  isSigned(address: string, image: HostedImage): boolean;
  /** @throws Error whose message says why in a few words of ours. */
  download(request: {
    attachment: HostedImage;
    signed: string | null;
    maxBytes: number;
    signal: AbortSignal;
  }): Promise<Uint8Array>;
}

export interface ImagesRequest {
  /** As `filterThread` left it: what is not context has no images either. */
  thread: Thread;
  /** What triggered the run. */
  item: Item | null;
  /** A text as Claude will read it: images that no reader sees are not fetched. */
  visible(text: string): string;
  graphql: Graphql;
  host: ImageHost;
  /** A directory for them alone that exists and that Claude can read. */
  directory: string;
  signal: AbortSignal;
}

export interface FetchedImages {
  /** Path of the file by the address in the text. */
  files: ReadonlyMap<string, string>;
  /** How many could not be had, and why. */
  leftOut: Thread['leftOut'];
}

interface Wanted {
  image: HostedImage;
  /** Node id of the text that shows it. */
  nodeId: string | null;
}

/** Never throws: an image that cannot be had is said to be missing. */
export async function fetchImages(request: ImagesRequest): Promise<FetchedImages> {
  const all = wantedImages(request);
  const wanted = all.slice(0, limits.count);
  const files = new Map<string, string>();
  const missing = new Map<string, number>();
  const miss = (why: string, count = 1) => missing.set(why, (missing.get(why) ?? 0) + count);
  if (all.length > wanted.length) miss(`over the limit of ${limits.count}`, all.length - wanted.length);
  if (wanted.length > 0) {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.ms)]);
    const signed = await signedAddresses(request.graphql, wanted, request.host.isSigned);
    const budget = { left: limits.allBytes };
    const queue = wanted.entries();
    // All of them take from one iterator.
    const worker = async () => {
      for (const [index, { image }] of queue) {
        const options = { attachment: image, signed: signed.get(image.address) ?? null, signal };
        const found = await fetchOne(request, { index, budget, options });
        if ('path' in found) files.set(image.address, found.path);
        else miss(found.why);
      }
    };
    await Promise.all(Array.from({ length: limits.parallel }, worker));
  }
  return { files, leftOut: [...missing].map(([why, count]) => ({ what: 'images', count, why })) };
}

async function fetchOne(
  { host, directory }: ImagesRequest,
  one: {
    index: number;
    budget: { left: number };
    options: Omit<Parameters<ImageHost['download']>[0], 'maxBytes'>;
  },
): Promise<{ path: string } | { why: string }> {
  const { index, budget, options } = one;
  const maxBytes = Math.min(limits.bytes, budget.left);
  budget.left -= maxBytes;
  let used = maxBytes;
  try {
    if (maxBytes < limits.bytes) return { why: `over ${limits.allBytes / 2 ** 20} MiB together` };
    const bytes = await host.download({ ...options, maxBytes });
    used = bytes.length;
    const type = typeOf(bytes);
    if (!type) return { why: 'not a PNG, JPEG, GIF or WebP' };
    const path = join(directory, `${index + 1}.${type}`);
    // A session that ended here may have left one; nothing is written through a link.
    await rm(path, { force: true });
    await writeFile(path, bytes, { flag: 'wx' });
    // Whatever the umask: inside the fence Claude may be another user.
    await chmod(path, 0o644);
    return { path };
  } catch (error) {
    used = 0;
    return { why: `could not be downloaded: ${error instanceof Error ? error.message : 'unknown'}` };
  } finally {
    budget.left += maxBytes - used;
  }
}

/** The trigger's first, then those of the description, then from the newest text to the oldest; each once. */
function wantedImages({ thread, item, visible, host }: ImagesRequest): Wanted[] {
  const facts = thread.pullRequest;
  const said = [
    ...thread.comments,
    ...(facts?.reviews ?? []),
    ...(facts?.reviewThreads.flatMap(({ comments }) => comments) ?? []),
  ].toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const ofTrigger =
    item?.kind === 'review' ? said.filter((one) => 'reviewId' in one && one.reviewId === item.id) : [];
  const texts = [
    ...(item ? [{ nodeId: item.nodeId, body: item.body }] : []),
    ...ofTrigger,
    { nodeId: thread.nodeId, body: thread.body },
    ...said,
  ];
  const wanted = new Map<string, Wanted>();
  for (const { nodeId, body } of texts) {
    if (!/!\[|<img/i.test(body)) continue;
    for (const address of imagesIn(visible(body))) {
      const image = host.find(address);
      if (image && !wanted.has(address)) wanted.set(address, { image, nodeId: nodeId ?? null });
    }
  }
  return [...wanted.values()];
}

/** By their first bytes, whatever name or header they come with; null for what Claude cannot look at. */
function typeOf(bytes: Uint8Array): 'png' | 'jpg' | 'gif' | 'webp' | null {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpg';
  if (/^GIF8[79]a/.test(start)) return 'gif';
  return start.startsWith('RIFF') && start.slice(8) === 'WEBP' ? 'webp' : null;
}
