/** What the tests of this room start from: a stored payload, an event made of parts, settings with their defaults. */
import { readFileSync } from 'node:fs';
import { type Config, readConfig } from '../words/config.ts';
import type { GitHubEvent, Item, Subject } from '../words/event.ts';
import { parseEvent } from './event.ts';

/** Typed loosely, so that a test can break it. */
// biome-ignore lint/suspicious/noExplicitAny: a test that breaks a payload cannot be held to its type
export type LoosePayload = any;

/** A stored payload by the name of its file without `.json`. */
export function payloadOf(file: string): LoosePayload {
  return JSON.parse(
    readFileSync(new URL(`../../test/fixtures/payloads/${file}.json`, import.meta.url), 'utf8'),
  );
}

/** @param file as `payloadOf` takes it; what stands before the first dot is the event. */
export function storedEvent(file: string, change: (payload: LoosePayload) => void = () => {}): GitHubEvent {
  const payload = payloadOf(file);
  change(payload);
  const fallback = { repository: 'octo-org/octo-repo', actor: 'octocat' };
  return parseEvent({ name: file.split('.')[0]!, payload, deliveryId: null, fallback });
}

export function configWith(changes: Partial<Config> = {}): Config {
  return { ...readConfig(() => undefined).config, ...changes };
}

export const issue: Subject = {
  kind: 'issue',
  number: 42,
  title: 'Login is broken',
  body: 'It says 500.',
  author: { login: 'outsider', type: 'User' },
  state: 'open',
  labels: [],
  htmlUrl: 'https://github.com/octo-org/octo-repo/issues/42',
  createdAt: '2026-01-01T10:00:00Z',
  updatedAt: '2026-01-01T12:00:00Z',
};

export const comment: Item = {
  kind: 'issue_comment',
  id: 7,
  author: { login: 'octocat', type: 'User' },
  body: 'Me too.',
  htmlUrl: 'https://github.com/octo-org/octo-repo/issues/42#issuecomment-7',
  createdAt: '2026-01-01T11:00:00Z',
  updatedAt: '2026-01-01T11:30:00Z',
};

export function eventWith(parts: Partial<GitHubEvent>): GitHubEvent {
  return {
    name: 'issue_comment',
    action: 'created',
    deliveryId: null,
    repository: { owner: 'octo-org', name: 'octo-repo' },
    sender: { login: 'octocat', type: 'User' },
    subject: issue,
    item: null,
    payload: {},
    ...parts,
  };
}

/** The issue's own text as the thing that was written. */
export function itself(subject: Subject, text: { title?: string; body?: string }): Partial<GitHubEvent> {
  const written = { ...subject, ...text };
  return {
    subject: written,
    item: { ...comment, kind: written.kind, author: written.author, body: written.body },
  };
}
