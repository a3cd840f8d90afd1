/** GitHub Apps: their keys, installations and installation tokens. */
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { App, Installation, Permissions } from '../app-model.ts';
import type { Repository, User } from '../model.ts';
import { now, type Store } from '../store.ts';
import type { Token } from '../tokens.ts';

export interface NewApp {
  /** Its bot's login is `<slug>[bot]`. */
  slug: string;
  name?: string;
  /** What installations may; write to contents, issues and pull requests when absent. */
  permissions?: Permissions;
  events?: string[];
  /** Login of the owner; the slug when absent. */
  owner?: string;
}

const usual: Permissions = {
  actions: 'read',
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
};

/** Makes the App with a fresh RSA key. `privateKey` is PKCS#1 PEM, as GitHub hands it out. */
export async function createApp(store: Store, options: NewApp): Promise<{ app: App; privateKey: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const id = store.nextId();
  const app: App = {
    id,
    nodeId: `A_${id}`,
    slug: options.slug,
    name: options.name ?? options.slug,
    owner: store.user(options.owner ?? options.slug),
    bot: store.user(`${options.slug}[bot]`),
    permissions: options.permissions ?? usual,
    events: options.events ?? ['issue_comment', 'issues', 'pull_request'],
    publicKey,
    createdAt: now(),
  };
  store.apps.push(app);
  return { app, privateKey };
}

/** An App that nobody signs in as, for its tokens alone; made on first mention. */
export function bareApp(store: Store, slug: string, permissions: Permissions): App {
  const known = store.apps.find((app) => app.slug === slug);
  if (known) return known;
  const id = store.nextId();
  const app: App = {
    id,
    nodeId: `A_${id}`,
    slug,
    name: slug,
    owner: store.user(slug),
    bot: store.user(`${slug}[bot]`),
    permissions: { metadata: 'read', ...permissions },
    events: [],
    publicKey: '',
    createdAt: now(),
  };
  store.apps.push(app);
  return app;
}

/** Installs the App on an account: on all its repositories, or on the named ones. */
export function installApp(
  store: Store,
  app: App,
  account: User,
  repositories?: Repository[],
  permissions?: Permissions,
): Installation {
  const known = store.installations.find((one) => one.app === app && one.account === account);
  if (known) {
    if (repositories && known.repositories)
      for (const repository of repositories) known.repositories.add(repository);
    return known;
  }
  const installation: Installation = {
    id: store.nextId(),
    app,
    account,
    permissions: permissions ?? app.permissions,
    repositories: repositories ? new Set(repositories) : null,
    tokenLifeMs: 3_600_000,
    createdAt: now(),
  };
  store.installations.push(installation);
  return installation;
}

/** Every repository that the installation reaches. */
export function repositoriesOf(store: Store, installation: Installation): Repository[] {
  return [...store.repositories.values()].filter(
    (repository) =>
      repository.owner === installation.account && (installation.repositories?.has(repository) ?? true),
  );
}

/** A token of the installation, narrowed when asked; it lives one hour unless told otherwise. */
export function installationToken(
  store: Store,
  installation: Installation,
  narrow: { permissions?: Permissions; repositories?: Repository[]; expiresAt?: number } = {},
): Token {
  return store.tokens.add({
    kind: 'installation',
    user: installation.app.bot,
    permissions: { metadata: 'read', ...(narrow.permissions ?? installation.permissions) },
    repositories: narrow.repositories ? new Set(narrow.repositories) : null,
    installation,
    expiresAt: narrow.expiresAt ?? Date.now() + installation.tokenLifeMs,
  });
}
