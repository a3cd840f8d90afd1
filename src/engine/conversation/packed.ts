/** A conversation as the bytes that are kept: JSON, compressed, sealed. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { TranscriptEntries } from '../../claude/kept-transcript.ts';
import type { Secret } from '../../words/secret.ts';
import { type Binding, seal, unseal } from './seal.ts';

export interface Conversation {
  sessionId: string;
  /** `owner/repo#42`, or `owner/repo` for a dispatch without a thread. */
  thread: string;
  /** ISO 8601: what the thread had until then has been shown; null where the trigger named no moment. */
  readAt: string | null;
  /** What was pushed in it last; null for nothing. */
  branch: { name: string; sha: string } | null;
  entries: TranscriptEntries;
}

/** Of what JSON may come out of a seal of ours; nothing else ever gets this far. */
const largestUnpacked = 1024 * 1024 * 1024;

export async function pack(conversation: Conversation, secret: Secret, binding: Binding): Promise<Buffer> {
  return seal(await promisify(gzip)(JSON.stringify(conversation)), secret, binding);
}

/** Null for what was not packed with this secret under this binding. */
export async function unpack(bytes: Buffer, secret: Secret, binding: Binding): Promise<Conversation | null> {
  const plain = unseal(bytes, secret, binding);
  if (!plain) return null;
  const json = await promisify(gunzip)(plain, { maxOutputLength: largestUnpacked });
  return JSON.parse(json.toString()) as Conversation;
}
