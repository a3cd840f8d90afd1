/** The memory of the local GitHub: ids, node ids, and every record by the names that callers use. */

import type { App, Installation } from './app-model.ts';
import type { Repository, Subject, Time, User } from './model.ts';
import { tokenRegister } from './tokens.ts';

/** A file that somebody attached to a text. */
export interface AttachedFile {
  id: string;
  bytes: Uint8Array;
  /** What makes its signed address open. */
  signature: string;
}

/** Bots whose ids the whole world knows, because commits are attributed to them. */
const wellKnownIds: Record<string, number> = { 'github-actions[bot]': 41898282, 'claude[bot]': 209825114 };

/** A node that `node(id:)` finds. */
export type Node = { kind: string; nodeId: string };

export type Store = ReturnType<typeof createStore>;

/** @param site the server's address; filled in once it listens. */
export function createStore(root: string) {
  let lastId = 1_000_000;
  const users = new Map<string, User>();
  const repositories = new Map<string, Repository>();
  const former = new Map<string, Repository>();
  const nodes = new Map<string, Node>();
  const store = {
    /** Directory that holds the bare repositories. */
    root,
    site: { serverUrl: '', apiUrl: '', graphqlUrl: '' },
    users,
    repositories,
    nodes,
    apps: [] as App[],
    installations: [] as Installation[],
    tokens: tokenRegister(),
    /** Files that people attached to texts, by the id in their address. */
    attachments: new Map<string, AttachedFile>(),
    /** Hashes of commits that GitHub itself signed. */
    signedCommits: new Set<string>(),
    nextId: () => ++lastId,

    /** Gives a record its id and node id, and makes it findable by `node(id:)`. */
    identify<T extends Node>(prefix: string, build: (id: number, nodeId: string) => T): T {
      const id = ++lastId;
      const record = build(id, nodeIdOf(prefix, id));
      nodes.set(record.nodeId, record);
      return record;
    },

    /** The user of that login; made on first mention, a bot when the login ends in `[bot]`. */
    user(login: string): User {
      const known = users.get(login.toLowerCase());
      if (known) return known;
      const type = login.endsWith('[bot]') ? 'Bot' : 'User';
      return store.addUser({ login, type });
    },

    addUser(options: { login: string; name?: string; type?: User['type']; id?: number }): User {
      const type = options.type ?? 'User';
      const id = options.id ?? wellKnownIds[options.login] ?? ++lastId;
      const user: User = {
        kind: 'user',
        id,
        nodeId: nodeIdOf({ User: 'U', Bot: 'BOT', Organization: 'O' }[type], id),
        login: options.login,
        name: options.name ?? null,
        type,
        createdAt: now(),
      };
      users.set(options.login.toLowerCase(), user);
      nodes.set(user.nodeId, user);
      return user;
    },

    /** @param name `owner/name`, case-insensitive. */
    findRepository: (name: string): Repository | undefined => repositories.get(name.toLowerCase()),

    /** The repository that once had this name, now that no other has it. */
    movedRepository: (name: string): Repository | undefined =>
      repositories.has(name.toLowerCase()) ? undefined : former.get(name.toLowerCase()),

    renameRepository(repository: Repository, name: string): void {
      const before = fullName(repository).toLowerCase();
      repositories.delete(before);
      former.set(before, repository);
      repository.name = name;
      repositories.set(fullName(repository).toLowerCase(), repository);
    },

    /** @throws when the test named a repository that it never made. */
    repository(name: string): Repository {
      const found = repositories.get(name.toLowerCase());
      if (!found) throw new Error(`The local GitHub has no repository ${name}; call createRepository first.`);
      return found;
    },

    /** Issues and pull requests of one repository, oldest first. */
    subjects: (repository: Repository): Subject[] =>
      [...repository.subjects.values()].sort((a, b) => a.number - b.number),
  };
  return store;
}

/** Looks like GitHub's new ids: opaque, but the type can be told. */
export function nodeIdOf(prefix: string, id: number | string): string {
  return `${prefix}_kwDO${Buffer.from(String(id)).toString('base64url')}`;
}

/** This moment, in seconds, as GitHub writes it. */
export function now(): Time {
  return timeOf(new Date());
}

/** @param moment a date, or ISO 8601 text. */
export function timeOf(moment: Date | string): Time {
  return new Date(moment).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** `owner/name` */
export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}
